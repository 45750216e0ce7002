"""Round estimates for people: two digits, thousands separated, nothing tiny spelled out."""

from dataclasses import dataclass
from math import floor, log10

_LEAST = 0.01


@dataclass(frozen=True)
class Range:
    """An estimate, low and high."""

    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Range") -> "Range":
        """Return the sum of both."""
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> "Range":
        """Return both ends times a factor."""
        return Range(self.low * factor, self.high * factor)


def figure(value: float) -> str:
    """Return two digits: "2,500", "16", "0.25"; "under 0.01" for less than that, "0" for zero."""
    if value == 0:
        return "0"
    if value < _LEAST:
        return f"under {_LEAST}"
    rounded = round(value, 1 - floor(log10(value)))
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def write_range(estimate: Range, joint: str = "–") -> str:
    """Return a range: "2,500–16,000"; "up to 0.05" from a tiny low end.

    One figure where both ends read the same.
    """
    ends = figure(estimate.low), figure(estimate.high)
    if ends[0] == ends[1]:
        return ends[1]
    return f"up to {ends[1]}" if estimate.low < _LEAST else joint.join(ends)


def digits(value: float) -> float:
    """Return three significant digits, for machines, so that nothing small becomes zero."""
    return float(f"{value:.3g}")
