"""LoRA with a computed matrix is peft's LoRA of that matrix, over every kind of storage."""

from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from repro.train.adapters.computed import ComputedConfig, FusedLayer4bit, Layer, Layer4bit
from repro.train.model import load_base
from tests.train.adapters.tiny import outputs, protocol

GIVEN = {
    "r": 2,
    "lora_alpha": 6,
    "target_modules": ["q_proj", "down_proj"],
    "task_type": "CAUSAL_LM",
}


class Sine(nn.Module):
    """Computes a matrix from another one."""

    def forward(self, weight: Tensor) -> Tensor:
        return torch.sin(weight)


def compute_a(A: nn.Linear, B: nn.Linear) -> None:
    """Make A a computed one, and B something else than zero."""
    A.float()
    register_parametrization(A, "weight", Sine())
    with torch.no_grad():
        B.weight.fill_(0.02)


def adapted(folder: Path, quantisation: str, four_bits: type[nn.Module]) -> nn.Module:
    """A model with such layers on it."""
    config = ComputedConfig(**GIVEN)
    config.compute = compute_a
    config._register_custom_module({Linear4bit: four_bits, nn.Linear: Layer})
    torch.manual_seed(0)
    return get_peft_model(load_base(folder, protocol("lora", quantisation)), config)


KINDS = [
    ("none", Layer4bit, Layer),
    ("nf4", Layer4bit, Layer4bit),
    ("nf4", FusedLayer4bit, FusedLayer4bit),
]


@pytest.mark.parametrize(("quantisation", "four_bits", "kind"), KINDS)
def test_it_computes_what_plain_lora_does_with_the_same_matrices(
    tiny_llama: Path, quantisation: str, four_bits: type[nn.Module], kind: type[nn.Module]
) -> None:
    model = adapted(tiny_llama, quantisation, four_bits)
    found = {name: part for name, part in model.named_modules() if type(part) is kind}
    assert len(found) == 4
    torch.manual_seed(0)
    plain = get_peft_model(
        load_base(tiny_llama, protocol("lora", quantisation)), LoraConfig(**GIVEN)
    )
    with torch.no_grad():
        for name, layer in found.items():
            for part in ("lora_A", "lora_B"):
                given = getattr(layer, part)["default"]
                assert is_parametrized(given) is (part == "lora_A")
                plain.get_submodule(f"{name}.{part}.default").weight.copy_(given.weight)  # type: ignore[union-attr,operator]  # a linear module's
    torch.testing.assert_close(outputs(model), outputs(plain), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(
        outputs(model), outputs(load_base(tiny_llama, protocol("lora", quantisation)))
    )


def test_what_is_saved_of_its_configuration_is_loras(tiny_llama: Path, tmp_path: Path) -> None:
    """So that peft loads it alone."""
    config = adapted(tiny_llama, "none", Layer4bit).peft_config["default"]  # type: ignore[index,union-attr]  # peft's models have it
    assert isinstance(config, ComputedConfig)
    config.save_pretrained(str(tmp_path))
    loaded = LoraConfig.from_pretrained(str(tmp_path))
    assert type(loaded) is LoraConfig
    assert "compute" not in loaded.to_dict()
    assert (loaded.r, loaded.lora_alpha) == (2, 6)
