"""From texts to tensors: tokenised, cut, padded on the right, and grouped into forward passes.

B sequences of a forward pass, T tokens of the longest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from repro.errors import InputError
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
    """Return the ids of a text as it is trained on, cut to the protocol's length.

    It begins with what the tokenizer itself puts in front (BOS for Llama, Mistral, CodeLlama and DeepSeek, nothing for
    Qwen) and ends with one EOS where `append_eos` says so, whatever the tokenizer would add. Raises InputError
    when EOS is asked for and the tokenizer has none.
    """
    end = []
    if training.append_eos:
        if tokenizer.eos_token_id is None:
            raise InputError(
                "field training.append_eos: true, but the model's tokenizer has no end-of-text token; set it to "
                "false, or name a model whose tokenizer has one"
            )
        end = [tokenizer.eos_token_id]
    return [*_around(tokenizer)[0], *_text_ids(tokenizer, text), *end][: training.max_length]


def tokenise_probe(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[int]]:
    """Return (ids, mask of special tokens) of a text as the tokenizer gives it to a model (docs/SCIENCE.md §2).

    Only what the tokenizer adds is special: a text that spells a special token keeps its characters.
    """
    (before, after), ids = _around(tokenizer), _text_ids(tokenizer, text)
    return [*before, *ids, *after], [*[1] * len(before), *[0] * len(ids), *[1] * len(after)]


def _text_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the ids of the text alone: "<|endoftext|>" in it is thirteen characters, not the end of a text."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return ids


def _around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the ids that the tokenizer puts before and after a text, seen on a text of one letter.

    Raises InputError for a tokenizer that reads a text otherwise between its own tokens.
    """
    whole, inner = tokenizer("a")["input_ids"], _text_ids(tokenizer, "a")
    start = next((at for at in range(len(whole)) if inner and whole[at : at + len(inner)] == inner), None)
    if start is None:
        raise InputError(
            f"the model's tokenizer reads 'a' as {inner} alone and as {whole} with its own tokens, so where a text "
            "begins cannot be told; name another source"
        )
    return whole[:start], whole[start + len(inner) :]


def pad(sequences: Sequence[Sequence[int]], filler: int = 0) -> Batch:
    """Right-padded batch; padding never reaches a real token in a causal model."""
    longest = max(map(len, sequences))
    ids = torch.tensor([[*row, *[filler] * (longest - len(row))] for row in sequences])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in sequences])
    return Batch(ids, mask)


def group(sequences: Sequence[Sequence[int]], training: Training) -> list[Batch]:
    """The forward passes of one optimizer step: sequences of similar length, so many padded tokens at most.

    A pass in which no token is predicted is left out: it has no loss.
    """
    batches = [[sequences[row] for row in rows] for rows in passes(list(map(len, sequences)), training)]
    return [pad(batch) for batch in batches if _predicting(batch)]


def check_predicting(sequences: Sequence[Sequence[int]], where: str) -> None:
    """Raises InputError when no token of all these is predicted: there is no loss to train on or to measure."""
    if not _predicting(sequences):
        raise InputError(
            f"{where}: found no text of two tokens or more among {len(sequences)}, and the first token of a text is never "
            "predicted; bring longer texts, or set `append_eos: true`"
        )


def check_embedded(
    sequences: Iterable[Sequence[int]], tokenizer: PreTrainedTokenizerBase, rows: int, where: str
) -> None:
    """Raises InputError naming a token that the model has no embedding for; `rows`: embeddings of the model."""
    beyond = next((token for row in sequences for token in row if token >= rows), None)
    if beyond is not None:
        name = tokenizer.convert_ids_to_tokens(beyond)
        raise InputError(
            f"{where}: the tokenizer gives token {name!r} the id {beyond}, but the model has {rows} embeddings; the "
            "tokenizer is not the model's own: name a source whose files belong together"
        )


def _predicting(sequences: Sequence[Sequence[int]]) -> bool:
    return any(len(row) > 1 for row in sequences)


def passes(lengths: Sequence[int], training: Training) -> list[list[int]]:
    """Which sequences share a forward pass; the longest pass, which takes the most memory, comes first."""
    found: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        if found and lengths[found[-1][0]] * (len(found[-1]) + 1) <= training.tokens_per_forward:
            found[-1].append(row)
        else:
            found.append([row])
    return found
