"""The claims' algebra over arrays: the same terms as `repro.verify.algebra`, for thousands of draws at once.

Where nothing varies it gives the scalar algebra's answer (tests/verify/test_draws.py).
"""

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from repro.manifest.claim import SAMPLE, Scalar, Term, Where
from repro.verify.algebra import Lookup, at, evaluate, operand
from repro.verify.algebra_interval import Interval
from repro.verify.columns import Array
from repro.verify.scales import STATISTICS


class NoSpreadError(Exception):
    """A cell whose uncertainty neither our runs nor the paper show; the message names it."""


def key_of(term: Term) -> Hashable:
    """A name for a base value: a cell is told by its selector alone, which is quicker to say than `Term.key`."""
    if term.of is None and term.against is None and not term.among:
        return term.statistic, term.quantity, term.over, frozenset(term.selector.items())
    return term.key


def name(term: Term) -> str:
    """A cell in words: quantity and selector."""
    inner = term
    while inner.of is not None:
        inner = inner.of
    where = ", ".join(f"{key} {value}" for key, value in inner.selector.items())
    return f"{inner.quantity} ({where})" if where else inner.quantity


class Arrays:
    """The algebra over arrays: every base value holds one number per draw, or per run; truths are 0 and 1."""

    def __init__(self, known: Mapping[Hashable, Array], lookup: Lookup) -> None:
        self._known = known
        self._lookup = lookup

    def evaluate(self, term: Term) -> Array:
        """The term, elementwise. Raises NoSpreadError for what is not defined on arrays."""
        if (known := self._known.get(key_of(term))) is not None:
            return known
        statistic = term.statistic
        if statistic in ("difference", "ratio", "relative_change", "orders_of_magnitude"):
            return self._compared(term)
        if statistic in ("rank_bound", "theory_bound") and isinstance(bound := evaluate(term, self._lookup), Interval):
            return np.asarray(bound.middle)
        if statistic == "percentage":
            return 100 * self.evaluate(operand(term)) / (self._lookup.total(term) or np.nan)
        if statistic in SAMPLE and statistic in STATISTICS:
            values: Array = STATISTICS[statistic](np.stack(self._along(term)[1]), axis=0)
            return values
        if statistic in ("above", "below", "at_least", "at_most", "equals"):
            return self._against(term)
        if term.over is not None or statistic == "position":
            return self._relation(term)
        raise NoSpreadError(f"there is no bootstrap of {statistic!r}")

    def _compared(self, term: Term) -> Array:
        if term.of is None or term.against is None:
            raise NoSpreadError("nothing to compare")
        first, second = self.evaluate(term.of), self.evaluate(term.against)
        with np.errstate(divide="ignore", invalid="ignore"):
            match term.statistic:
                case "difference":
                    return first - second
                case "ratio":
                    return first / second
                case "relative_change":
                    return 100 * (first / second - 1)
                case _:
                    ratio: Array = np.log10(first / second)
                    return ratio

    def _along(self, term: Term) -> tuple[tuple[Scalar, ...], list[Array]]:
        axis = term.over or "seed"
        levels = term.among or self._lookup.levels(operand(term), axis)
        return levels, [self.evaluate(at(operand(term), axis, level)) for level in levels]

    def _against(self, term: Term) -> Array:
        firsts = self._along(term)[1] if term.over else [self.evaluate(operand(term))]
        if term.against is None:
            return _each([satisfied(first, term.where or Where(equals=0)) for first in firsts])
        second = term.model_copy(update={"of": term.against})
        seconds = self._along(second)[1] if term.over else [self.evaluate(term.against)]
        return _each([satisfied(a - b, _SIGN[term.statistic]) for a, b in zip(firsts, seconds, strict=True)])

    def _relation(self, term: Term) -> Array:
        levels, values = self._along(term)
        match term.statistic:
            case "monotone":
                ordered = values if term.order != "decreasing" else values[::-1]
                return _each([(b >= a).astype(float) for a, b in pairwise(ordered)])
            case "highest" | "lowest" | "position":
                chosen = values[levels.index(term.which)] if term.which in levels else None
                others = [value for level, value in zip(levels, values, strict=True) if level != term.which]
                if chosen is None or not others:
                    raise NoSpreadError(f"nothing to compare {term.which} with")
                highest = term.statistic == "highest" or (term.statistic == "position" and term.order == "decreasing")
                ahead = sum(((o > chosen) if highest else (o < chosen)).astype(float) for o in others)
                return np.asarray(1.0 + ahead if term.statistic == "position" else ahead == 0, dtype=float)
            case "all" | "none" | "only" | "count_where" | "share" if term.where is not None:
                return _quantified(term, levels, [satisfied(value, term.where) for value in values])
        raise NoSpreadError(f"there is no bootstrap of {term.statistic!r}")


_SIGN = {
    "above": Where(above=0),
    "below": Where(below=0),
    "at_least": Where(at_least=0),
    "at_most": Where(at_most=0),
    "equals": Where(equals=0),
}


def satisfied(values: Array, where: Where) -> Array:
    """1 where a value meets every bound of the condition, else 0."""
    holds = np.ones(len(values), dtype=bool)
    if isinstance(where.equals, (int, float)):
        holds &= np.abs(values - where.equals) <= 1e-9
    if where.above is not None:
        holds &= values > where.above
    if where.below is not None:
        holds &= values < where.below
    if where.at_least is not None:
        holds &= values >= where.at_least
    if where.at_most is not None:
        holds &= values <= where.at_most
    return np.asarray(holds, dtype=float)


def _each(truths: Sequence[Array]) -> Array:
    smallest: Array = np.min(np.stack(list(truths)), axis=0)
    return smallest


def _quantified(term: Term, levels: Sequence[Scalar], truths: Sequence[Array]) -> Array:
    count: Array = np.sum(np.stack(list(truths)), axis=0)
    match term.statistic:
        case "all":
            return np.asarray(count == len(truths), dtype=float)
        case "none":
            return np.asarray(count == 0, dtype=float)
        case "share":
            return 100 * count / len(truths)
        case "count_where":
            return count
    if term.which not in levels:
        raise NoSpreadError(f"{term.which}: no such cell")
    own = truths[levels.index(term.which)]
    return np.asarray((own == 1) & (count == 1), dtype=float)
