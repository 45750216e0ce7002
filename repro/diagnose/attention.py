"""Entropies of attention matrices on real texts, layer by layer and head by head (docs/SCIENCE.md
§12).

One pass over a window of L tokens gives every shorter length too: attention is causal, so the first
T rows and columns of a head's matrix are its matrix on the first T tokens. A head's matrix exists
while its entropies are taken and no longer: never two at once. W windows, T and L lengths in tokens
(powers of two), D width of a head.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from repro.diagnose.capture import full_precision
from repro.diagnose.further import WriteRow, rows_of
from repro.evidence.measurement import Measurement
from repro.evidence.part import part_name
from repro.geometry.area_law import entropy_fits
from repro.geometry.entropy import entropies, factors, profile
from repro.geometry.undefined import Array
from repro.train.loss import decoder_and_head
from repro.train.model import without_dropout

STREAMED = "streamed"
"""The name under which transformers finds the attention below."""
Take = Callable[[int, int, Array], None]
"""What is done with a head's matrix: take(layer, head, A (L × L))."""
_MATRIX = "attention"


def attention_rows(
    model: nn.Module, windows: Sequence[Sequence[int]], lengths: Sequence[int], step: int
) -> Iterator[Measurement]:
    """Yield rows of evidence from windows of the longest of `lengths`: means over windows, heads
    and layers, and their parts.

    Entropies are those between rows and columns unless a row has a direction, which is then the
    number of the cut.
    """
    found = _Entropies(lengths)
    for window in windows:
        stream(model, window, found.take)
        found.end_window()
    yield from found.rows(rows_of(step, "", len(windows)))


class _Entropies:
    """Entropies of many windows, gathered head by head."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = sorted(lengths)
        self.of_window: dict[int, list[float]] = defaultdict(list)
        self.points: list[tuple[int, float]] = []
        """(T, mean over layers and heads) of every window."""
        self.by_head: dict[tuple[int, int], list[float]] = defaultdict(list)
        self.by_layer: dict[int, list[Array]] = defaultdict(list)

    def take(self, layer: int, head: int, A_LL: Array) -> None:
        """Take the entropies of one head's matrix: all cuts at full length, the middle one at the
        others.
        """
        *shorter, longest = self.lengths
        for T in shorter:
            self.of_window[T].append(float(entropies(A_LL[:T, :T].reshape(-1), (T, T))[0]))
        whole = profile(A_LL)
        middle = float(whole[len(factors(longest)) - 1])
        self.of_window[longest].append(middle)
        self.by_head[layer, head].append(middle)
        self.by_layer[layer].append(whole)

    def end_window(self) -> None:
        """Reduce a window to its mean at each length."""
        self.points += [(T, float(np.mean(values))) for T, values in self.of_window.items()]
        self.of_window.clear()

    def rows(self, row: WriteRow) -> Iterator[Measurement]:
        """Yield the means over windows, and what they follow, as rows."""
        means = {
            T: float(np.mean([value for at, value in self.points if at == T])) for T in self.lengths
        }
        longest = self.lengths[-1]
        yield row(
            quantity="entanglement_entropy", value=means[longest], concept=part_name(matrix=_MATRIX)
        )
        yield row(
            quantity="maximal_entropy",
            value=float(np.log(longest)),
            concept=part_name(matrix=_MATRIX),
        )
        for T, value in means.items():
            yield row(
                quantity="entanglement_entropy",
                value=value,
                concept=part_name(matrix=_MATRIX, length=T),
            )
        for (layer, head), values in self.by_head.items():
            where = part_name(matrix=_MATRIX, layer=layer, head=head)
            yield row(quantity="entanglement_entropy", value=float(np.mean(values)), concept=where)
        for layer, profiles in self.by_layer.items():
            for cut, value in enumerate(np.mean(profiles, axis=0)):
                where = part_name(matrix=_MATRIX, layer=layer)
                yield row(
                    quantity="entanglement_entropy",
                    value=float(value),
                    concept=where,
                    direction=cut,
                )
        yield from self._fits(row)

    def _fits(self, row: WriteRow) -> Iterator[Measurement]:
        lengths, values = (
            np.array(column, dtype=np.float64) for column in zip(*self.points, strict=True)
        )
        fits = entropy_fits(lengths, values)
        for scope in ("constant", "logarithmic", "linear"):
            where = part_name(matrix=_MATRIX, scope=scope)
            for quantity, part in (("entropy_fit_aic", "aic"), ("entropy_fit_slope", "slope")):
                value = getattr(fits[scope], part) if isinstance(fits, Mapping) else fits
                yield row(quantity=quantity, value=value, concept=where)


@torch.no_grad()
def stream(model: nn.Module, window: Sequence[int], take: Take) -> None:
    """Give every head's attention matrix on a window of tokens to `take`, in float32 and without
    dropout.
    """
    decoder, _ = decoder_and_head(model)
    device = next(model.parameters()).device
    with without_dropout(model), full_precision(model), _attention(decoder, take):
        decoder(input_ids=torch.tensor([list(window)], device=device), use_cache=False)


@contextmanager
def _attention(decoder: nn.Module, take: Take) -> Iterator[None]:
    """Let a decoder compute attention head by head, and show each matrix."""

    def attend(
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        _mask: Tensor | None,
        scaling: float,
        **_: Any,
    ) -> tuple[Tensor, None]:
        """Compute one window without padding; the mask is causal. Queries 1 × heads × L × D."""
        heads, L = query.shape[1], query.shape[2]
        shared = heads // key.shape[1]
        future = torch.ones(L, L, dtype=torch.bool, device=query.device).triu(1)
        out = torch.empty_like(query)
        for head in range(heads):
            scores = query[0, head].float() @ key[0, head // shared].float().T * scaling
            A_LL = scores.masked_fill_(future, -torch.inf).softmax(dim=-1)
            out[0, head] = (A_LL @ value[0, head // shared].float()).to(out.dtype)
            take(module.layer_idx, head, A_LL.double().cpu().numpy())
        return out.transpose(1, 2), None

    AttentionInterface.register(STREAMED, attend)
    config: Any = decoder.config
    before = config._attn_implementation
    config._attn_implementation = STREAMED
    try:
        yield
    finally:
        config._attn_implementation = before
