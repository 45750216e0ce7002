"""Loss on texts kept out of training, by domain: whether a domain was learnt at all."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from repro.manifest.training import Training
from repro.measurement import Measurement, measured
from repro.train.batches import group
from repro.train.loss import token_losses
from repro.train.model import without_dropout


@torch.no_grad()
def heldout_losses(
    model: nn.Module, sequences: Mapping[str, Sequence[Sequence[int]]], training: Training, step: int
) -> list[Measurement]:
    """Mean cross-entropy per token (nats) of each domain's held-out sequences, without dropout."""
    rows = []
    with without_dropout(model):
        for domain, held in sequences.items():
            losses = torch.cat([token_losses(model, batch, training.compute) for batch in group(held, training)])
            rows.append(
                measured(
                    float(losses.double().mean()), quantity="heldout_loss", step=step, n=len(losses), concept=domain
                )
            )
    return rows
