"""Split a statement into components: differences that must be above 0, or close to it.

"Monotonically" over six models is five differences, "the highest of eight" seven, "none is below
0.1" one per model. Each is estimated with the spread of its own cells, so that each can be tested
on its own (docs/SCIENCE.md §13).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from repro.claims.algebra.evaluate import at, evaluate
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim, Term, Where
from repro.claims.selector import Scalar
from repro.verify.estimate.cells import Context, cells_of
from repro.verify.estimate.measured import Measured
from repro.verify.verdict import Component, Level

_COMPARED = ("above", "below", "at_least", "at_most", "equals")
BOUNDS = {"above": 1.0, "at_least": 1.0, "below": -1.0, "at_most": -1.0}
"""A bound of a condition → the sign of the distance from it where it is met."""
_MANY = ("all", "none", "only", "count_where", "share")
_PERCENT = 100.0


class Statement:
    """The components of one claim over the measurements of one experiment."""

    def __init__(self, claim: Claim, context: Context, measured: Measured) -> None:
        self._claim = claim
        self._context = context
        self._measured = measured
        self.negated: tuple[bool, ...] = ()
        self.asked: tuple[int, int] | None = None
        self.levels = tuple(level for level in self._levels() if level)

    def _levels(self) -> Iterator[Level]:
        """Yield the parts of each level, by the statement's statistic."""
        term = self._claim.term
        match term.statistic:
            case statistic if statistic in _COMPARED:
                yield from self._compared(term)
            case "monotone":
                _, ordered = self._along(term)
                upwards = 1.0 if term.order != "decreasing" else -1.0
                for before, after in pairwise(ordered):
                    yield self._gap(after, before, upwards)
            case "highest" | "lowest" | "position":
                yield from self._placed(term)
            case statistic if statistic in _MANY and term.where is not None:
                yield from self._many(term, term.where)

    def _along(self, term: Term) -> tuple[Sequence[Scalar], list[Term]]:
        """Return the levels of the term's axis, and its operand at each."""
        axis, inner = term.over or "seed", term.operand
        levels = term.among or self._measured.levels(inner.leaves()[0], axis)
        return levels, [at(inner, axis, level) for level in levels]

    def _compared(self, term: Term) -> Iterator[Level]:
        """Yield the gap between the two operands, or between one and its bounds, at each level."""
        firsts = self._along(term)[1] if term.over else [term.operand]
        if term.against is None:
            for first in firsts:
                yield self._satisfied(first, term.where or Where(equals=0))
            return
        second = term.model_copy(update={"of": term.against})
        seconds = self._along(second)[1] if term.over else [term.against]
        for first, other in zip(firsts, seconds, strict=True):
            yield self._gap(first, other, BOUNDS.get(term.statistic, 0.0))

    def _placed(self, term: Term) -> Iterator[Level]:
        """Yield the gap between the named level and each other.

        For a position, set how many must be ahead.
        """
        levels, values = self._along(term)
        if term.which not in levels:
            return
        chosen = values[levels.index(term.which)]
        others = [value for level, value in zip(levels, values, strict=True) if level != term.which]
        top = term.statistic == "highest" or (
            term.statistic == "position" and term.order == "decreasing"
        )
        if term.statistic == "position" and isinstance(self._claim.value, float):
            ahead = round(self._claim.value) - 1
            self.asked = len(others) - ahead, len(others) - ahead
        for other in others:
            yield self._gap(chosen, other, 1.0 if top else -1.0)

    def _many(self, term: Term, where: Where) -> Iterator[Level]:
        """Yield the gap of each level from its bounds.

        Set which are negated, and how many must hold.
        """
        levels, values = self._along(term)
        if term.statistic == "none":
            self.negated = (True,) * len(levels)
        elif term.statistic == "only":
            self.negated = tuple(level != term.which for level in levels)
        elif term.statistic in ("count_where", "share"):
            self.asked = self._asked(len(levels))
        for value in values:
            yield self._satisfied(value, where)

    def _asked(self, of: int) -> tuple[int, int]:
        """Return the least and most number of levels that the printed count, or share, allows."""
        claim = self._claim
        per = of / _PERCENT if claim.statistic == "share" else 1.0
        low, high = (
            (0.0 if claim.low is None else claim.low),
            (float(of) if claim.high is None else claim.high),
        )
        # The print is rounded: every count that rounds to it is allowed.
        fitting = [
            count for count in range(of + 1) if low * per - 1e-9 <= count <= high * per + 1e-9
        ]
        nearest = min(range(of + 1), key=lambda count: abs(count - claim.number * per))
        return (fitting[0], fitting[-1]) if fitting else (nearest, nearest)

    def _satisfied(self, term: Term, where: Where) -> Level:
        """Return the parts of "this value meets every bound of the condition"."""
        found = []
        if isinstance(where.equals, (int, float)):
            found.append(self._part(term, 1.0, float(where.equals), equal=True))
        for bound, sign in BOUNDS.items():
            if (limit := getattr(where, bound)) is not None:
                found.append(self._part(term, sign, float(limit)))
        return tuple(part for part in found if part is not None)

    def _gap(self, first: Term, second: Term, sign: float) -> Level:
        """Return the part of "one term is above (sign 1), below (−1) or equal to (0) another".

        Empty if undefined.
        """
        difference = Term(statistic="difference", quantity=first.quantity, of=first, against=second)
        part = self._part(difference, sign or 1.0, 0.0, equal=sign == 0)
        return () if part is None else (part,)

    def _part(
        self, term: Term, sign: float, limit: float, *, equal: bool = False
    ) -> Component | None:
        """Estimate one difference as a part; None where it has no value."""
        inside = Measured(
            self._measured.evidence, self._measured.experiment, self._measured.specification
        )
        value = evaluate(term, inside)
        if not isinstance(value, Interval):
            return None
        cells = cells_of(
            self._claim.model_copy(update={"term": term}), self._context, inside, slopes=True
        )
        # Turn the slopes with the gap, so that a positive gap is always "as claimed".
        turned = (
            tuple(cell.model_copy(update={"slope": sign * cell.slope}) for cell in cells)
            if sign < 0
            else cells
        )
        return Component(
            name=_words(term, limit),
            gap=sign * (value.low - limit),
            cells=turned,
            equal=equal,
            limit=sign * limit,
        )


def _words(term: Term, limit: float) -> str:
    """Return a part's name: what is compared with what."""
    if term.of is not None and term.against is not None and term.statistic == "difference":
        return f"{term.of.label} against {term.against.label}"
    return f"{term.label} against {limit:g}"
