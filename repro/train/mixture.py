"""Decide which text is trained on when: exact shares, in an order fixed by the seed.

The order depends on the phases, the number of texts and the seed alone, never on tokens, workers or
time (docs/SCIENCE.md §9: 70/30 by examples, the sources of one domain in equal shares). Shares by
tokens need lengths, and so also depend on the tokenizer.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from repro.errors import InputError
from repro.manifest.training import Phase
from repro.plan.texts import require_heldout

Texts = Mapping[str, Sequence[Sequence[str]]]
"""Per domain, per source: the texts to train on."""


def split(source: str, texts: Sequence[str], heldout: int) -> tuple[list[str], list[str]]:
    """Return (other texts, held-out texts).

    Held-out texts are evenly spaced, so both parts cover the whole source. Raises InputError
    when the source has too few texts.
    """
    if heldout == 0:
        return list(texts), []
    require_heldout(source, len(texts), heldout)
    stride = max(2, len(texts) // heldout)
    chosen = range(0, len(texts), stride)[:heldout]
    return [text for index, text in enumerate(texts) if index not in chosen], [
        texts[index] for index in chosen
    ]


def order(phases: Sequence[Phase], texts: Texts, per_step: int, seed: int) -> list[tuple[str, str]]:
    """Return (domain, text) of every sequence of a run, step after step.

    `per_step`: sequences per optimizer step. Shares are exact over each phase (largest
    remainders).
    """
    draws = _draws(texts, seed)
    sequence: list[tuple[str, str]] = []
    for number, phase in enumerate(phases):
        counts = exact_counts(phase.mixture, phase.steps * per_step)
        names = np.repeat(np.array(sorted(counts)), [counts[name] for name in sorted(counts)])
        # Random streams are keyed by purpose (1 order, 2 texts, 3 dropout), so that none
        # shifts another.
        np.random.default_rng([seed, 1, number]).shuffle(names)
        sequence += [(str(name), draws[str(name)].take()) for name in names]
    return sequence


def order_by_tokens(
    phases: Sequence[Phase], texts: Texts, per_step: int, seed: int, length: Callable[[str], int]
) -> list[tuple[str, str]]:
    """Return the same as `order`, with shares counted in tokens.

    Each sequence comes from the domain that is furthest behind its share. `length`: tokens of a
    text as it is trained on. With two domains each is within the longest text of its share at
    every point of a phase.
    """
    draws = _draws(texts, seed)
    sequence: list[tuple[str, str]] = []
    for phase in phases:
        taken = dict.fromkeys(sorted(phase.mixture), 0)
        for _ in range(phase.steps * per_step):
            total = sum(taken.values())
            name = max(taken, key=lambda domain: phase.mixture[domain] * total - taken[domain])
            text = draws[name].take()
            taken[name] += length(text)
            sequence.append((name, text))
    return sequence


def exact_counts(mixture: Mapping[str, float], total: int) -> dict[str, int]:
    """Return how many of `total` examples each domain gets.

    Counts are rounded down; the rest go to the largest remainders.
    """
    exact = {name: share * total for name, share in mixture.items()}
    counts = {name: int(np.floor(value + 1e-9)) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (counts[name] - exact[name], name))
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _draws(texts: Texts, seed: int) -> dict[str, "_Draws"]:
    """Return what draws the texts of each domain. Raises InputError for a source without texts."""
    for domain, sources in texts.items():
        if not all(sources):
            raise InputError(
                f"domain {domain}: found a source with no text left to train on, needed is "
                "one at least beside those held "
                "out; bring more texts or lower `heldout`"
            )
    return {
        domain: _Draws(sources, seed, index)
        for index, (domain, sources) in enumerate(sorted(texts.items()))
    }


class _Draws:
    """Texts of one domain: its sources in turn, each in a shuffled order.

    An order starts again when it is used up.
    """

    def __init__(self, sources: Sequence[Sequence[str]], seed: int, index: int) -> None:
        self._sources = sources
        self._orders = [np.random.default_rng([seed, 2, index, s]) for s in range(len(sources))]
        self._waiting: list[list[int]] = [[] for _ in sources]
        self._taken = 0

    def take(self) -> str:
        """Return the next text."""
        source = self._taken % len(self._sources)
        self._taken += 1
        if not self._waiting[source]:
            self._waiting[source] = (
                self._orders[source].permutation(len(self._sources[source])).tolist()
            )
        return self._sources[source][self._waiting[source].pop()]
