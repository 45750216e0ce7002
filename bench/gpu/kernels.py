"""Kernels against plain formulas: attention within packed sequences, and the LoRA product."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from bench.gpu.parts import PROOF
from bench.gpu.scale import Scale
from bench.table import Row, row
from repro.train.packed import attend

HEADS, KV_HEADS, WIDTH = 8, 2, 64
LENGTHS = (130, 64, 64, 17, 1)


def rows(scale: Scale) -> Iterator[Row]:
    """Yield each kernel's largest difference from its formula."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield from attention_rows(scale)


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


def one_at_a_time(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return causal attention of each sequence alone (1 × T × heads × width)."""
    parts = zip(*(x.split(LENGTHS, dim=2) for x in (q, k, v)), strict=True)
    found = [
        scaled_dot_product_attention(q_, k_, v_, is_causal=True, enable_gqa=True)
        for q_, k_, v_ in parts
    ]
    return torch.cat(found, dim=2).transpose(1, 2)
