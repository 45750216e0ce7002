"""Put on a base model what its protocol trains, and count what that is (docs/SCIENCE.md §9)."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import torch
from torch import nn
from transformers import PreTrainedModel

from repro.cost.memory import uses_fused_layers
from repro.errors import InputError, SetupError
from repro.evidence.measurement import Measurement, measured
from repro.manifest.adapters import BlockDiagonal, Full, Lora, Mps
from repro.manifest.training import Training
from repro.train.adapters.block_diagonal import Group, add_block_diagonal, blocks_of
from repro.train.adapters.mps import add_mps
from repro.train.model import add_lora, save_memory, trainable


def trained_rows(model: nn.Module) -> Iterator[Measurement]:
    """Yield the counts of trainable parameters, and of trainable tensors with two axes.

    Of a block-diagonal adapter also the directions and the rank of each group.
    """
    trained = list(trainable(model).values())
    yield measured(
        sum(value.numel() for value in trained), quantity="trainable_parameters", step=0, n=1
    )
    yield measured(
        sum(value.dim() == 2 for value in trained), quantity="trainable_matrices", step=0, n=1
    )
    for blocks in list(blocks_of(model).values())[:1]:  # the groups of all layers are the same
        for name, size, rank in zip(blocks.names, blocks.sizes, blocks.ranks, strict=True):
            yield measured(size, quantity="group_directions", step=0, n=1, concept=name)
            yield measured(rank, quantity="group_rank", step=0, n=1, concept=name)


def adapt(
    base: PreTrainedModel, training: Training, seed: int, groups: Sequence[Group] = ()
) -> nn.Module:
    """Return `base` ready to be trained; initial values depend on `seed` alone.

    `groups` are those of a block-diagonal adapter.
    """
    if training.kernels == "counted":
        _check_kernels(training)
    match training.trained:
        case BlockDiagonal() as adapter:
            save_memory(base, training)
            return add_block_diagonal(base, adapter, groups, seed)
        case Full():
            save_memory(base, training)
            return base.requires_grad_(True)
        case Lora() as adapter:
            return add_lora(base, adapter, training, seed)
        case Mps() as adapter:
            return add_mps(base, adapter, training, seed)


def _check_kernels(training: Training) -> None:
    """Raise InputError where counted kernels compute nothing, SetupError where they are missing."""
    if not uses_fused_layers(training):
        raise InputError(
            "field training.kernels: counted, but only LoRA and MPS over 4-bit weights have such "
            f"kernels, found {training.trained.kind} over {training.quantisation.format}; set it "
            "to torch"
        )
    if torch.cuda.is_available() and find_spec("triton") is None:
        raise SetupError(
            "field training.kernels: counted, which Triton computes on a card, and it is not "
            "installed; install PyTorch's CUDA build with it (TORCH=cuda make setup), or set it "
            "to torch"
        )
