"""Keep held-out texts out of training, compared as the token sequences that training would see.

Two different texts are one sequence when they agree up to the length at which they are cut, or
where the tokenizer reads both the same. To be certain every text would have to be tokenised. But a
text whose visible beginning differs from every held-out one cannot be the same sequence, so most
are never tokenised.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from transformers import PreTrainedTokenizerBase

Encode = Callable[[str], Sequence[int]]
FIRST = 8
"""Visible characters by which texts are indexed before they are compared."""


class HeldOut:
    """The held-out texts of a run, as sequences."""

    def __init__(
        self, texts: Iterable[str], encode: Encode, tokenizer: PreTrainedTokenizerBase
    ) -> None:
        self._encode = encode
        self._sequences = {tuple(encode(text)) for text in texts}
        self._beginnings: dict[str, set[str]] = defaultdict(set)
        for sequence in self._sequences:
            beginning = _visible(_covered(sequence, tokenizer))
            self._beginnings[beginning[:FIRST]].add(beginning)
        self._lengths = sorted({len(first) for first in self._beginnings})
        unknown = tokenizer.unk_token_id
        # An unknown token stands for any character, so a text's beginning is unknown.
        self._blind = unknown != tokenizer.eos_token_id and any(
            unknown in sequence for sequence in self._sequences
        )

    def holds(self, text: str) -> bool:
        """Return whether training on the text would be training on a held-out sequence."""
        return (
            bool(self._sequences)
            and self._possible(text)
            and tuple(self._encode(text)) in self._sequences
        )

    def _possible(self, text: str) -> bool:
        """Return whether a text's visible beginning is that of a held-out sequence."""
        if self._blind:
            return True
        seen = _visible(text, FIRST)
        firsts = [seen[:length] for length in self._lengths]
        near = [beginning for first in firsts for beginning in self._beginnings.get(first, ())]
        return bool(near) and any(
            _visible(text, len(beginning)).startswith(beginning) for beginning in near
        )


def _covered(sequence: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the text that a cut sequence covers.

    Special tokens and a partial character at its end are left out.
    """
    special, ids = set(tokenizer.all_special_ids), list(sequence)
    while ids and ids[-1] in special:
        ids.pop()
    while ids and ids[0] in special:
        ids.pop(0)
    return str(tokenizer.decode(ids)).rstrip("\ufffd")


def _visible(text: str, most: int | None = None) -> str:
    """Return letters and digits only, without case or accents.

    No tokenizer's normalisation removes these. `most`: stop after this many.
    """
    if most is not None:
        found = ""
        for start in range(0, len(text), 256):
            found += _visible(text[start : start + 256])
            if len(found) >= most:
                break
        return found
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())
