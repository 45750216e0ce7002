"""Block-diagonal LoRA: updates that write the residual stream along given directions alone.

Definition: docs/SCIENCE.md §9 (summary page). On o_proj and down_proj ΔW = s·Σ_g U_g B_g A_g: U_g
holds the directions of group g and stays fixed, A_g and B_g are trained, B_g starts at zero, s =
alpha/rank as for LoRA. A group's rank R_g is the protocol's, or its number of directions where that
is smaller.

Written as one product this is LoRA of rank R = ΣR_g with A = [A_1; …; A_G] and B = U·diag(B_1, …,
B_G), computed from its blocks (`repro.train.adapters.computed`). H width of the residual stream, I
inputs of a projection, K_g directions and R_g rank of group g.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from bitsandbytes.nn import Linear4bit  # type: ignore[attr-defined]  # re-exported without saying so
from peft import PeftModel, get_peft_model
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization
from transformers import PreTrainedModel

from repro.manifest.adapters import WRITING, BlockDiagonal
from repro.train.adapters.computed import ComputedConfig, Layer, Layer4bit


@dataclass(frozen=True, eq=False)
class Group:
    """Concepts that share a block, and the directions (H×K_g, orthonormal) it may write along."""

    concepts: tuple[str, ...]
    directions: Tensor

    def rank(self, wanted: int) -> int:
        """Return R_g, the rank wanted or the number of directions where that is smaller."""
        return min(wanted, self.directions.shape[1])


class Blocks(nn.Module):
    """B (H×R) out of its trained blocks B_g (K_g×R_g)."""

    directions: Tensor

    def __init__(self, groups: Sequence[Group], rank: int) -> None:
        super().__init__()
        self.names = ["+".join(group.concepts) for group in groups]
        self.sizes = [group.directions.shape[1] for group in groups]
        self.ranks = [group.rank(rank) for group in groups]
        together = torch.cat([group.directions for group in groups], dim=1).float()
        self.register_buffer("directions", together, persistent=False)

    def named_directions(self) -> dict[str, Tensor]:
        """Return the directions of each group (H×K_g), by its concepts."""
        parts = self.directions.split(self.sizes, dim=1)
        return {f"directions/{name}": part for name, part in zip(self.names, parts, strict=True)}

    def forward(self, *blocks: Tensor) -> Tensor:
        """Compute U·diag(B_1, …, B_G) in float32, whatever precision the layer computes in."""
        # autocast knows no meta device
        device = "cpu" if self.directions.is_meta else self.directions.device.type
        with torch.autocast(device, enabled=False):
            return self.directions @ torch.block_diag(*blocks)  # type: ignore[no-any-return]  # block_diag has no types

    def right_inverse(self, weight_HR: Tensor) -> tuple[Tensor, ...]:
        """Return the blocks nearest to a given B (H×R): those of zero are zero."""
        parts = zip(
            self.directions.split(self.sizes, dim=1),
            weight_HR.split(self.ranks, dim=1),
            strict=True,
        )
        return tuple(directions_HK.T @ weight for directions_HK, weight in parts)


def _configuration(adapter: BlockDiagonal, groups: Sequence[Group]) -> ComputedConfig:
    """Return peft's configuration of the equal LoRA, whose B is written through `groups`."""
    whole = sum(group.rank(adapter.rank) for group in groups)
    config = ComputedConfig(
        r=whole,
        lora_alpha=adapter.alpha * whole / adapter.rank,  # type: ignore[arg-type]  # annotated as an integer, used as a factor
        lora_dropout=adapter.dropout,
        target_modules=list(WRITING),
        task_type="CAUSAL_LM",
    )
    config.compute = lambda _, B: _through_blocks(B, groups, adapter.rank)
    config._register_custom_module(
        {Linear4bit: Layer4bit, nn.Linear: Layer}
    )  # peft's interface for this, public or not
    return config


def _through_blocks(module: nn.Linear, groups: Sequence[Group], rank: int) -> None:
    # peft makes it in the precision of 4-bit products and would bring it to float32 later
    module.float()
    register_parametrization(module, "weight", Blocks(groups, rank).to(module.weight.device))


def add_block_diagonal(
    base: PreTrainedModel, adapter: BlockDiagonal, groups: Sequence[Group], seed: int
) -> PeftModel:
    """Put an update on every target of `base`, frozen; initial values depend on `seed` alone."""
    torch.manual_seed(seed)
    model: PeftModel = get_peft_model(base, _configuration(adapter, groups))
    return model.train()


def blocks_of(model: nn.Module) -> dict[str, Blocks]:
    """Return what computes each B from its blocks, by the name of B's module."""
    ending = ".parametrizations.weight.0"
    return {
        name.removesuffix(ending): module
        for name, module in model.named_modules()
        if isinstance(module, Blocks)
    }
