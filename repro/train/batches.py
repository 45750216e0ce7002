"""Turn texts into tensors: tokenised, cut, padded on the right, and grouped into forward passes.

B sequences of a forward pass, T tokens of the longest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from repro.errors import InputError
from repro.manifest.training import Training
from repro.train.packed import Packed, pack


@dataclass(frozen=True)
class Batch:
    """One forward pass.

    `ids` and `mask` are B×T; `mask` is 1 on real tokens, also where padding shares EOS's id.
    """

    ids: Tensor
    mask: Tensor

    @property
    def predicted(self) -> Tensor:
        """Return which tokens but each row's first are predicted (B × T−1): all real ones."""
        return self.mask[:, 1:].bool()

    @property
    def targets(self) -> int:
        """Return the number of predicted tokens: all real ones but the first of each sequence."""
        return int(self.mask[:, 1:].sum())

    @property
    def targets_of_each(self) -> Tensor:
        """Return the number of predicted tokens of each sequence (B)."""
        return self.mask[:, 1:].sum(dim=1)

    def inputs(self, device: torch.device) -> dict[str, Any]:
        """Return a decoder's arguments. It needs no mask: padding is on the right."""
        return {"input_ids": self.ids.to(device)}


def tokenise(tokenizer: PreTrainedTokenizerBase, text: str, training: Training) -> list[int]:
    """Return the ids of a text as it is trained on, cut to the protocol's length.

    It begins with what the tokenizer itself puts in front (BOS for Llama, Mistral, CodeLlama
    and DeepSeek, nothing for Qwen) and ends with one EOS where `append_eos` says so, whatever
    the tokenizer would add. Raises InputError when EOS is required and the tokenizer has none.
    """
    end = []
    if training.append_eos:
        if tokenizer.eos_token_id is None:
            raise InputError(
                "field training.append_eos: true, but the model's tokenizer has no "
                "end-of-text token; set it to "
                "false, or name a model whose tokenizer has one"
            )
        end = [tokenizer.eos_token_id]
    return [*_around(tokenizer)[0], *_text_ids(tokenizer, text), *end][: training.max_length]


def tokenise_probe(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[int]]:
    """Return (ids, mask of special tokens) of a text as a model gets it (docs/SCIENCE.md §2).

    Only what the tokenizer adds is special: a text that spells a special token keeps its
    characters.
    """
    (before, after), ids = _around(tokenizer), _text_ids(tokenizer, text)
    return [*before, *ids, *after], [*[1] * len(before), *[0] * len(ids), *[1] * len(after)]


def _text_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the ids of the text alone.

    "<|endoftext|>" in it is thirteen characters, not the end of a text.
    """
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True)[
        "input_ids"
    ]
    return ids


def _around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the ids that the tokenizer puts before and after a text.

    They are found on a text of one letter. Raises InputError for a tokenizer that reads the
    text differently when it adds its own tokens.
    """
    whole, inner = tokenizer("a")["input_ids"], _text_ids(tokenizer, "a")
    start = next(
        (at for at in range(len(whole)) if inner and whole[at : at + len(inner)] == inner), None
    )
    if start is None:
        raise InputError(
            f"the model's tokenizer reads 'a' as {inner} alone and as {whole} with its own "
            "tokens, so where a text "
            "begins cannot be told; such a model cannot be trained here: name another model"
        )
    return whole[:start], whole[start + len(inner) :]


def pad(sequences: Sequence[Sequence[int]], filler: int = 0) -> Batch:
    """Return a right-padded batch. Padding never reaches a real token in a causal model."""
    longest = max(map(len, sequences))
    ids = torch.tensor([[*row, *[filler] * (longest - len(row))] for row in sequences])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in sequences])
    return Batch(ids, mask)


def group(sequences: Sequence[Sequence[int]], training: Training) -> list[Batch | Packed]:
    """Return the forward passes of one optimizer step.

    A pass has at most `tokens_per_forward` tokens with padding, unless it is one sequence. A
    pass without predicted tokens is left out: it has no loss.
    """
    batches = [
        [sequences[row] for row in rows] for rows in training.passes(list(map(len, sequences)))
    ]
    lay = pack if training.packing == "packed" else pad
    return [lay(batch) for batch in batches if _predicting(batch)]


def check_predicting(sequences: Sequence[Sequence[int]], where: str) -> None:
    """Raise InputError when no sequence has a predicted token: there would be no loss."""
    if not _predicting(sequences):
        raise InputError(
            f"{where}: found no text of two tokens or more among {len(sequences)}, and the "
            "first token of a text is never "
            "predicted; bring longer texts, or set `append_eos: true`"
        )


def check_embedded(
    sequences: Iterable[Sequence[int]], tokenizer: PreTrainedTokenizerBase, rows: int, where: str
) -> None:
    """Raise InputError naming a token without an embedding.

    `rows`: number of the model's embeddings.
    """
    beyond = next((token for row in sequences for token in row if token >= rows), None)
    if beyond is not None:
        name = tokenizer.convert_ids_to_tokens(beyond)
        raise InputError(
            f"{where}: the tokenizer gives token {name!r} the id {beyond}, but the model has "
            f"{rows} embeddings; the "
            "tokenizer is not the model's own: name a source whose files belong together"
        )


def _predicting(sequences: Sequence[Sequence[int]]) -> bool:
    """Return whether any sequence has a predicted token."""
    return any(len(row) > 1 for row in sequences)
