"""Intervals: what a printed number may have been before rounding, and what follows for means, spreads and tests.

A measured number is an interval of width 0, so the same arithmetic serves both. Bounds are exact for differences,
ratios, means, quantiles and, up to ten values, spreads; more values get a bound that cannot be too narrow.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

EXACT_SPREAD = 10
"""Up to this many values, the largest SD over a box is found at its corners."""


@dataclass(frozen=True, slots=True)
class Interval:
    """low ≤ the number ≤ high. A truth is 1 (true), 0 (false) or 0 to 1 (cannot be decided)."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        if math.isinf(self.low) or math.isinf(self.high):
            return self.high if math.isinf(self.low) else self.low
        return (self.low + self.high) / 2

    def holds(self, number: float) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a value is not to be had."""

    reason: str


@dataclass(frozen=True, slots=True)
class Levels:
    """A list: of seeds, of class counts."""

    values: tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A word: the weakest concept, an outcome."""

    name: str


Value = Interval | Missing | Levels | Category
TRUE, FALSE, UNKNOWN = Interval(1, 1), Interval(0, 0), Interval(0, 1)


def point(number: float) -> Interval:
    return Interval(number, number)


def truth(certain: bool, possible: bool) -> Interval:
    return Interval(float(certain), float(possible))


def minus(a: Interval, b: Interval) -> Interval:
    return Interval(a.low - b.high, a.high - b.low)


def plus(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high)


def times(a: Interval, b: Interval) -> Interval:
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(corners), max(corners))


def over(a: Interval, b: Interval) -> Interval | Missing:
    if b.low <= 0 <= b.high:
        return Missing("the denominator may be zero")
    corners = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(corners), max(corners))


def power(a: Interval, exponent: float) -> Interval | Missing:
    if a.low < 0 and exponent != int(exponent):
        return Missing("a fractional power of a number that may be negative")
    corners = [a.low**exponent, a.high**exponent, *([0.0] if a.low < 0 < a.high and exponent % 2 == 0 else [])]
    return Interval(min(corners), max(corners))


def log10(a: Interval) -> Interval | Missing:
    if a.low <= 0:
        return Missing("the ratio may be zero")
    return Interval(math.log10(a.low), math.log10(a.high))


def mean(values: Sequence[Interval]) -> Interval:
    return Interval(math.fsum(v.low for v in values) / len(values), math.fsum(v.high for v in values) / len(values))


def quantile(values: Sequence[Interval], share: float) -> Interval:
    """Linear interpolation between order statistics (the default of numpy and R's type 7); monotone in every value."""
    return Interval(_quantile([v.low for v in values], share), _quantile([v.high for v in values], share))


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def sd(values: Sequence[Interval], ddof: int = 1) -> Interval | Missing:
    """Smallest and largest SD of numbers inside the intervals; ddof 1 divides by n − 1."""
    n = len(values)
    if n <= ddof:
        return Missing(f"an SD needs more than {ddof} value{'s' if ddof > 1 else ''}")
    return Interval(_least_sd(values, ddof), _largest_sd(values, ddof))


def _spread(numbers: Sequence[float], ddof: int) -> float:
    centre = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in numbers) / (len(numbers) - ddof))


def _largest_sd(values: Sequence[Interval], ddof: int) -> float:
    if len(values) <= EXACT_SPREAD:
        loose = [(v.low, v.high) if v.high > v.low else (v.low,) for v in values]
        return max(_spread(corner, ddof) for corner in itertools.product(*loose))
    middle = _spread([v.middle for v in values], ddof)
    return middle + math.sqrt(sum(((v.high - v.low) / 2) ** 2 for v in values) / (len(values) - ddof))


def _least_sd(values: Sequence[Interval], ddof: int) -> float:
    """The values pulled towards one centre t, where t is their own mean: a fixed point, found by bisection."""
    low, high = min(v.low for v in values), max(v.high for v in values)
    for _ in range(60):
        centre = (low + high) / 2
        pulled = [min(max(centre, v.low), v.high) for v in values]
        if math.fsum(pulled) / len(pulled) > centre:
            low = centre
        else:
            high = centre
    return _spread([min(max((low + high) / 2, v.low), v.high) for v in values], ddof)


def span(values: Sequence[Interval]) -> Interval:
    """max − min."""
    least = max(0.0, max(v.low for v in values) - min(v.high for v in values))
    return Interval(least, max(v.high for v in values) - min(v.low for v in values))
