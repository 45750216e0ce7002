"""The plain formulas of LoRA's product with counted dropout. M tokens, K inputs, R rank."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import linear

from repro.train.kernels.draws import Draws, counted


@dataclass(frozen=True)
class LoraProducts:
    """The three products of a layer. Each ends with draws, the module's number, the threshold."""

    low: Callable[[Tensor, Tensor, Draws, int, int], Tensor]
    """(x, A): drop(x)·Aᵀ."""
    grad_a: Callable[[Tensor, Tensor, Draws, int, int], Tensor]
    """(through, x): A's gradient."""
    add_grad_x: Callable[[Tensor, Tensor, Tensor, Draws, int, int], None]
    """(gradient so far, through, A): adds LoRA's part to x's gradient."""


def _low(x_MK: Tensor, A_RK: Tensor, draws: Draws, module: int, threshold: int) -> Tensor:
    """Return drop(x)·Aᵀ (M×R) in A's precision, whatever x's is."""
    return linear(_dropped(x_MK.to(A_RK.dtype), draws, module, threshold), A_RK)


def _grad_a(through_MR: Tensor, x_MK: Tensor, draws: Draws, module: int, threshold: int) -> Tensor:
    """Return throughᵀ·drop(x) (R×K) in float32."""
    cast_MK = x_MK.to(through_MR.dtype)
    return (through_MR.T @ _dropped(cast_MK, draws, module, threshold)).float()


def _add_grad_x(
    grad_MK: Tensor, through_MR: Tensor, A_RK: Tensor, draws: Draws, module: int, threshold: int
) -> None:
    """Add drop(through·A) to the input's gradient, in place."""
    grad_MK.add_(_dropped(through_MR @ A_RK, draws, module, threshold))


def _dropped(x_MK: Tensor, draws: Draws, module: int, threshold: int) -> Tensor:
    """Return x with what dropout switches off set to 0. What is kept is not scaled here."""
    return x_MK * counted(draws, module, x_MK.shape[1], threshold).to(x_MK.dtype)


IN_TORCH = LoraProducts(_low, _grad_a, _add_grad_x)
