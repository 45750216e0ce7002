"""Intervals: what a printed number may have been before rounding, and what follows from it.

A measured number is an interval of width 0, so the same arithmetic serves both. Bounds are exact
for differences, ratios, means, quantiles and, up to ten values, spreads; more values get a bound
that cannot be too narrow.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from repro.geometry.undefined import Undefined

EXACT_SPREAD = 10
"""Most values for which the largest SD over a box is sought at its corners."""


@dataclass(frozen=True, slots=True)
class Interval:
    """low ≤ the number ≤ high. A truth is 1 (true), 0 (false) or 0 to 1 (cannot be decided)."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Return the middle; the finite end where one side is open."""
        if math.isinf(self.low) or math.isinf(self.high):
            return self.high if math.isinf(self.low) else self.low
        return (self.low + self.high) / 2

    def holds(self, number: float) -> bool:
        """Tell whether a number lies inside, ends included."""
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Levels:
    """A list: of seeds, of class counts."""

    values: tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A word: the weakest concept, an outcome."""

    name: str


Value = Interval | Undefined | Levels | Category
TRUE, FALSE, UNKNOWN = Interval(1, 1), Interval(0, 0), Interval(0, 1)


def point(number: float) -> Interval:
    """Return the interval of one exact number."""
    return Interval(number, number)


def truth(certain: bool, possible: bool) -> Interval:
    """Return a truth: 1 if certain, 0 if not even possible, else 0 to 1."""
    return Interval(float(certain), float(possible))


def minus(a: Interval, b: Interval) -> Interval:
    """Return all that a − b can be."""
    return Interval(a.low - b.high, a.high - b.low)


def plus(a: Interval, b: Interval) -> Interval:
    """Return all that a + b can be."""
    return Interval(a.low + b.low, a.high + b.high)


def times(a: Interval, b: Interval) -> Interval:
    """Return all that a · b can be: the extremes lie at the corners, whatever the signs."""
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(corners), max(corners))


def over(a: Interval, b: Interval) -> Interval | Undefined:
    """Return all that a / b can be; undefined where b may be zero."""
    if b.low <= 0 <= b.high:
        return Undefined("the denominator may be zero")
    corners = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(corners), max(corners))


def power(a: Interval, b: Interval) -> Interval | Undefined:
    """Return all that a**b can be.

    Of positive numbers it is monotone in each, so the corners hold the extremes. Undefined for a
    negative power of a number that may be zero, another than a known whole power of one that may
    be negative, and one too large for a float.
    """
    if b.low < 0 and a.low <= 0 <= a.high:
        return Undefined("a negative power of a number that may be zero")
    if a.low < 0 and b.low < b.high:
        return Undefined("a power, known to its decimals, of a number that may be negative")
    if a.low < 0 and b.low != int(b.low):
        return Undefined("a fractional power of a number that may be negative")
    try:
        corners = [base**exponent for base in (a.low, a.high) for exponent in (b.low, b.high)]
    except OverflowError:
        return Undefined("a power beyond the range of numbers")
    if a.low < 0 < a.high and b.low % 2 == 0:
        corners.append(0.0)
    return Interval(min(corners), max(corners))


def log10(a: Interval) -> Interval | Undefined:
    """Return all that the decimal logarithm can be; undefined where a may be zero."""
    if a.low <= 0:
        return Undefined("the ratio may be zero")
    return Interval(math.log10(a.low), math.log10(a.high))


def mean(values: Sequence[Interval]) -> Interval:
    """Return all that the mean can be."""
    return Interval(
        math.fsum(v.low for v in values) / len(values),
        math.fsum(v.high for v in values) / len(values),
    )


def total(values: Sequence[Interval]) -> Interval:
    """Return all that the sum can be: parts against their whole."""
    return Interval(math.fsum(v.low for v in values), math.fsum(v.high for v in values))


def hull(values: Sequence[Interval]) -> Interval:
    """Return where a mean lies whatever its weights: a rate of the whole among its parts' rates."""
    return Interval(min(v.low for v in values), max(v.high for v in values))


def quantile(values: Sequence[Interval], share: float) -> Interval:
    """Interpolate linearly between order statistics, as numpy and R's type 7 do.

    The result is monotone in every value, so the ends follow from the ends.
    """
    return Interval(
        _quantile([v.low for v in values], share), _quantile([v.high for v in values], share)
    )


def _quantile(values: list[float], share: float) -> float:
    """Return a quantile of exact numbers by linear interpolation."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def sd(values: Sequence[Interval], ddof: int = 1) -> Interval | Undefined:
    """Return the smallest and largest SD of numbers inside the intervals.

    ddof 1 divides by n − 1. Undefined for too few values.
    """
    n = len(values)
    if n <= ddof:
        return Undefined(f"an SD needs more than {ddof} value{'s' if ddof > 1 else ''}")
    return Interval(_least_sd(values, ddof), _largest_sd(values, ddof))


def _spread(numbers: Sequence[float], ddof: int) -> float:
    """Return the standard deviation of exact numbers."""
    centre = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in numbers) / (len(numbers) - ddof))


def _largest_sd(values: Sequence[Interval], ddof: int) -> float:
    # The variance is convex in every number, so it is largest at a corner of the box.
    """Return the largest SD of numbers inside the intervals, or a bound above it."""
    if len(values) <= EXACT_SPREAD:
        loose = [(v.low, v.high) if v.high > v.low else (v.low,) for v in values]
        return max(_spread(corner, ddof) for corner in itertools.product(*loose))
    # By the triangle inequality, half-widths h add at most √Σh² to √Σ(x − mean)².
    middle = _spread([v.middle for v in values], ddof)
    return middle + math.sqrt(
        sum(((v.high - v.low) / 2) ** 2 for v in values) / (len(values) - ddof)
    )


def _least_sd(values: Sequence[Interval], ddof: int) -> float:
    """Return the smallest SD of numbers inside the intervals.

    The numbers are pulled towards one centre that is their own mean: a fixed point, found by
    bisection.
    """
    low, high = min(v.low for v in values), max(v.high for v in values)
    # The mean of the pulled numbers minus the centre falls as the centre rises: it is 0 once.
    for _ in range(60):
        centre = (low + high) / 2
        pulled = [min(max(centre, v.low), v.high) for v in values]
        if math.fsum(pulled) / len(pulled) > centre:
            low = centre
        else:
            high = centre
    return _spread([min(max((low + high) / 2, v.low), v.high) for v in values], ddof)


def span(values: Sequence[Interval]) -> Interval:
    """Return all that max − min can be."""
    least = max(0.0, max(v.low for v in values) - min(v.high for v in values))
    return Interval(least, max(v.high for v in values) - min(v.low for v in values))
