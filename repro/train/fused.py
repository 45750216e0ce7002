"""Compute LoRA over a 4-bit layer as one operation with its own backward pass.

It gives the same numbers with less overhead. peft and bitsandbytes dequantise the frozen weight in
each forward and again in each backward pass, cast the input once for every projection that reads
it, draw a random float for every entry that dropout may switch off, and copy the result three
times. On a CPU with bfloat16 products all that takes five times as long as the products. Here the
weight may be kept, the cast is shared, and dropout reads 16 bits per entry and uses 15.

The result is peft's: y = x·Wᵀ + b + s·drop(x)·Aᵀ·Bᵀ (consolidated paper §2.2; docs/SCIENCE.md §9).
At dropout 0 a test compares outputs and gradients with peft's own. M tokens, K inputs, N outputs, R
rank.
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from peft.tuners.lora.bnb import Linear4bit as LoraLinear4bit
from torch import Tensor, nn
from torch.nn.functional import linear

from repro.train.kernels.draws import Draws
from repro.train.kernels.product import CountedProduct

BITS = 15
"""Random bits per entry of a dropout mask: the rate is accurate to 1.5e-5."""


class LoraProduct(torch.autograd.Function):
    """The product of one layer.

    It keeps the cast input, dropout's mask (one byte per entry), and drop(x)·Aᵀ.
    """

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
        rate: float,
    ) -> Tensor:
        """Compute the product.

        `x` receives the gradient; `cast_MK` is `x` in the precision of the product.
        """
        dtype = cast_MK.dtype
        kept_MK = kept(cast_MK, rate) if rate else None
        # Dropout scales up what it keeps; as part of LoRA's factor this costs nothing.
        scale = scale / kept_share(rate)
        A_RK, B_NR = A_RK.to(dtype), B_NR.to(dtype)
        low_MR = linear(dropped(cast_MK, kept_MK), A_RK)
        y_MN = linear(cast_MK, weight(dtype), None if bias_N is None else bias_N.to(dtype))
        y_MN = y_MN.addmm_(low_MR, B_NR.T, alpha=scale)
        ctx.save_for_backward(cast_MK, kept_MK, low_MR, A_RK, B_NR)
        ctx.weight, ctx.scale, ctx.of_x = weight, scale, (x.shape, x.dtype)
        return y_MN.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, A and B."""
        cast_MK, kept_MK, low_MR, A_RK, B_NR = ctx.saved_tensors
        shape, dtype = ctx.of_x
        grad_MN = gradients[0].reshape(len(cast_MK), -1).to(cast_MK.dtype)
        through_MR = (grad_MN @ B_NR).mul_(ctx.scale)
        grad_A = (through_MR.T @ dropped(cast_MK, kept_MK)).float()
        grad_B = (grad_MN.T @ low_MR).float().mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_MN @ ctx.weight(cast_MK.dtype)
            if kept_MK is None:
                grad_x.addmm_(through_MR, A_RK)
            else:
                grad_x.add_(dropped(through_MR @ A_RK, kept_MK))
            grad_x = grad_x.view(shape).to(dtype)
        return grad_x, None, None, None, grad_A, grad_B, None, None


