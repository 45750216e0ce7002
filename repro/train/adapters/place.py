"""Put on a base model what its protocol trains (docs/SCIENCE.md §9)."""

from collections.abc import Sequence

from torch import nn
from transformers import PreTrainedModel

from repro.manifest.training import BlockDiagonal, Full, Training
from repro.train.adapters.block_diagonal import Group, add_block_diagonal
from repro.train.model import add_lora, save_memory


def adapt(base: PreTrainedModel, training: Training, seed: int, groups: Sequence[Group] = ()) -> nn.Module:
    """`base` ready to be trained; initial values depend on `seed` alone. `groups`: of a block-diagonal adapter."""
    adapter = training.trained
    if isinstance(adapter, BlockDiagonal):
        save_memory(base, training)
        return add_block_diagonal(base, adapter, groups, seed)
    if isinstance(adapter, Full):
        save_memory(base, training)
        return base.requires_grad_(True)
    return add_lora(base, training, seed)
