"""Count words and character n-grams of texts, and what two texts share.

N texts, F features. Words are runs of letters and digits, with inner apostrophes, case folded.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

from repro.geometry.undefined import Array

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
MASK = "maskedword"
"""Replaces a masked word, so that the number and positions of words stay."""

_GRAMMAR = """
a an the this that these those such same other another each every either neither both all any some no none
i me my mine we us our ours you your yours he him his she her hers it its they them their theirs one ones
myself yourself himself herself itself ourselves themselves who whom whose which what whatever whoever whichever
somebody someone something anybody anyone anything everybody everyone everything nobody nothing
and or but nor so yet for because since although though while whereas whether if unless until than as when where
why how once before after that's there here then thus hence therefore consequently accordingly however moreover
of in on at by to from with without within into onto upon over under above below between among through during
against about across along around behind beside besides beyond down up off out near per toward towards via like
is am are was were be been being has have had having do does did doing done will would shall should can could may
might must ought need let's not never only just also too very quite even still again ever already almost rather
more most less least much many few several enough own well now oh ah yes yeah no ok okay right hm um eh
it's he's she's what's who's there's here's where's how's i'm i'd i'll i've you're you'd you'll you've we're we'd
we'll we've they're they'd they'll they've isn't aren't wasn't weren't don't doesn't didn't won't wouldn't can't
couldn't shouldn't hasn't haven't hadn't mustn't
"""
FUNCTION_WORDS = frozenset(_GRAMMAR.split())
"""English words that carry grammar rather than topic."""


def words(text: str) -> list[str]:
    """Return the words of a text in order."""
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def _counts(documents: Iterable[Iterable[str]]) -> Array:
    """Return N × F: ln(1 + occurrences) of every feature, features in sorted order."""
    counted = [Counter(document) for document in documents]
    columns = {feature: at for at, feature in enumerate(sorted(set().union(*counted)))}
    matrix = np.zeros((len(counted), len(columns)))
    for row, counter in enumerate(counted):
        for feature, times in counter.items():
            matrix[row, columns[feature]] = times
    return np.log1p(matrix)


def bag_of_words(texts: Sequence[str]) -> Array:
    """Return N × F: log counts of words."""
    return _counts(words(text) for text in texts)


def character_ngrams(texts: Sequence[str]) -> Array:
    """Return N × F: log counts of runs of 2, 3 and 4 characters that occur in at least two
    texts.
    """
    documents = [list(_ngrams(" ".join(text.casefold().split()))) for text in texts]
    texts_with = Counter(ngram for document in documents for ngram in set(document))
    return _counts([ngram for ngram in document if texts_with[ngram] > 1] for document in documents)


def _ngrams(text: str) -> Iterator[str]:
    """Yield the runs of 2, 3 and 4 characters of a text."""
    for size in (2, 3, 4):
        for start in range(len(text) - size + 1):
            yield text[start : start + size]


def function_words_only(texts: Sequence[str]) -> Array:
    """Return N × F: log counts of words, every content word masked."""
    return _counts(
        [word if word in FUNCTION_WORDS else MASK for word in words(text)] for text in texts
    )


def content_words_only(texts: Sequence[str]) -> Array:
    """Return N × F: log counts of words, every function word masked."""
    return _counts(
        [MASK if word in FUNCTION_WORDS else word for word in words(text)] for text in texts
    )


def closest_pair(texts: Sequence[str]) -> tuple[float, int, int]:
    """Return the largest Jaccard similarity of word trigrams between two texts, and the rows of
    the two.
    """
    found = [trigrams(text) for text in texts]
    return max((jaccard(found[a], found[b]), a, b) for a, b in combinations(range(len(texts)), 2))


def trigrams(text: str) -> set[tuple[str, str, str]]:
    """Return the runs of three words of a text."""
    found = words(text)
    return set(zip(found, found[1:], found[2:], strict=False))


def jaccard(first: set[tuple[str, str, str]], second: set[tuple[str, str, str]]) -> float:
    """Return the share of their elements that two sets have in common; 0 for two empty sets."""
    return len(first & second) / len(first | second) if first or second else 0.0


def occurrences(text: str, patterns: Iterable[str]) -> list[str]:
    """Return the words of a text that match a pattern.

    A pattern is a word, or with a trailing ``*`` the beginning of words.
    """
    exact = {pattern.casefold() for pattern in patterns if not pattern.endswith("*")}
    stems = tuple(pattern[:-1].casefold() for pattern in patterns if pattern.endswith("*"))
    return [word for word in words(text) if word in exact or (stems and word.startswith(stems))]
