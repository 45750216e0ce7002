"""What a paper itself prints about a cell: its spread over seeds, the value it started from, the effect it claims.

Judging one number needs these other prints (docs/SCIENCE.md §13). They are claims too, so they are frozen into the
evidence with the rest; nothing here is measured.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from repro.manifest.claim import Claim, Scalar, Term, normal_selector
from repro.verify.columns import tidy_sd

Key = tuple[str, frozenset[tuple[str, Scalar]]]
SAID_TWICE = ("single", "mean", "median")
TRAJECTORIES = ("collapse_step", "recovery")
"""Statistics of a whole trajectory of entanglement intensities; also quantities of their own (docs/SCIENCE.md §11)."""
NEUTRAL = {"difference": 0.0, "relative_change": 0.0, "orders_of_magnitude": 0.0, "z": 0.0, "ratio": 1.0}
"""The value of a comparison when nothing happened."""


def cell_key(quantity: str, selector: Mapping[str, Scalar]) -> Key:
    """One cell whatever its seed, with what does not matter at step 0 left out; B0 is the base model at any step."""
    if selector.get("condition") == "B0":
        selector = {**selector, "step": 0}
    kept = {key: value for key, value in normal_selector(selector).items() if key != "seed"}
    return quantity, frozenset(kept.items())


class Prints:
    """The printed numbers of one paper, by cell."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._by_seed: dict[Key, dict[Scalar, float]] = defaultdict(dict)
        self._sd: dict[Key, float] = {}
        self._seeds: dict[Key, int] = {}
        self._value: dict[Key, float] = {}
        self._levels: dict[Key, tuple[Scalar, ...]] = {}
        self._range: dict[tuple[str, str], tuple[float, float]] = {}
        self._trained: dict[Key, list[float]] = defaultdict(list)
        for claim in claims:
            if claim.is_number:
                self._add(claim)
            elif claim.statistic == "levels" and isinstance(claim.value, tuple):
                self._levels.setdefault(cell_key(claim.quantity, claim.selector), claim.value)

    def _add(self, claim: Claim) -> None:
        cell = innermost(claim.term)
        if cell is None or not isinstance(claim.value, (int, float)):
            return
        key, value = cell_key(cell.quantity, cell.selector), float(claim.value)
        seed = cell.selector.get("seed")
        model = str(cell.selector.get("model"))
        if claim.statistic == "sd":
            self._sd.setdefault(key, value)
        elif claim.statistic == "count":
            self._seeds.setdefault(key, int(value))
        elif claim.statistic in SAID_TWICE or claim.statistic == "collapse_step":
            low, high = self._range.get((cell.quantity, model), (value, value))
            self._range[cell.quantity, model] = (min(low, value), max(high, value))
            if seed is not None:
                self._by_seed[key].setdefault(seed, value)
            else:
                self._value.setdefault(key, value)
            self._trained[cell_key(cell.quantity, _untrained(cell.selector))].append(value)

    def value(self, quantity: str, selector: Mapping[str, Scalar]) -> float | None:
        """The printed value of a cell whose seed is not named."""
        return self._value.get(cell_key(quantity, selector))

    def levels(self, quantity: str, selector: Mapping[str, Scalar]) -> tuple[Scalar, ...] | None:
        """A printed list, such as the numbers of classes."""
        return self._levels.get(cell_key(quantity, selector))

    def seeds(self, quantity: str, selector: Mapping[str, Scalar]) -> int | None:
        """How many seeds the paper says, or shows, stand behind a cell."""
        key = cell_key(quantity, selector)
        return self._seeds.get(key) or len(self._by_seed.get(key, ())) or None

    def spread(self, quantity: str, selector: Mapping[str, Scalar]) -> tuple[float, int] | None:
        """(standard deviation, seeds) of a cell: printed, or computed from its seeds' printed values; None: neither."""
        key = cell_key(quantity, selector)
        seeds = self._seeds.get(key) or len(self._by_seed.get(key, ())) or None
        if key in self._sd and seeds is not None and seeds >= 2:
            return self._sd[key], seeds
        values = list(self._by_seed.get(key, {}).values())
        return (tidy_sd(values), len(values)) if len(values) >= 2 else None

    def start(self, quantity: str, selector: Mapping[str, Scalar]) -> float | None:
        """The printed value the cell started from: the same cell of the base model."""
        key, seed = cell_key(quantity, _untrained(selector)), selector.get("seed")
        by_seed = self._by_seed.get(key, {})
        if seed in by_seed:
            return by_seed[seed]
        if key in self._value:
            return self._value[key]
        return float(np.mean(list(by_seed.values()))) if by_seed else None

    def effect(self, claim: Claim) -> float | None:
        """Size of the effect a claim speaks of; None when the paper prints nothing to compare it with.

        A number's is its change from where it started; that of "no effect" and "significant" is the largest difference
        the paper prints for the quantity in that model.
        """
        if claim.statistic in ("no_effect", "significant") and claim.term.of is not None:
            inner = innermost(claim.term.of) or claim.term.of
            low, high = self._range.get((inner.quantity, str(inner.selector.get("model"))), (0.0, 0.0))
            return high - low
        if not isinstance(claim.value, float):
            return None
        if claim.statistic in NEUTRAL:
            return abs(claim.value - NEUTRAL[claim.statistic])
        cell = innermost(claim.term)
        if cell is None:
            return None
        if cell.selector.get("step") == 0:
            reached = self._trained.get(cell_key(cell.quantity, cell.selector), [])
            return max((abs(value - claim.value) for value in reached), default=None)
        start = self.start(cell.quantity, cell.selector)
        return None if start is None else abs(claim.value - start)


def innermost(term: Term) -> Term | None:
    """The single cell a statistic over seeds is taken of; None when a term combines several.

    What is computed from a whole trajectory is a cell of its own quantity.
    """
    if term.against is not None or term.formula is not None or term.over not in (None, "seed"):
        return None
    if term.statistic in TRAJECTORIES:
        return Term(quantity=term.statistic, selector=(term.of or term).selector)
    return innermost(term.of) if term.of is not None else term


def _untrained(selector: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return normal_selector({**selector, "step": 0})
