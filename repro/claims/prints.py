"""What a paper prints about a cell: its spread over seeds, where it started, the effect it claims.

Judging one number needs these other prints (docs/SCIENCE.md §13). They are claims too, so they are
frozen into the evidence with the rest; nothing here is measured.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.claims.claim import Claim, Term
from repro.claims.selector import CellKey, Scalar, at_start, cell_key, is_untrained

SAID_TWICE = ("single", "mean", "median")
NEUTRAL = {
    "difference": 0.0,
    "relative_change": 0.0,
    "orders_of_magnitude": 0.0,
    "z": 0.0,
    "ratio": 1.0,
}
"""The value of a comparison when nothing happened."""


class Prints:
    """The printed numbers of one paper, by cell."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._by_seed: dict[CellKey, dict[Scalar, float]] = defaultdict(dict)
        self._sd: dict[CellKey, float] = {}
        self._seeds: dict[CellKey, int] = {}
        self._value: dict[CellKey, float] = {}
        self._levels: dict[CellKey, tuple[Scalar, ...]] = {}
        self._cells: dict[CellKey, tuple[float, Mapping[str, Scalar]]] = {}
        self._trained: dict[CellKey, list[float]] = defaultdict(list)
        for claim in claims:
            if claim.is_number:
                self._add(claim)
            elif claim.statistic == "levels" and isinstance(claim.value, tuple):
                self._levels.setdefault(cell_key(claim.quantity, claim.selector), claim.value)

    def _add(self, claim: Claim) -> None:
        """Put one number under its cell; of several prints the first counts."""
        cell = claim.term.cell
        if cell is None or not isinstance(claim.value, (int, float)):
            return
        key, value = cell_key(cell.quantity, cell.selector), float(claim.value)
        seed = cell.selector.get("seed")
        if claim.statistic == "sd":
            self._sd.setdefault(key, claim.high or value if value else 0.0)
        elif claim.statistic == "count":
            self._seeds.setdefault(key, int(value))
        elif claim.statistic in SAID_TWICE or claim.statistic == "collapse_step":
            if seed is not None:
                self._by_seed[key].setdefault(seed, value)
            else:
                self._value.setdefault(key, value)
                self._cells.setdefault(key, (value, cell.selector))
            self._trained[cell_key(cell.quantity, at_start(cell.selector))].append(value)

    def value(self, quantity: str, selector: Mapping[str, Scalar]) -> float | None:
        """Return the printed value of a cell whose seed is not named."""
        return self._value.get(cell_key(quantity, selector))

    def levels(self, quantity: str, selector: Mapping[str, Scalar]) -> tuple[Scalar, ...] | None:
        """Return a printed list, such as the numbers of classes."""
        return self._levels.get(cell_key(quantity, selector))

    def seeds(self, quantity: str, selector: Mapping[str, Scalar]) -> int | None:
        """Return how many seeds the paper says, or shows, stand behind a cell."""
        key = cell_key(quantity, selector)
        return self._seeds.get(key) or len(self._by_seed.get(key, ())) or None

    def spread(self, quantity: str, selector: Mapping[str, Scalar]) -> tuple[float, int] | None:
        """Return (standard deviation, seeds) of a cell.

        It is the largest that its print allows, or that of its seeds' printed values.
        """
        key = cell_key(quantity, selector)
        seeds = self._seeds.get(key) or len(self._by_seed.get(key, ())) or None
        if key in self._sd and seeds is not None and seeds >= 2:
            return self._sd[key], seeds
        values = list(self._by_seed.get(key, {}).values())
        return (tidy_sd(values), len(values)) if len(values) >= 2 else None

    def start(self, quantity: str, selector: Mapping[str, Scalar]) -> float | None:
        """Return the printed value the cell started from: the same cell of the base model."""
        key, seed = cell_key(quantity, at_start(selector)), selector.get("seed")
        by_seed = self._by_seed.get(key, {})
        if seed in by_seed:
            return by_seed[seed]
        if key in self._value:
            return self._value[key]
        return float(np.mean(list(by_seed.values()))) if by_seed else None

    def effect(self, claim: Claim) -> float | None:
        """Return the size of the effect a claim speaks of; None when nothing to compare is printed.

        A number's is its change from where it started, a significant difference's the printed
        difference; that of a statement that two are equal is the smallest effect printed for the
        quantity in that model (never the range).
        """
        if claim.statistic in ("no_effect", "significant", "equals"):
            return self._difference(claim.term) or self._smallest(claim.term)
        if not isinstance(claim.value, float):
            return None
        if claim.statistic in NEUTRAL:
            return abs(claim.value - NEUTRAL[claim.statistic])
        cell = claim.term.cell
        if cell is None:
            return None
        if is_untrained(cell.selector):
            reached = self._trained.get(cell_key(cell.quantity, cell.selector), [])
            return max((abs(value - claim.value) for value in reached), default=0.0) or None
        start = self.start(cell.quantity, cell.selector)
        return None if start is None else abs(claim.value - start)

    def _difference(self, term: Term) -> float | None:
        """Return the printed difference that "significant" speaks of."""
        if term.statistic != "significant":
            return None
        ends = [self.printed(side) for side in (term.of, term.against) if side is not None]
        known = [end for end in ends if end is not None]
        return abs(known[0] - known[1]) if len(known) == 2 else None

    def printed(self, term: Term) -> float | None:
        """Return the printed value of a term that is one cell, or a mean over its seeds."""
        cell = term.cell
        return None if cell is None else self.value(cell.quantity, cell.selector)

    def _smallest(self, term: Term) -> float | None:
        """Return the smallest printed change of the quantity in that model.

        Changes that the statement itself calls none are left out.
        """
        sides = [side.cell or side for side in (term.of, term.against) if side is not None] or [
            term
        ]
        trained = [side for side in sides if side.selector.get("step") != 0]
        inner = sides[0]
        own = (
            {cell_key(side.quantity, side.selector) for side in trained}
            if len(trained) < len(sides)
            else set()
        )
        changes = [
            abs(value - start)
            for key, (value, selector) in self._cells.items()
            if key[0] == inner.quantity
            and selector.get("model") == inner.selector.get("model")
            and key not in own
            if selector.get("step") != 0
            and (start := self.start(inner.quantity, selector)) is not None
        ]
        return min((change for change in changes if change > 0), default=None)


def tidy_sd(values: Sequence[float] | npt.NDArray[Any]) -> float:
    """Return the standard deviation (n − 1); 0 where equal numbers differ by rounding alone."""
    sd = float(np.std(values, ddof=1))
    return sd if sd > 1e-12 * float(np.max(np.abs(values))) else 0.0
