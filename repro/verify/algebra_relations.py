"""Orderings, superlatives, "all", "none", "only", counts: true, false, or not decided by the printed decimals.

Each returns an Interval within 0 to 1 (or a count): the low end counts what is certain, the high end what is possible.
Equal prints satisfy "monotonically" and "the lowest": papers do not use the words strictly.
"""

from collections.abc import Sequence
from itertools import pairwise

from repro.manifest.claim_term import Scalar, Term, Where
from repro.verify.algebra_interval import FALSE, TRUE, UNKNOWN, Interval, Missing, Value, over, point, truth

ROUNDED = 1e-6
"""How far two measured ratios may lie apart, relative to either, and count as one: float32 multiplied them."""


def relation(
    term: Term, levels: Sequence[Scalar], values: Sequence[Interval], second: Sequence[Interval] | None
) -> Value:
    """The truth of a relation over the values at each level (and those of a second operand)."""
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
            return _each([compare(term.statistic, a, b) for a, b in zip(values, second, strict=True)])
        case "equals" | "above" | "below" | "at_least" | "at_most" if term.where is not None:
            return _each([satisfies(value, term.where) for value in values])
    return Missing(f"{term.statistic} needs samples or a second operand")


def compare(how: str, a: Interval, b: Interval) -> Interval:
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
    """Equal as printed: the same middle; certainly different: no number in common."""
    if a.high < b.low or b.high < a.low:
        return FALSE
    return TRUE if abs(a.middle - b.middle) <= 1e-9 * max(1.0, abs(a.middle)) else UNKNOWN


def satisfies(value: Interval, where: Where) -> Interval:
    """The truth of every bound of a condition; "equals 0" holds for what is printed as 0.000."""
    verdicts = []
    if isinstance(where.equals, (int, float)):
        verdicts.append(TRUE if value.holds(where.equals) else FALSE)
    for how in ("above", "below", "at_least", "at_most"):
        if (bound := getattr(where, how)) is not None:
            verdicts.append(compare(how, value, point(bound)))
    return _each(verdicts)


def monotone(values: Sequence[Interval]) -> Interval:
    """Weakly increasing: false when a later value is certainly smaller than an earlier one."""
    verdicts = []
    for before, after in pairwise(values):
        if after.high < before.low:
            verdicts.append(FALSE)
        else:
            verdicts.append(TRUE if after.middle >= before.middle - 1e-12 else UNKNOWN)
    return _each(verdicts)


def superlative(levels: Sequence[Scalar], values: Sequence[Interval], which: Scalar | None, highest: bool) -> Value:
    if which not in levels:
        return Missing(f"{which}: no such cell")
    chosen = values[levels.index(which)]
    others = [value for level, value in zip(levels, values, strict=True) if level != which]
    if not others:
        return Missing("nothing to compare with")
    beaten = [compare("below" if highest else "above", chosen, other) for other in others]
    if any(verdict.low == 1 for verdict in beaten):
        return FALSE
    tops = [chosen.middle >= o.middle - 1e-12 if highest else chosen.middle <= o.middle + 1e-12 for o in others]
    return TRUE if all(tops) else UNKNOWN


def position(term: Term, levels: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """1 for the most extreme level; an interval where the decimals leave the order open."""
    if term.which not in levels:
        return Missing(f"{term.which}: no such cell")
    chosen = values[levels.index(term.which)]
    others = [value for level, value in zip(levels, values, strict=True) if level != term.which]
    ahead = [compare("above" if term.order == "decreasing" else "below", other, chosen) for other in others]
    return Interval(1 + sum(verdict.low for verdict in ahead), 1 + sum(verdict.high for verdict in ahead))


def proportional(levels: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """Value over level is one number for all levels."""
    ratios = [over(value, point(float(level))) for level, value in zip(levels, values, strict=True)]
    known = [ratio for ratio in ratios if isinstance(ratio, Interval)]
    if len(known) < max(2, len(ratios)):
        return Missing("the axis has a zero, or a single level")
    largest, smallest = max(ratio.low for ratio in known), min(ratio.high for ratio in known)
    return TRUE if largest - smallest <= ROUNDED * abs(smallest) else FALSE


def _quantified(term: Term, levels: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    if term.where is None:
        return Missing("needs a condition (where)")
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
        return Missing(f"{term.which}: no such cell")
    own = verdicts[levels.index(term.which)]
    others = Interval(count.low - own.low, count.high - own.high)
    return truth(own.low == 1 and others.high == 0, own.high == 1 and others.low == 0)


def _each(verdicts: Sequence[Interval]) -> Interval:
    return Interval(min(v.low for v in verdicts), min(v.high for v in verdicts)) if verdicts else UNKNOWN
