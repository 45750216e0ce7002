"""Terms evaluated: the same algebra over printed numbers (audit) and over measurements (verify).

A lookup knows base values (what is printed, what was measured); everything else follows here.
Nothing is assumed where a cell is missing: the result is Undefined, with the reason. Terms are
described in manifests/papers/README.md.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from repro.claims.algebra import interval
from repro.claims.algebra.formula import compute
from repro.claims.algebra.interval import Interval, Levels, Value, point
from repro.claims.algebra.proportions import two_proportions
from repro.claims.algebra.relations import position, relation
from repro.claims.algebra.trajectory import collapse_step, recovery
from repro.claims.selector import Scalar
from repro.claims.term import BINARY, SAMPLE, TRUTHS, Term
from repro.geometry.undefined import Undefined


class Lookup(Protocol):
    """Where base values come from."""

    def base(self, term: Term) -> Value:
        """Return the value of exactly this term, or Undefined."""
        ...

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels of an axis known for cells of the term, in their natural order."""
        ...

    def total(self, term: Term) -> int | None:
        """Return out of how many the term's counts are; None where that is not known."""
        ...


def evaluate(term: Term, lookup: Lookup) -> Value:
    """Return the term's value: as it is known, else as it follows from what is known."""
    if term.of is None and isinstance(level := term.selector.get(term.quantity), (int, float)):
        return point(float(level))  # λ at λ = 0.03
    known = lookup.base(term)
    if not isinstance(known, Undefined) or (term.statistic == "single" and term.of is None):
        return known
    derived = derive(term, lookup)
    # The reason given is that the value itself is missing; of a term of terms, what they lack.
    return known if isinstance(derived, Undefined) and not term.of else derived


def derive(term: Term, lookup: Lookup) -> Value:
    """Return the term's value from other cells alone, never from itself."""
    statistic = term.statistic
    if statistic in SAMPLE:
        return _sample(term, lookup)
    if statistic in ("spearman", "pearson"):
        return _correlation(term, lookup)
    if statistic in BINARY:
        return _binary(term, lookup)
    if statistic == "percentage":
        return _percentage(term, lookup)
    if statistic in ("formula", "theory_bound", "rank_bound"):
        return _computed(term, lookup)
    if statistic in ("collapse_step", "recovery"):
        steps, values = series(term, lookup, "step")
        if isinstance(values, Undefined):
            return values
        return (collapse_step if statistic == "collapse_step" else recovery)(steps, values)
    if statistic in ("share", "count_where", "position") or statistic in TRUTHS:
        return _relation(term, lookup)
    return Undefined("printed once; nothing else determines it")


def at(term: Term, axis: str, level: Scalar) -> Term:
    """Return the term at one level of an axis; an operand that selects its own level keeps it."""
    if (known := term.at_levels.get((axis, level))) is None:
        known = term.at_levels[axis, level] = _at(term, axis, level)
    return known


def _at(term: Term, axis: str, level: Scalar) -> Term:
    """Build the term at one level, its operands at that level too."""
    changes: dict[str, object] = {}
    if axis not in term.selector and term.over != axis:
        changes["selector"] = {**term.selector, axis: level}
    for name in ("of", "against"):
        if (inner := getattr(term, name)) is not None:
            changes[name] = at(inner, axis, level)
    return term.model_copy(update=changes)


def series(
    term: Term, lookup: Lookup, axis: str
) -> tuple[tuple[Scalar, ...], list[Interval] | Undefined]:
    """Return an axis's levels and the operand's value at each.

    The values are Undefined as soon as one is: half the cells have another statistic.
    """
    inner = term.operand
    levels = term.among or lookup.levels(inner.leaves()[0], axis)
    if not levels:
        return (), Undefined(f"no cells along {axis}")
    values: list[Interval] = []
    for level in levels:
        value = evaluate(at(inner, axis, level), lookup)
        if not isinstance(value, Interval):
            reason = value.reason if isinstance(value, Undefined) else "not a number"
            return levels, Undefined(f"{axis} {level}: {reason}")
        values.append(value)
    return levels, values


_STATISTICS: dict[str, Callable[[Sequence[Interval]], Interval | Undefined]] = {
    "mean": interval.mean,
    "sd": interval.sd,
    "median": lambda values: interval.quantile(values, 0.5),
    "q25": lambda values: interval.quantile(values, 0.25),
    "q75": lambda values: interval.quantile(values, 0.75),
    "min": lambda values: interval.quantile(values, 0),
    "max": lambda values: interval.quantile(values, 1),
    "span": interval.span,
    "sum": interval.total,
    "pooled": interval.hull,
    "iqr": lambda values: interval.minus(
        interval.quantile(values, 0.75), interval.quantile(values, 0.25)
    ),
    "count": lambda values: point(len(values)),
}


def _sample(term: Term, lookup: Lookup) -> Value:
    """Return a statistic of the operand's values at every level of the axis; seeds unless said."""
    axis = term.over or "seed"
    if term.statistic in ("count", "levels"):
        levels = term.among or lookup.levels(term.operand, axis)
        if not levels:
            return Undefined(f"no cells along {axis}")
        return point(len(levels)) if term.statistic == "count" else Levels(levels)
    if term.statistic in ("iqr", "span"):
        # Two printed ends give the width even where the runs between them are not printed.
        edges = ("q75", "q25") if term.statistic == "iqr" else ("max", "min")
        upper, lower = (lookup.base(term.model_copy(update={"statistic": edge})) for edge in edges)
        if isinstance(upper, Interval) and isinstance(lower, Interval):
            return interval.minus(upper, lower)
    _, values = series(term, lookup, axis)
    return values if isinstance(values, Undefined) else _STATISTICS[term.statistic](values)


