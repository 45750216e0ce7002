"""Triton kernels of LoRA's product with counted dropout: mask, cast and product in one.

Each reads its input once, forms the mask where it needs it, and writes the product alone. Sums are
in float32 in a fixed order, so results are the same each time. Tested against
`repro.train.kernels.plain` through Triton's interpreter. M tokens, K inputs, R rank.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, misc"

import os
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from repro.train.kernels.draws import Draws
from repro.train.kernels.plain import LoraProducts

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
"""Whether kernels run on the processor. The interpreter's products of bfloat16 are not numbers, so
they are widened there, which is exact."""
_ROWS, _CHANNELS = 64, 64


@triton.jit
def _kept(seed, module, sequence, position, group, threshold, M: tl.constexpr, G: tl.constexpr):
    """Return which entries of a tile (M × 8G) are kept, as `draws.counted` counts them."""
    zero = tl.zeros((M, G), tl.uint32)
    a, b, c, d = tl.philox(
        seed,
        group[None, :].to(tl.uint32) + zero,
        position[:, None].to(tl.uint32) + zero,
        sequence[:, None].to(tl.uint32) + zero,
        (zero + module).to(tl.uint32),
    )
    words = tl.join(tl.join(a, c), tl.join(b, d))
    drawn = tl.join(words & 0x7FFF, (words >> 16) & 0x7FFF)
    return tl.reshape(drawn, (M, 8 * G)).to(tl.int32) >= threshold


@triton.jit
def _low_kernel(
    x, a, sequence, position, out, rows, channels, rank, seed, module, threshold,
    M: tl.constexpr, K: tl.constexpr, R: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Compute drop(x)·Aᵀ (M×R) for one block of rows."""
    m, r = tl.program_id(0) * M + tl.arange(0, M), tl.arange(0, R)
    inside_m, inside_r = m < rows, r < rank
    s = tl.load(sequence + m, mask=inside_m, other=0)
    p = tl.load(position + m, mask=inside_m, other=0)
    total = tl.zeros((M, R), tl.float32)
    for start in range(0, channels, K):
        k = start + tl.arange(0, K)
        inside_k = k < channels
        group = start // 8 + tl.arange(0, K // 8)
        kept = _kept(seed, module, s, p, group, threshold, M, K // 8)
        at = m[:, None].to(tl.int64) * channels + k[None, :]
        tile = tl.load(x + at, mask=inside_m[:, None] & inside_k[None, :] & kept, other=0.0)
        weight = tl.load(
            a + r[None, :] * channels + k[:, None],
            mask=inside_k[:, None] & inside_r[None, :],
            other=0.0,
        )
        tile = tile.to(weight.dtype)
        if WIDE:
            tile, weight = tile.to(tl.float32), weight.to(tl.float32)
        total = tl.dot(tile, weight, total, input_precision="ieee")
    place = m[:, None].to(tl.int64) * rank + r[None, :]
    tl.store(out + place, total, mask=inside_m[:, None] & inside_r[None, :])


@triton.jit
def _grad_a_kernel(
    x, through, sequence, position, out, rows, channels, rank, seed, module, threshold,
    M: tl.constexpr, K: tl.constexpr, R: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Compute throughᵀ·drop(x) (R×K) for one block of channels, over all rows in order."""
    k, r = tl.program_id(0) * K + tl.arange(0, K), tl.arange(0, R)
    inside_k, inside_r = k < channels, r < rank
    group = tl.program_id(0) * (K // 8) + tl.arange(0, K // 8)
    total = tl.zeros((R, K), tl.float32)
    for start in range(0, rows, M):
        m = start + tl.arange(0, M)
        inside_m = m < rows
        s = tl.load(sequence + m, mask=inside_m, other=0)
        p = tl.load(position + m, mask=inside_m, other=0)
        kept = _kept(seed, module, s, p, group, threshold, M, K // 8)
        at = m[:, None].to(tl.int64) * channels + k[None, :]
        tile = tl.load(x + at, mask=inside_m[:, None] & inside_k[None, :] & kept, other=0.0)
        back = tl.load(
            through + m[None, :].to(tl.int64) * rank + r[:, None],
            mask=inside_r[:, None] & inside_m[None, :],
            other=0.0,
        )
        tile = tile.to(back.dtype)
        if WIDE:
            tile, back = tile.to(tl.float32), back.to(tl.float32)
        total = tl.dot(back, tile, total, input_precision="ieee")
    place = r[:, None].to(tl.int64) * channels + k[None, :]
    tl.store(out + place, total, mask=inside_r[:, None] & inside_k[None, :])


@triton.jit
def _add_grad_x_kernel(
    grad, through, a, sequence, position, rows, channels, rank, seed, module, threshold,
    M: tl.constexpr, K: tl.constexpr, R: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Add drop(through·A) to a tile of the input's gradient (M×K), rounded once."""
    m, k = tl.program_id(0) * M + tl.arange(0, M), tl.program_id(1) * K + tl.arange(0, K)
    r = tl.arange(0, R)
    inside_m, inside_k, inside_r = m < rows, k < channels, r < rank
    s = tl.load(sequence + m, mask=inside_m, other=0)
    p = tl.load(position + m, mask=inside_m, other=0)
    group = tl.program_id(1) * (K // 8) + tl.arange(0, K // 8)
    kept = _kept(seed, module, s, p, group, threshold, M, K // 8)
    back = tl.load(
        through + m[:, None].to(tl.int64) * rank + r[None, :],
        mask=inside_m[:, None] & inside_r[None, :],
        other=0.0,
    )
    weight = tl.load(
        a + r[:, None] * channels + k[None, :],
        mask=inside_r[:, None] & inside_k[None, :],
        other=0.0,
    )
    if WIDE:
        back, weight = back.to(tl.float32), weight.to(tl.float32)
    added = tl.where(kept, tl.dot(back, weight, input_precision="ieee"), 0.0)
    at = grad + m[:, None].to(tl.int64) * channels + k[None, :]
    inside = inside_m[:, None] & inside_k[None, :]
    before = tl.load(at, mask=inside, other=0.0)
    tl.store(at, before.to(tl.float32) + added, mask=inside)


def _low(x_MK: Tensor, A_RK: Tensor, draws: Draws, module: int, threshold: int) -> Tensor:
    """Return drop(x)·Aᵀ (M×R) in A's precision, whatever x's is."""
    out_MR = torch.empty(len(x_MK), len(A_RK), dtype=A_RK.dtype, device=x_MK.device)
    given = _given(x_MK, A_RK, draws, module, threshold)
    _launch(
        _low_kernel, (triton.cdiv(len(x_MK), _ROWS),), x_MK, A_RK, *given[:2], out_MR, *given[2:]
    )
    return out_MR


def _grad_a(through_MR: Tensor, x_MK: Tensor, draws: Draws, module: int, threshold: int) -> Tensor:
    """Return throughᵀ·drop(x) (R×K) in float32."""
    rank, channels = through_MR.shape[1], x_MK.shape[1]
    out_RK = torch.empty(rank, channels, dtype=torch.float32, device=x_MK.device)
    given = _given(x_MK, out_RK, draws, module, threshold)
    _launch(
        _grad_a_kernel,
        (triton.cdiv(channels, _CHANNELS),),
        x_MK,
        through_MR,
        *given[:2],
        out_RK,
        *given[2:],
    )
    return out_RK


def _add_grad_x(
    grad_MK: Tensor, through_MR: Tensor, A_RK: Tensor, draws: Draws, module: int, threshold: int
) -> None:
    """Add drop(through·A) to the input's gradient, in place."""
    grid = triton.cdiv(len(grad_MK), _ROWS), triton.cdiv(grad_MK.shape[1], _CHANNELS)
    _launch(
        _add_grad_x_kernel,
        grid,
        grad_MK,
        through_MR,
        A_RK,
        *_given(grad_MK, A_RK, draws, module, threshold),
    )


def _given(
    x_MK: Tensor, A_RK: Tensor, draws: Draws, module: int, threshold: int
) -> tuple[Any, ...]:
    """Return what every kernel is told: the rows' places, the sizes, and what is counted from."""
    sizes = (*x_MK.shape, len(A_RK))
    return draws.sequence, draws.position, *sizes, draws.seed, module, threshold


def _launch(kernel: Any, grid: tuple[int, ...], *given: Any) -> None:
    """Start a kernel on the device of its first tensor. Rank is padded to a power of two."""
    rank, device = given[-4], given[0].device
    sizes = {
        "M": _ROWS,
        "K": _CHANNELS,
        "R": max(16, triton.next_power_of_2(rank)),
        "WIDE": INTERPRETED,
    }
    with torch.cuda.device(device if device.type == "cuda" else -1):
        kernel[grid](
            *(one.contiguous() if isinstance(one, Tensor) else one for one in given), **sizes
        )


ON_CARD = LoraProducts(_low, _grad_a, _add_grad_x)
