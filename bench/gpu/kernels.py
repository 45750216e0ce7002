"""Kernels against plain formulas: attention within packed sequences, and the LoRA product."""

from collections.abc import Iterator
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from bench.gpu.parts import ABSENT, PROOF
from bench.gpu.scale import Scale
from bench.table import Row, missing, row
from repro.train.kernels.draws import Draws, counted
from repro.train.kernels.plain import IN_TORCH
from repro.train.packed import attend

HEADS, KV_HEADS, WIDTH = 8, 2, 64
LENGTHS = (130, 64, 64, 17, 1)


def rows(scale: Scale) -> Iterator[Row]:
    """Yield each kernel's largest difference from its formula."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield from attention_rows(scale)
        if find_spec("triton") is None:
            yield missing("kernels of counted dropout", f"{ABSENT}: triton")
        else:
            yield from product_rows(scale)


def attention_rows(scale: Scale) -> Iterator[Row]:
    """Yield how far attention within packed sequences is from one sequence at a time."""
    for dtype, bar in ((torch.float32, 1e-5), (torch.bfloat16, 2e-2)):
        q, k, v = (
            torch.randn(1, heads, sum(LENGTHS), WIDTH, device=scale.device).to(dtype)
            for heads in (HEADS, KV_HEADS, KV_HEADS)
        )
        bounds = torch.tensor([0, *LENGTHS], device=scale.device).cumsum(0).to(torch.int32)
        ours, _ = attend(
            torch.nn.Identity(), q, k, v, None, scaling=WIDTH**-0.5, lengths=LENGTHS, bounds=bounds
        )
        expected = one_at_a_time(q.double(), k.double(), v.double())
        away = float((ours.double() - expected).norm() / expected.norm())
        name = f"{PROOF}attention within packed sequences against one at a time, {str(dtype)[6:]}"
        yield row(name, away, "relative", bar, at_most=True)


def product_rows(scale: Scale) -> Iterator[Row]:
    """Yield how far LoRA's kernels with counted dropout are from the formulas in float64.

    Without a card Triton interprets them.
    """
    from repro.train.kernels.on_card import ON_CARD

    rows_, channels, rank = (150, 100, 24) if scale.rehearsed else (8192, 3584, 64)
    numbers = torch.arange(rows_, dtype=torch.int32, device=scale.device)
    told = Draws(2**62 + 12345, numbers // 512, numbers % 512), 5, 1638
    mask = counted(told[0], 5, channels, 1638)
    shown = ON_CARD.low(
        mask.new_ones(mask.shape).float(), torch.eye(channels, device=scale.device), *told
    )
    same = float((shown.bool() == mask).float().mean())
    yield row(f"{PROOF}dropout's mask by the kernel, entry by entry", 100 * same, "%", 100)
    for dtype, bar in ((torch.float32, 1e-5), (torch.bfloat16, 1e-2)):
        x, A, through = (
            torch.randn(size, device=scale.device).to(dtype)
            for size in ((rows_, channels), (rank, channels), (rows_, rank))
        )
        ours, theirs = x.clone(), x.double()
        ON_CARD.add_grad_x(ours, through, A, *told)
        IN_TORCH.add_grad_x(theirs, through.double(), A.double(), *told)
        pairs = {
            "drop(x)·Aᵀ": (ON_CARD.low(x, A, *told), IN_TORCH.low(x.double(), A.double(), *told)),
            "A's gradient": (
                ON_CARD.grad_a(through, x, *told),
                through.double().T @ (x.double() * mask),
            ),
            "x's gradient": (ours, theirs),
        }
        for what, (found, expected) in pairs.items():
            away = float((found.double() - expected).norm() / expected.norm())
            name = f"{PROOF}{what} by the kernel against the formula, {str(dtype)[6:]}"
            yield row(name, away, "relative", bar, at_most=True)


def one_at_a_time(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return causal attention of each sequence alone (1 × T × heads × width)."""
    parts = zip(*(x.split(LENGTHS, dim=2) for x in (q, k, v)), strict=True)
    found = [
        scaled_dot_product_attention(q_, k_, v_, is_causal=True, enable_gqa=True)
        for q_, k_, v_ in parts
    ]
    return torch.cat(found, dim=2).transpose(1, 2)
