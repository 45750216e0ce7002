"""Orderings, superlatives, "all", "none", "only", counts: true, false or left open by decimals.

Each returns an Interval within 0 to 1 (or a count): the low end counts what is certain, the high
end what is possible. Equal prints satisfy "monotonically" and "the lowest": papers do not use the
words strictly.
"""

from collections.abc import Sequence
from itertools import pairwise

from repro.claims.algebra.interval import FALSE, TRUE, UNKNOWN, Interval, Value, over, point, truth
from repro.claims.selector import Scalar
from repro.claims.term import Term, Where
from repro.geometry.undefined import Undefined

ROUNDED = 1e-6
"""Largest relative gap between measured ratios that count as one: float32 multiplied them."""

ARITHMETIC = 1e-9
"""Largest gap between a measured number and a bound that it equals."""


def relation(
    term: Term,
    levels: Sequence[Scalar],
    values: Sequence[Interval],
    second: Sequence[Interval] | None,
) -> Value:
    """Return the truth of a relation over the values at each level (and of a second operand)."""
    match term.statistic:
        case "monotone":
            falling = term.order == "decreasing"
            return monotone(values if not falling else list(reversed(values)))
        case "highest" | "lowest":
            return superlative(levels, values, term.which, term.statistic == "highest")
        case "all" | "none" | "only" | "count_where" | "share":
            return _quantified(term, levels, values)
        case "identical":
            return _each([same(a, b) for a, b in zip(values, second or values, strict=True)])
        case "proportional":
            return proportional(levels, values)
        case "equals" | "above" | "below" | "at_least" | "at_most" if second is not None:
            return _each(
                [_compare(term.statistic, a, b) for a, b in zip(values, second, strict=True)]
            )
        case "equals" | "above" | "below" | "at_least" | "at_most" if term.where is not None:
            return _each([satisfies(value, term.where) for value in values])
    return Undefined(f"{term.statistic} needs samples or a second operand")


def _compare(how: str, a: Interval, b: Interval) -> Interval:
    """Return the truth of one comparison of two numbers.

    It is certain where it holds for all numbers inside both, possible where for some.
    """
    match how:
        case "above":
            return truth(a.low > b.high, a.high > b.low)
        case "below":
            return truth(a.high < b.low, a.low < b.high)
        case "at_least":
            return truth(a.low >= b.high, a.high >= b.low)
        case "at_most":
            return truth(a.high <= b.low, a.low <= b.high)
    return same(a, b)


def same(a: Interval, b: Interval) -> Interval:
    """Compare as printed: equal with the same middle, different with no number in common."""
    if a.high < b.low or b.high < a.low:
        return FALSE
    return TRUE if abs(a.middle - b.middle) <= 1e-9 * max(1.0, abs(a.middle)) else UNKNOWN


def satisfies(value: Interval, where: Where) -> Interval:
    """Return the truth of all bounds of a condition; "equals 0" holds for what is printed 0.000."""
    verdicts = []
    if isinstance(where.equals, (int, float)):
        # A measured number is equal up to rounding of the arithmetic that gave it.
        measured = value.low == value.high
        equal = value.holds(where.equals) or (
            measured and abs(value.low - where.equals) <= ARITHMETIC
        )
        verdicts.append(TRUE if equal else FALSE)
    for how in ("above", "below", "at_least", "at_most"):
        if (bound := getattr(where, how)) is not None:
            verdicts.append(_compare(how, value, point(bound)))
    return _each(verdicts)


def monotone(values: Sequence[Interval]) -> Interval:
    """Tell whether values rise weakly: false when one is certainly smaller than that before it."""
    verdicts = []
    for before, after in pairwise(values):
        if after.high < before.low:
            verdicts.append(FALSE)
        else:
            verdicts.append(TRUE if after.middle >= before.middle - 1e-12 else UNKNOWN)
    return _each(verdicts)


def superlative(
    levels: Sequence[Scalar], values: Sequence[Interval], which: Scalar | None, highest: bool
) -> Value:
    """Tell whether a level's value is the highest, or lowest; equal prints share the place."""
    if which not in levels:
        return Undefined(f"{which}: no such cell")
    chosen = values[levels.index(which)]
    others = [value for level, value in zip(levels, values, strict=True) if level != which]
    if not others:
        return Undefined("nothing to compare with")
    beaten = [_compare("below" if highest else "above", chosen, other) for other in others]
    if any(verdict.low == 1 for verdict in beaten):
        return FALSE
    tops = [
        chosen.middle >= o.middle - 1e-12 if highest else chosen.middle <= o.middle + 1e-12
        for o in others
    ]
    return TRUE if all(tops) else UNKNOWN


def position(term: Term, levels: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """Return the place of a level: 1 for the most extreme; several where decimals leave it open."""
    if term.which not in levels:
        return Undefined(f"{term.which}: no such cell")
    chosen = values[levels.index(term.which)]
    others = [value for level, value in zip(levels, values, strict=True) if level != term.which]
    ahead = [
        _compare("above" if term.order == "decreasing" else "below", other, chosen)
        for other in others
    ]
    return Interval(
        1 + sum(verdict.low for verdict in ahead), 1 + sum(verdict.high for verdict in ahead)
    )


def proportional(levels: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """Tell whether value over level is one number for all levels."""
    ratios = [over(value, point(float(level))) for level, value in zip(levels, values, strict=True)]
    known = [ratio for ratio in ratios if isinstance(ratio, Interval)]
    if len(known) < max(2, len(ratios)):
        return Undefined("the axis has a zero, or a single level")
    # All intervals have a number in common where no low end lies above a high end.
    largest, smallest = max(ratio.low for ratio in known), min(ratio.high for ratio in known)
    return TRUE if largest - smallest <= ROUNDED * abs(smallest) else FALSE


def _quantified(term: Term, levels: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """Return the truth, count or share of the levels whose values satisfy the term's condition."""
    if term.where is None:
        return Undefined("needs a condition (where)")
    verdicts = [satisfies(value, term.where) for value in values]
    count = Interval(sum(v.low for v in verdicts), sum(v.high for v in verdicts))
    n = len(verdicts)
    match term.statistic:
        case "all":
            return truth(count.low == n, count.high == n)
        case "none":
            return truth(count.high == 0, count.low == 0)
        case "share":
            return Interval(100 * count.low / n, 100 * count.high / n)
        case "count_where":
            return count
    if term.which not in levels:
        return Undefined(f"{term.which}: no such cell")
    own = verdicts[levels.index(term.which)]
    # "Only" is said of one level: it satisfies the condition, and no other does.
    others = Interval(count.low - own.low, count.high - own.high)
    return truth(own.low == 1 and others.high == 0, own.high == 1 and others.low == 0)


def _each(verdicts: Sequence[Interval]) -> Interval:
    """Return the truth of all verdicts together: as certain and as possible as their least."""
    return (
        Interval(min(v.low for v in verdicts), min(v.high for v in verdicts))
        if verdicts
        else UNKNOWN
    )