def kept(x_MK: Tensor, rate: float) -> Tensor:
    """Return M×K bytes: 0 where dropout at `rate` switches an entry off, else 1.

    They are drawn from torch's generator of the device.
    """
    words = torch.empty(-(-x_MK.numel() // 4), dtype=torch.int64, device=x_MK.device).random_(
        -(2**63), None
    )
    drawn = words.view(torch.int16)[: x_MK.numel()].bitwise_and_(2**BITS - 1)
    # −1 where the difference is negative, else 0: a comparison, at the speed of whole-number
    # arithmetic.
    below = drawn.sub_(round(rate * 2**BITS)).bitwise_right_shift_(BITS)
    return below.add_(1).to(torch.int8).view(x_MK.shape)


def kept_share(rate: float) -> float:
    """Return the share of entries that `kept` keeps on average."""
    return float(1 - round(rate * 2**BITS) / 2**BITS)


def dropped(x_MK: Tensor, kept_MK: Tensor | None) -> Tensor:
    """Return x with the entries that are not kept set to 0."""
    return x_MK if kept_MK is None else x_MK * kept_MK.to(x_MK.dtype)


class SharedCast:
    """The latest input in the precision of the products.

    Projections that read the same input share it.
    """

    def __init__(self) -> None:
        self._of: Callable[[], Tensor | None] = lambda: None
        self._version, self._cast = -1, torch.empty(0)

    def __call__(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the input cast and reshaped to M×K, without a gradient."""
        if self._of() is not x or self._version != x._version or self._cast.dtype != dtype:
            self._of, self._version = weakref.ref(x), x._version
            self._cast = x.detach().to(dtype).reshape(-1, x.shape[-1])
        return self._cast


class UnderWay:
    """The draws of the pass under way, where dropout is counted."""

    draws: Draws | None = None


class FusedLinear4bit(LoraLinear4bit):
    """peft's LoRA layer over 4-bit weights with `LoraProduct` as its forward pass.

    Everything else is peft's.
    """

    keep_in: torch.dtype | None = None
    """Precision in which the dequantised weight is kept; None: it is not kept."""
    share: SharedCast | None = None
    under_way: UnderWay | None = None
    """What dropout is counted from; None: it is drawn from torch's generator."""
    number: int = 0
    """Which of the model's adapted modules this is."""
    _kept: Tensor | None = None

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the product with one plain adapter. All other cases are left to peft."""
        if (
            args
            or kwargs
            or self.disable_adapters
            or self.merged
            or len(self.active_adapters) != 1
            or not x.numel()
        ):
            result: Tensor = super().forward(x, *args, **kwargs)
            return result
        base: Any = self.get_base_layer()
        name = self.active_adapters[0]
        dropout = self.lora_dropout[name]
        rate = dropout.p if isinstance(dropout, nn.Dropout) and dropout.training else 0.0
        dtype = base.compute_dtype or x.dtype
        cast_MK = (self.share or SharedCast())(x, dtype)
        A_RK, B_NR = self.lora_A[name].weight, self.lora_B[name].weight
        if rate and self.under_way is not None and self.under_way.draws is not None:
            draws = self.under_way.draws.on(x.device)
            counted: Tensor = CountedProduct.apply(  # type: ignore[no-untyped-call]  # torch leaves apply without annotations
                x, cast_MK, self.weight_in, base.bias, A_RK, B_NR,
                self.scaling[name] / kept_share(rate), (draws, self.number, round(rate * 2**BITS)),
            )  # fmt: skip
            return counted
        product: Tensor = LoraProduct.apply(  # type: ignore[no-untyped-call]  # torch leaves apply without annotations
            x, cast_MK, self.weight_in, base.bias, A_RK, B_NR, self.scaling[name], rate
        )
        return product

    def weight_in(self, dtype: torch.dtype) -> Tensor:
        """Return W (N×K) dequantised from its 4 bits."""
        base: Any = self.get_base_layer()
        if self._kept is not None and self._kept.dtype == dtype:
            return self._kept
        # Rounded once from float32, as bitsandbytes' own backward pass does.
        weight_NK: Tensor = dequantize_4bit(base.weight.data, base.weight.quant_state).to(dtype)
        if self.keep_in == dtype:
            self._kept = weight_NK
        return weight_NK


def share_and_keep(model: nn.Module, keep_in: torch.dtype | None, counted: bool = False) -> None:
    """Let a model's layers share casts, and keep their weights in the given precision.

    `counted`: dropout is counted within `counting`.
    """
    share, under_way = SharedCast(), UnderWay() if counted else None
    for number, module in enumerate(_fused(model)):
        module.share, module.keep_in = share, keep_in
        module.under_way, module.number = under_way, number


@contextmanager
def counting(model: nn.Module, draws: Draws) -> Iterator[None]:
    """Let a model's dropout be counted from these draws. Backward passes belong into it."""
    states = [module.under_way for module in _fused(model) if module.under_way is not None]
    for state in states:
        state.draws = draws
    try:
        yield
    finally:
        for state in states:
            state.draws = None


def _fused(model: nn.Module) -> Iterator[FusedLinear4bit]:
    """Yield a model's fused layers, in its own order."""
    yield from (module for module in model.modules() if isinstance(module, FusedLinear4bit))
