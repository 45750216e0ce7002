"""Derive the groups of a block-diagonal adapter from the base model (docs/SCIENCE.md §9).

They are the terminal layer's activations of the manifest's probes, captured before any adapter is
added, with the manifest's reading but without its scale setting. A run that resumes from a saved
state therefore finds the same groups again.
"""

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from repro.diagnose.capture import Reading, capture
from repro.errors import InputError
from repro.geometry.diagnosis import diagnose
from repro.geometry.groups import concept_groups, group_directions
from repro.manifest.adapters import BlockDiagonal
from repro.manifest.experiment import Diagnostics
from repro.manifest.probes import ProbeSet
from repro.train.adapters.block_diagonal import Group


def base_groups(
    base: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    probes: ProbeSet,
    diagnostics: Diagnostics,
    adapter: BlockDiagonal,
) -> tuple[Group, ...]:
    """Return the concepts and directions of each group.

    Raises InputError when no direction is informative.
    """
    reading = Reading.of(diagnostics)
    geometry = diagnose(
        capture(base, tokenizer, probes.texts(), [reading])[reading], probes.labels()
    )
    groups = concept_groups(geometry, adapter.grouping)
    if not groups:
        raise InputError(
            "the base model has no informative direction to write along; choose another adapter"
        )
    return tuple(
        Group(group, torch.from_numpy(group_directions(geometry, group)).float())
        for group in groups
    )
