"""Select a source's texts for a recipe by rules alone (repro/manifest/recipe.py).

The order of records does not matter.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from repro.manifest.probes import ProbeLimits
from repro.manifest.recipe import Recipe, RecipeSource
from repro.probecheck.texts import jaccard, occurrences, trigrams, words

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def selected_text(record: Mapping[str, Any], source: RecipeSource) -> str:
    """Return the text of one record after the source's replacements, with single spaces.

    Empty if a field is missing.
    """
    text = "\n".join(part for field in source.fields for part in _parts(record, field.split(".")))
    for pattern, replacement in source.replace.items():
        text = re.sub(pattern, replacement, text)
    return " ".join(text.split())


def _parts(value: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield the texts of a field, given by its path."""
    if isinstance(value, list):
        for item in value:
            yield from _parts(item, path)
    elif path:
        yield from _parts(value.get(path[0]), path[1:]) if isinstance(value, Mapping) else ()
    elif isinstance(value, str):
        yield value


def admitted_texts(texts: Iterable[str], source: RecipeSource) -> list[str]:
    """Return each distinct text that the source's own rules admit, in the order of its SHA-256.

    This order is arbitrary and the same on every machine, whatever order the records have.
    """
    keep, drop = re.compile(source.keep), re.compile(source.drop or r"(?!)")
    found = {text for text in texts if text and keep.search(text) and not drop.search(text)}
    return sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())


def excerpt(text: str, length: int, tolerance: int) -> str | None:
    """Return the first whole sentences of a text with `length` words within `tolerance`.

    None when there are none.
    """
    sentences = _SENTENCE_END.split(text)
    for count, total in enumerate(accumulate(len(sentence.split()) for sentence in sentences), 1):
        if abs(total - length) <= tolerance and sentences[count - 1][-1:] in (".", "!", "?"):
            return " ".join(sentences[:count])
        if total > length + tolerance:
            return None
    return None


class Selection:
    """The texts selected so far, and the test whether another may join them."""

    def __init__(self, recipe: Recipe, limits: ProbeLimits, label_words: Iterable[str]) -> None:
        self._recipe, self._limits, self._label_words = recipe, limits, tuple(label_words)
        self._openings: set[tuple[str, ...]] = set()
        self._trigrams: list[set[tuple[str, str, str]]] = []

    def take(self, ordered: Sequence[str]) -> list[str]:
        """Return one text of each length from a source's admitted texts; fewer if it runs out."""
        used: set[int] = set()
        taken = []
        for length in self._recipe.lengths:
            for index, text in enumerate(ordered):
                part = None if index in used else excerpt(text, length, self._recipe.tolerance)
                if part is not None and self._joins(part):
                    used.add(index)
                    taken.append(part)
                    break
        return taken

    def _joins(self, text: str) -> bool:
        """Return whether a text may be taken, and if so remember it."""
        opening = tuple(words(text)[: self._limits.openings or 0])
        shared, most = trigrams(text), self._limits.jaccard
        if occurrences(text, self._label_words) or (opening and opening in self._openings):
            return False
        if most is not None and any(jaccard(shared, other) > most for other in self._trigrams):
            return False
        self._openings.add(opening)
        self._trigrams.append(shared)
        return True
