"""LoRA over a frozen weight as one operation, with dropout that is counted.

y = x·Wᵀ + b + s·drop(x)·Aᵀ·Bᵀ, as `repro.train.fused.LoraProduct` computes it, which draws its mask
and keeps it. Here each pass counts the mask anew. M tokens, K inputs, N outputs, R rank.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from repro.train.kernels.draws import Draws
from repro.train.kernels.plain import IN_TORCH, LoraProducts


def formulas(device: torch.device) -> LoraProducts:
    """Return what computes on a device: Triton's kernels on a card, the plain formulas elsewhere.

    That is the whole choice, so a run's name says which ran: it holds the kind of device.
    """
    if device.type != "cuda":
        return IN_TORCH
    from repro.train.kernels.on_card import ON_CARD

    return ON_CARD


class CountedProduct(torch.autograd.Function):
    """The product of one layer. It keeps the cast input and drop(x)·Aᵀ."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        cast_MK: Tensor,
        weight: Callable[[torch.dtype], Tensor],
        bias_N: Tensor | None,
        A_RK: Tensor,
        B_NR: Tensor,
        scale: float,
        counted: tuple[Draws, int, int],
    ) -> Tensor:
        """Compute the product.

        `x` receives the gradient; `cast_MK` is `x` in the precision of the product; `scale` makes
        up for what dropout switches off; `counted`: draws, module's number, threshold.
        """
        dtype, compute = cast_MK.dtype, formulas(cast_MK.device)
        A_RK, B_NR = A_RK.to(dtype), B_NR.to(dtype)
        low_MR = compute.low(cast_MK, A_RK, *counted)
        y_MN = linear(cast_MK, weight(dtype), None if bias_N is None else bias_N.to(dtype))
        y_MN = y_MN.addmm_(low_MR, B_NR.T, alpha=scale)
        ctx.save_for_backward(cast_MK, low_MR, A_RK, B_NR)
        ctx.weight, ctx.scale, ctx.counted, ctx.of_x = weight, scale, counted, (x.shape, x.dtype)
        return y_MN.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, A and B."""
        cast_MK, low_MR, A_RK, B_NR = ctx.saved_tensors
        shape, dtype = ctx.of_x
        compute = formulas(cast_MK.device)
        grad_MN = gradients[0].reshape(len(cast_MK), -1).to(cast_MK.dtype)
        through_MR = (grad_MN @ B_NR).mul_(ctx.scale)
        grad_A = compute.grad_a(through_MR, cast_MK, *ctx.counted)
        grad_B = (grad_MN.T @ low_MR).float().mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_MN @ ctx.weight(cast_MK.dtype)
            compute.add_grad_x(grad_x, through_MR, A_RK, *ctx.counted)
            grad_x = grad_x.view(shape).to(dtype)
        return grad_x, None, None, None, grad_A, grad_B, None, None
