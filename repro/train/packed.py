"""Lay the sequences of a forward pass end to end in one row, so that nothing is padding.

Each sequence has its own positions and attends to itself alone (docs/SCIENCE.md §9, fusing).
Everything but attention computes the row as it is. On a card in bfloat16 attention is torch's
kernel for sequences of several lengths; elsewhere torch's causal kernel takes each stretch of
sequences of one length, which on a CPU was faster than a mask over the row (docs/results/speeds.md)
and gives no pair of sequences anything to multiply. T tokens of the row, N sequences, D width of a
head.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from repro.manifest.training import Training

PACKED = "packed"
"""The name under which transformers finds the attention below."""


@dataclass(frozen=True)
class Packed:
    """One forward pass: ids of all its sequences end to end (1 × T), and their lengths."""

    ids: Tensor
    lengths: tuple[int, ...]

    @property
    def predicted(self) -> Tensor:
        """Return which tokens but the row's first are predicted (1 × T−1): no sequence's first."""
        found = torch.ones(self.ids.shape, dtype=torch.bool)
        found[0, list(accumulate((0, *self.lengths)))[:-1]] = False
        return found[:, 1:]

    @property
    def targets(self) -> int:
        """Return the number of predicted tokens."""
        return sum(self.lengths) - len(self.lengths)

    @property
    def targets_of_each(self) -> Tensor:
        """Return the number of predicted tokens of each sequence (N)."""
        return torch.tensor(self.lengths) - 1

    def inputs(self, device: torch.device) -> dict[str, Any]:
        """Return a decoder's arguments. What attention asks of the lengths is told once a pass."""
        positions = torch.cat([torch.arange(length) for length in self.lengths])
        bounds = torch.tensor([0, *accumulate(self.lengths)], dtype=torch.int32)
        return {
            "input_ids": self.ids.to(device),
            "position_ids": positions[None].to(device),
            "lengths": self.lengths,
            "bounds": bounds.to(device),
        }


def pack(sequences: Sequence[Sequence[int]]) -> Packed:
    """Return sequences as one pass. Those without a token are left out."""
    rows = [row for row in sequences if row]
    ids = torch.tensor([[token for row in rows for token in row]])
    return Packed(ids, tuple(map(len, rows)))


def attention(decoder: nn.Module, training: Training) -> AbstractContextManager[None]:
    """Return the context in which a decoder attends as its protocol's passes need.

    Backward passes belong into it: with gradient checkpointing they attend again.
    """
    return _packed(decoder) if training.packing == "packed" else nullcontext()


@contextmanager
def _packed(decoder: nn.Module) -> Iterator[None]:
    """Within the block, use `attend` as the decoder's attention.

    transformers does not know its name, and so makes no mask; `attend` needs none.
    """
    AttentionInterface.register(PACKED, attend)
    config: Any = decoder.config
    before = config._attn_implementation
    config._attn_implementation = PACKED
    try:
        yield
    finally:
        config._attn_implementation = before


def attend(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    *,
    scaling: float,
    lengths: tuple[int, ...],
    bounds: Tensor,
    sliding_window: int | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Return attention within each sequence (1 × T × heads × D). Queries are 1 × heads × T × D."""
    device = query.device.type
    cast = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if cast else value.dtype
    row = [x.transpose(1, 2).to(dtype) for x in (query, key, value)]
    if device == "cuda" and dtype != torch.float32 and not dropout:
        return by_kernel(row, lengths, bounds, scaling, sliding_window), None
    stretches = [(length, len(list(alike))) for length, alike in groupby(lengths)]
    # One cut of the whole row: the backward pass then puts its parts together once.
    cuts = [x.split([length * count for length, count in stretches], dim=1) for x in row]
    found = []
    for (length, _count), *cut in zip(stretches, *cuts, strict=True):
        found.append(_within(cut, length, scaling, sliding_window, dropout))
    return torch.cat(found, dim=1), None


def by_kernel(
    row: Sequence[Tensor],
    lengths: tuple[int, ...],
    bounds: Tensor,
    scaling: float,
    window: int | None,
) -> Tensor:
    """Return attention by torch's kernel for sequences of several lengths, which needs a card.

    Its backward pass has one order of sums where deterministic algorithms are asked for.
    """
    q, k, v = (x[0] for x in row)
    left = -1 if window is None else window - 1
    longest = max(lengths)
    found: Any = varlen_attn(
        q, k, v, bounds, bounds, longest, longest,
        scale=scaling, window_size=(left, 0), enable_gqa=q.shape[1] != k.shape[1],
    )  # fmt: skip
    attended: Tensor = found[None]
    return attended


def _within(
    stretch: Sequence[Tensor], length: int, scaling: float, window: int | None, dropout: float
) -> Tensor:
    """Return attention within each of several sequences of one length, laid out as given."""
    q, k, v = (x.reshape(-1, length, *x.shape[2:]).transpose(1, 2) for x in stretch)
    mask = None
    if window is not None and length > window:
        ones = torch.ones(length, length, dtype=torch.bool, device=q.device)
        mask = ones.tril().triu(1 - window)
    found = scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling, dropout_p=dropout,
        enable_gqa=q.shape[1] != k.shape[1],
    )  # fmt: skip
    return found.transpose(1, 2).reshape(stretch[0].shape)
