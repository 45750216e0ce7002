"""A step whose dropout is counted: the same however sequences share passes, and kept nowhere."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import repro.train.loop as loop
from repro.errors import InputError
from repro.manifest.adapters import Lora
from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.kernels.plain import IN_TORCH
from repro.train.kernels.product import formulas
from repro.train.model import load_base, trainable
from repro.train.provenance import lora_kernels

SEQUENCES = [[5, 6, 7, 8, 9], [4] * 12, [11, 12], [20, 21, 22, 23, 24, 25, 26]]


def protocol(**changes: Any) -> Training:
    """Real NF4, strong dropout, counted."""
    given: dict[str, Any] = {
        "lora": Lora(rank=8, alpha=16, dropout=0.3),
        "gradient_checkpointing": False,
        "compute": "float32",
        "kernels": "counted",
        "max_length": 30,
    }
    return Training(**{**given, **changes})


def gradients(folder: Path, training: Training, seed: int = 11) -> dict[str, Tensor]:
    """Every gradient of a step by name, B being no longer zero."""
    model = adapt(load_base(folder, training), training, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in trainable(model).values():
            value.add_(torch.randn(value.shape, generator=generator), alpha=0.02)
    torch.manual_seed(seed)
    loop.accumulate(model, SEQUENCES, training)
    return {name: value.grad for name, value in trainable(model).items() if value.grad is not None}


def worst(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Largest relative difference in norm."""
    assert found.keys() == expected.keys()
    return max(
        float((found[name] - value).norm() / value.norm()) for name, value in expected.items()
    )


def test_a_step_has_the_same_gradient_in_every_layout(tiny_llama: Path) -> None:
    expected = gradients(tiny_llama, protocol(tokens_per_forward=1))
    assert len(expected) > 14
    for changes in (
        {"tokens_per_forward": 64},
        {"tokens_per_forward": 64, "packing": "packed"},
        {"tokens_per_forward": 64, "packing": "packed", "gradient_checkpointing": True},
    ):
        assert worst(gradients(tiny_llama, protocol(**changes)), expected) < 1e-4, changes
    assert worst(gradients(tiny_llama, protocol(), seed=12), expected) > 1e-2, "another mask"
    drawn = {
        packing: gradients(tiny_llama, protocol(kernels="torch", packing=packing))
        for packing in ("padded", "packed")
    }
    assert worst(drawn["packed"], drawn["padded"]) > 1e-2, "a positive control: masks are drawn"


def test_computing_a_block_again_gives_the_same_bits(tiny_llama: Path) -> None:
    kept, again = (
        gradients(tiny_llama, protocol(gradient_checkpointing=way)) for way in (False, True)
    )
    assert all(torch.equal(kept[name], value) for name, value in again.items())


def test_gradients_are_those_of_numerical_differences(tiny_llama: Path) -> None:
    training = protocol()
    model = adapt(load_base(tiny_llama, training), training, 0)
    name, value = next((n, p) for n, p in trainable(model).items() if "lora_B" in n)
    direction = torch.randn(value.shape, generator=torch.Generator().manual_seed(2))

    def loss(model: nn.Module) -> float:
        torch.manual_seed(11)
        return loop.accumulate(model, SEQUENCES, training)[0]

    loss(model)
    assert value.grad is not None
    found, step, ends = float((value.grad * direction).sum()), 1e-2, []
    for sign in (1, -1):
        with torch.no_grad():
            value.add_(direction, alpha=sign * step)
        ends.append(loss(model))
        with torch.no_grad():
            value.sub_(direction, alpha=sign * step)
    assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-2), name


def test_what_computes_follows_from_the_device_and_is_recorded() -> None:
    assert formulas(torch.device("cpu")) is IN_TORCH
    assert lora_kernels(protocol(kernels="torch")) == "torch"
    if not torch.cuda.is_available():
        assert lora_kernels(protocol()) == "plain formulas, counted"


def test_an_adapter_without_such_kernels_is_refused(tiny_llama: Path) -> None:
    training = protocol(quantisation={"format": "none", "double": False})
    with pytest.raises(InputError, match=r"training\.kernels: counted"):
        adapt(load_base(tiny_llama, training), training, 0)
