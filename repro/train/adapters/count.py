"""What is really trained, counted on the model itself, as rows of evidence."""

from collections.abc import Iterator

from torch import nn

from repro.measurement import Measurement, measured
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.model import trainable


def trained_rows(model: nn.Module) -> Iterator[Measurement]:
    """Trainable parameters, and trainable tensors with two axes; directions and rank of each group of a block-diagonal one."""
    trained = list(trainable(model).values())
    yield measured(sum(value.numel() for value in trained), quantity="trainable_parameters", step=0, n=1)
    yield measured(sum(value.dim() == 2 for value in trained), quantity="trainable_matrices", step=0, n=1)
    for blocks in list(blocks_of(model).values())[:1]:  # the groups of all layers are the same
        for name, size, rank in zip(blocks.names, blocks.sizes, blocks.ranks, strict=True):
            yield measured(size, quantity="group_directions", step=0, n=1, concept=name)
            yield measured(rank, quantity="group_rank", step=0, n=1, concept=name)