def _binary(term: Term, lookup: Lookup) -> Value:
    """Return a statistic of two operands: a test or interval of two shares, else arithmetic."""
    if term.of is None or term.against is None:
        return Undefined("needs two operands")
    if term.statistic in ("z", "p_one", "p_two", "ci_low", "ci_high"):
        return two_proportions(
            term.statistic, proportion(term.of, lookup), proportion(term.against, lookup)
        )
    first, second = evaluate(term.of, lookup), evaluate(term.against, lookup)
    for value in (first, second):
        if isinstance(value, Undefined):
            return value
    if not isinstance(first, Interval) or not isinstance(second, Interval):
        return Undefined("not numbers")
    return _of_two(term.statistic, first, second)


def _of_two(statistic: str, first: Interval, second: Interval) -> Interval | Undefined:
    """Return difference, ratio, orders of magnitude, or relative change in percent."""
    if statistic == "difference":
        return interval.minus(first, second)
    ratio = interval.over(first, second)
    if isinstance(ratio, Undefined) or statistic == "ratio":
        return ratio
    if statistic == "orders_of_magnitude":
        return interval.log10(ratio)
    return Interval(100 * (ratio.low - 1), 100 * (ratio.high - 1))


def proportion(term: Term, lookup: Lookup) -> tuple[Interval, int] | Undefined:
    """Return a share between 0 and 1, and out of how many it is.

    The share is exact where its count is known, else known to the decimals of its percentage.
    """
    total = lookup.total(term)
    value = evaluate(term.operand if term.statistic == "percentage" else term, lookup)
    scale = total
    if isinstance(value, Undefined):
        # Without its count, a share is known to the decimals of its percentage.
        value, scale = (
            evaluate(
                term.model_copy(update={"statistic": "percentage", "of": term.operand}), lookup
            ),
            100,
        )
    if not isinstance(value, Interval) or total is None or scale is None:
        return value if isinstance(value, Undefined) else Undefined("out of how many is not known")
    return Interval(value.low / scale, value.high / scale), total


def _percentage(term: Term, lookup: Lookup) -> Value:
    """Return a count as a percentage of its total."""
    counted = evaluate(term.operand, lookup)
    if not isinstance(counted, Interval):
        return counted
    total = lookup.total(term.operand)
    if total is None:
        return Undefined("out of how many is not known")
    return Interval(100 * counted.low / total, 100 * counted.high / total)


def _correlation(term: Term, lookup: Lookup) -> Value:
    """Return the correlation of two operands over the levels of an axis, paired by level."""
    from repro.claims.algebra.proportions import correlate  # scipy: 0.8 s, and few claims need it

    if term.of is None or term.against is None or term.over is None:
        return Undefined("needs two operands and an axis")
    levels, first = series(term, lookup, term.over)
    paired = term.model_copy(update={"of": term.against, "among": levels})
    _, second = series(paired, lookup, term.over)
    if isinstance(first, Undefined):
        return first
    if isinstance(second, Undefined):
        return second
    return correlate(term.statistic, first, second)


def _computed(term: Term, lookup: Lookup) -> Value:
    """Compute a formula over other quantities of the same cell, or what class counts determine.

    Class counts determine the rank Σ(m − 1) and the bound (rank − largest)/largest.
    """
    if term.statistic == "formula":
        return compute(
            term.formula or "",
            lambda name: evaluate(Term(quantity=name, selector=term.selector), lookup),
        )
    listed = lookup.base(
        Term(statistic="levels", quantity="cardinalities", over="concept", selector=term.selector)
    )
    if not isinstance(listed, Levels):
        return Undefined("the numbers of classes are not known")
    counts = [int(value) - 1 for value in listed.values]
    return (
        point(sum(counts))
        if term.statistic == "rank_bound"
        else point((sum(counts) - max(counts)) / max(counts))
    )


def _relation(term: Term, lookup: Lookup) -> Value:
    """Return the truth, share or place that a term claims, over an axis or of two operands."""
    if term.statistic == "share":
        counted = term.model_copy(update={"statistic": "count_where"})
        known, total = lookup.base(counted), lookup.total(counted)
        if isinstance(known, Interval) and total:
            return Interval(100 * known.low / total, 100 * known.high / total)
    if term.statistic == "position" or term.over:
        levels, values = series(term, lookup, term.over or "seed")
        if isinstance(values, Undefined):
            return values
        second = None
        if term.against is not None:
            _, paired = series(
                term.model_copy(update={"of": term.against, "among": levels}),
                lookup,
                term.over or "seed",
            )
            if isinstance(paired, Undefined):
                return paired
            second = paired
        return (
            position(term, levels, values)
            if term.statistic == "position"
            else relation(term, levels, values, second)
        )
    first = evaluate(term.operand, lookup)
    if not isinstance(first, Interval):
        return first if isinstance(first, Undefined) else Undefined("not a number")
    if term.against is None:
        return relation(term, (), [first], None)
    other = evaluate(term.against, lookup)
    if not isinstance(other, Interval):
        return other if isinstance(other, Undefined) else Undefined("not a number")
    return relation(term, (), [first], [other])


def is_true(value: Value) -> bool | None:
    """Tell whether a truth holds; None when it cannot be decided."""
    if not isinstance(value, Interval) or value.low != value.high:
        return None
    return math.isclose(value.low, 1.0)
