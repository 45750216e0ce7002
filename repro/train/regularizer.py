"""Complement-subspace regularisation (CSR): penalise moves outside the target's subspace.

Definition: docs/SCIENCE.md §9 (consolidated paper §6.1). S holds the leading right singular vectors
of the *centred* target-domain activations of the base model, as many as hold the stated share of
variance; P⊥ = I − SSᵀ. Everything but the current activations is fixed by the base model, so a run
needs no saved state of it to resume. N probes, B probes of a forward pass, T tokens, H width, P
dimensions of S.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from repro.manifest.training import Csr, Penalty
from repro.train.batches import Batch, pad, tokenise_probe
from repro.train.loss import decoder_and_head, precision
from repro.train.model import without_dropout

PROBES_PER_PASS = 8
"""Probes of similar length per forward pass. It limits the memory of the penalty's gradient."""


@dataclass(frozen=True)
class ProbeBatch:
    """The probes of one forward pass."""

    batch: Batch
    kept: Tensor
    """B×T: 1 on tokens that are averaged: real ones except special tokens (§2)."""
    rows: tuple[int, ...]
    """Indices of these probes."""


@dataclass(frozen=True)
class Regularizer:
    """The penalty of one run: its fixed parts, and its strength."""

    penalty: Penalty
    every: int
    compute: str
    batches: tuple[ProbeBatch, ...]
    base: Tensor
    """N×H: h⁰."""
    subspace: Tensor
    """H×P: S."""

    @property
    def probes(self) -> int:
        """Return N, the number of probes behind the penalty."""
        return len(self.base)

    def due(self, step: int) -> bool:
        """Return whether the penalty applies at optimizer step `step` (the first is 1)."""
        return step % self.every == 0

    def add(self, model: nn.Module) -> float:
        """Return the penalty λ(1/N)Σ‖P⊥(hᵗ − h⁰)‖².

        If it is attached, add its gradient to the parameters'.
        """
        total = 0.0
        attached = self.penalty.gradient == "attached"
        with without_dropout(model), torch.set_grad_enabled(attached):
            for part in self.batches:
                moved_BH = pooled(model, part, self.compute) - self.base[list(part.rows)]
                outside_BH = moved_BH - moved_BH @ self.subspace @ self.subspace.T
                loss = self.penalty.strength / self.probes * outside_BH.square().sum()
                if attached:
                    loss.backward()
                total += float(loss.detach())
        return total


def regularizer(
    base: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    target: Sequence[bool],
    settings: Csr,
    penalty: Penalty,
    compute: str,
) -> Regularizer:
    """Build the penalty around the model, which must still be the base model.

    `texts`, `target`: every probe, and whether it belongs to the target domain.
    """
    batches = _batches(tokenizer, texts)
    with torch.no_grad(), without_dropout(base):
        rows = [(row, pooled_H) for part in batches for row, pooled_H in _rows(base, part, compute)]
    base_NH = torch.stack([pooled_H for _, pooled_H in sorted(rows, key=lambda item: item[0])])
    subspace_HP = target_subspace(
        base_NH[torch.tensor(target, device=base_NH.device)], settings.variance
    )
    return Regularizer(penalty, settings.every, compute, batches, base_NH, subspace_HP)


def target_subspace(X_NH: Tensor, variance: float) -> Tensor:
    """Return H×P orthonormal columns that span the target's subspace.

    They are the fewest principal directions of X that hold `variance` of its variance. Computed
    on the CPU, wherever X is: CUDA has no deterministic cumulative sum.
    """
    X64_NH = X_NH.cpu().double()
    centred_NH = X64_NH - X64_NH.mean(dim=0)
    _, values, directions_PH = torch.linalg.svd(centred_NH, full_matrices=False)
    held = values.square().cumsum(0) / values.square().sum()
    # The slack keeps rounding from adding a direction where the share is met exactly.
    needed = int((held < variance - 1e-12).sum()) + 1
    subspace_HP: Tensor = directions_PH[:needed].T.to(X_NH.device, X_NH.dtype).contiguous()
    return subspace_HP


def pooled(model: nn.Module, part: ProbeBatch, compute: str) -> Tensor:
    """Return B×H float32: the mean of the final-norm hidden state over each probe's tokens (§2)."""
    decoder, _ = decoder_and_head(model)
    device = next(model.parameters()).device
    with precision(device, compute):
        hidden_BTH = decoder(
            input_ids=part.batch.ids.to(device),
            attention_mask=part.batch.mask.to(device),
            use_cache=False,
        ).last_hidden_state
    weight_BT1 = part.kept.to(hidden_BTH.device)[..., None].float()
    pooled_BH: Tensor = (hidden_BTH.float() * weight_BT1).sum(dim=1) / weight_BT1.sum(dim=1)
    return pooled_BH


def _rows(model: nn.Module, part: ProbeBatch, compute: str) -> list[tuple[int, Tensor]]:
    """Return (probe's index, its pooled activation) for each probe of a pass."""
    return list(zip(part.rows, pooled(model, part, compute), strict=True))


def _batches(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> tuple[ProbeBatch, ...]:
    """Return the probes in passes of similar length.

    Their order depends on the texts alone.
    """
    encoded = [tokenise_probe(tokenizer, text) for text in texts]
    by_length = sorted(range(len(texts)), key=lambda row: (len(encoded[row][0]), row))
    passes = [
        by_length[start : start + PROBES_PER_PASS]
        for start in range(0, len(by_length), PROBES_PER_PASS)
    ]
    return tuple(
        ProbeBatch(
            batch=pad([encoded[row][0] for row in rows]),
            kept=pad([[1 - special for special in encoded[row][1]] for row in rows]).ids,
            rows=tuple(rows),
        )
        for rows in passes
    )
