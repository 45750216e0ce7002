"""The plain formulas are LoRA's products with the entries that are not kept set to 0."""

import torch

from repro.train.kernels.draws import Draws, counted
from repro.train.kernels.plain import IN_TORCH


def test_what_is_not_kept_adds_nothing() -> None:
    numbers = torch.arange(20, dtype=torch.int32)
    told = (Draws(5, numbers // 4, numbers % 4), 2, 16384)
    kept = counted(told[0], 2, 12, 16384)
    assert 0.3 < float(kept.float().mean()) < 0.7
    x, A, through = (
        torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        for size in ((20, 12), (3, 12), (20, 3))
    )
    still = x.masked_fill(~kept, 0.0)
    assert torch.allclose(IN_TORCH.low(x, A, *told), still @ A.T)
    assert torch.allclose(IN_TORCH.grad_a(through, x, *told).double(), through.T @ still, atol=1e-5)
    gradient = x.clone()
    IN_TORCH.add_grad_x(gradient, through, A, *told)
    assert torch.allclose(gradient, x + (through @ A).masked_fill(~kept, 0.0))
