"""LoRA as a matrix product state: A is the product of two trained cores.

Source: artificial entanglement paper; docs/SCIENCE.md §12. B starts at zero, so the update does.
The cores start at random such that A's entries have the variance that LoRA starts them with,
1/(3·in): the paper prints no start. What is saved loads as the plain LoRA that it equals. R rank, I
= D1·D2 inputs, χ bond dimension.
"""

import torch
from bitsandbytes.nn import Linear4bit  # type: ignore[attr-defined]  # re-exported without saying so
from peft import PeftModel
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization
from transformers import PreTrainedModel

from repro.manifest.adapters import Mps, sites
from repro.manifest.training import Training
from repro.train.adapters.computed import ComputedConfig, FusedLayer4bit, Layer
from repro.train.model import adapted


class Cores(nn.Module):
    """A (R×I) out of its cores, first (R×D1×χ) and second (χ×D2)."""

    def __init__(self, inputs: int, bond: int) -> None:
        super().__init__()
        self.sites, self.bond = sites(inputs), bond

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Multiply the cores to A (R×I), in float32 whatever precision the layer computes in."""
        device = "cpu" if first.is_meta else first.device.type  # autocast knows no meta device
        with torch.autocast(device, enabled=False):
            return (first @ second).flatten(1)

    def right_inverse(self, weight_RI: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cores nearest to a given A: its best rank-χ approximation between sites."""
        U, s, V = torch.linalg.svd(
            weight_RI.unflatten(1, self.sites).flatten(0, 1), full_matrices=False
        )
        kept = min(self.bond, len(s))
        first, second = U.new_zeros(len(U), self.bond), V.new_zeros(self.bond, V.shape[1])
        first[:, :kept], second[:kept] = (
            U[:, :kept] * s[:kept].sqrt(),
            s[:kept, None].sqrt() * V[:kept],
        )
        return first.unflatten(0, (-1, self.sites[0])), second

    def start(self, first: nn.Parameter, second: nn.Parameter) -> None:
        """Draw both cores from torch's generator: Gaussian, of one spread."""
        inputs = self.sites[0] * self.sites[1]
        # An entry of A sums χ products of two draws, of variance χσ⁴: this σ makes it 1/(3·in).
        spread = (3 * inputs * self.bond) ** -0.25
        nn.init.normal_(first, std=spread)
        nn.init.normal_(second, std=spread)


def add_mps(base: PreTrainedModel, adapter: Mps, training: Training, seed: int) -> PeftModel:
    """Put an update on every target of `base`, frozen; initial values depend on `seed` alone."""
    torch.manual_seed(seed)
    config = ComputedConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,  # type: ignore[arg-type]  # annotated as an integer, used as a factor
        lora_dropout=adapter.dropout,
        target_modules=list(adapter.targets),
        task_type="CAUSAL_LM",
    )
    config.compute = lambda A, _: _through_cores(A, adapter.bond)
    config._register_custom_module(
        {Linear4bit: FusedLayer4bit, nn.Linear: Layer}
    )  # peft's interface for this, public or not
    return adapted(base, config, training)


def cores_of(model: nn.Module) -> dict[str, Cores]:
    """Return what computes each A from its cores, by the name of A's module."""
    ending = ".parametrizations.weight.0"
    return {
        name.removesuffix(ending): module
        for name, module in model.named_modules()
        if isinstance(module, Cores)
    }


def _through_cores(module: nn.Linear, bond: int) -> None:
    # peft makes it in the precision of 4-bit products and would bring it to float32 later
    module.float()
    cores = Cores(module.in_features, bond)
    register_parametrization(module, "weight", cores)
    cores.start(*module.parametrizations.weight.parameters())  # type: ignore[union-attr]  # a module dictionary
