"""Measure the loss on texts kept out of training: whether a domain was learnt at all."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from repro.evidence.measurement import Measurement, measured
from repro.manifest.training import Training
from repro.train.batches import group
from repro.train.loss import decoder_and_head, token_losses
from repro.train.model import without_dropout
from repro.train.packed import attention


@torch.no_grad()
def heldout_losses(
    model: nn.Module,
    sequences: Mapping[str, Sequence[Sequence[int]]],
    training: Training,
    step: int,
) -> list[Measurement]:
    """Return the mean cross-entropy per token (nats) of each domain's held-out sequences.

    Dropout is off.
    """
    rows = []
    with without_dropout(model), attention(decoder_and_head(model)[0], training):
        for domain, held in sequences.items():
            losses = torch.cat(
                [token_losses(model, batch, training.compute) for batch in group(held, training)]
            )
            rows.append(
                measured(
                    float(losses.double().mean()),
                    quantity="heldout_loss",
                    step=step,
                    n=len(losses),
                    concept=domain,
                )
            )
    return rows
