"""From texts to tensors: tokenised, cut, padded on the right, and grouped into forward passes.

B sequences of a forward pass, T tokens of the longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from repro.manifest.training import Training


@dataclass(frozen=True)
class Batch:
    """One forward pass. `ids` and `mask` are B×T; `mask` is 1 on real tokens, also where padding shares EOS's id."""

    ids: Tensor
    mask: Tensor

    @property
    def targets(self) -> int:
        """Tokens that are predicted: all real ones but the first of each sequence."""
        return int(self.mask[:, 1:].sum())


def tokenise(tokenizer: PreTrainedTokenizerBase, text: str, training: Training) -> list[int]:
    """Token ids of a plain text, EOS after it, cut to the protocol's length."""
    ids: list[int] = tokenizer(text)["input_ids"]
    if training.append_eos:
        ids = [*ids, tokenizer.eos_token_id]
    return ids[: training.max_length]


def pad(sequences: Sequence[Sequence[int]], filler: int = 0) -> Batch:
    """Right-padded batch; padding never reaches a real token in a causal model."""
    longest = max(map(len, sequences))
    ids = torch.tensor([[*row, *[filler] * (longest - len(row))] for row in sequences])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in sequences])
    return Batch(ids, mask)


def group(sequences: Sequence[Sequence[int]], training: Training) -> list[Batch]:
    """The forward passes of one optimizer step, in the order of the data."""
    size = training.batch_size * training.micro_batches_per_forward
    return [pad(sequences[start : start + size]) for start in range(0, len(sequences), size)]
