"""Triton's kernels through its interpreter, against the plain formulas."""

import pytest
import torch
from torch import Tensor

pytest.importorskip(
    "triton", reason="the package triton is not installed: PyTorch's CPU build comes without it"
)

from repro.train.kernels.draws import Draws, counted
from repro.train.kernels.on_card import ON_CARD
from repro.train.kernels.plain import IN_TORCH

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
THRESHOLD, MODULE = 9830, 5
SIZES = [(70, 136, 24), (1, 8, 1), (64, 64, 64), (131, 100, 3)]
"""(M, K, R): none, one or all a multiple of a tile."""


def given(rows: int, channels: int, rank: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Inputs of every kernel."""
    random = torch.Generator().manual_seed(rows)
    sizes = {"x": (rows, channels), "A": (rank, channels), "through": (rows, rank)}
    return {
        name: torch.randn(size, generator=random).to(DEVICE, dtype) for name, size in sizes.items()
    }


def draws(rows: int, seed: int = 2**62 + 12345) -> Draws:
    """Rows of sequences of seven tokens."""
    numbers = torch.arange(rows, dtype=torch.int32, device=DEVICE)
    return Draws(seed, numbers // 7, numbers % 7)


def away(found: Tensor, expected: Tensor) -> float:
    """Relative difference in norm."""
    return float((found.double() - expected.double()).norm() / expected.double().norm())


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**62 + 12345])
def test_the_mask_is_the_plain_formulas_bit_for_bit(seed: int) -> None:
    """A product of ones with the unit matrix shows it."""
    ones, unit = torch.ones(70, 136, device=DEVICE), torch.eye(136, device=DEVICE)
    shown = ON_CARD.low(ones, unit, draws(70, seed), MODULE, THRESHOLD)
    assert torch.equal(shown.bool(), counted(draws(70, seed), MODULE, 136, THRESHOLD))
    assert not shown.bool().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", SIZES)
def test_products_are_the_plain_formulas(size: tuple[int, int, int], dtype: torch.dtype) -> None:
    rows, channels, _ = size
    one, told = given(*size, dtype), (draws(rows), MODULE, THRESHOLD)
    exact = {name: value.double() for name, value in one.items()}
    # The interpreter cuts a number to bfloat16 where a card rounds: 2⁻⁷ at the most.
    bar = 1e-6 if dtype == torch.float32 else 2**-7
    expected = IN_TORCH.low(exact["x"], exact["A"], *told)
    if float(expected.norm()):
        assert away(ON_CARD.low(one["x"], one["A"], *told), expected) < bar
    found = ON_CARD.grad_a(one["through"], one["x"], *told)
    assert found.dtype == torch.float32
    expected = exact["through"].T @ (
        exact["x"] * counted(told[0], MODULE, channels, THRESHOLD).double()
    )
    assert away(found, expected) < bar
    before, after = one["x"].clone(), exact["x"].clone()
    ON_CARD.add_grad_x(before, one["through"], one["A"], *told)
    IN_TORCH.add_grad_x(after, exact["through"], exact["A"], *told)
    assert away(before, after) < bar
    moved = ON_CARD.grad_a(one["through"], one["x"], draws(rows, 3), MODULE, THRESHOLD)
    assert rows == 1 or away(moved, expected) > 1e-2, "a positive control: another mask"


def test_a_wider_input_is_cast_on_its_way() -> None:
    one, told = given(70, 136, 24, torch.bfloat16), (draws(70), MODULE, THRESHOLD)
    cast = ON_CARD.low(one["x"], one["A"], *told)
    assert cast.dtype == torch.bfloat16
    assert torch.equal(ON_CARD.low(one["x"].float(), one["A"], *told), cast)


def test_results_are_the_same_each_time() -> None:
    one, told = given(131, 100, 16, torch.bfloat16), (draws(131), MODULE, THRESHOLD)
    twice = [ON_CARD.grad_a(one["through"], one["x"], *told) for _ in range(2)]
    assert torch.equal(*twice)
