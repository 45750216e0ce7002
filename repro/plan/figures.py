"""Estimates as a person would say them: two digits, thousands set apart, nothing tiny spelled out."""

from math import floor, log10

LEAST = 0.01


def figure(value: float) -> str:
    """ "2,500", "16", "0.25"; "under 0.01" for less than that, "0" for nothing at all."""
    if value == 0:
        return "0"
    if value < LEAST:
        return f"under {LEAST}"
    rounded = round(value, 1 - floor(log10(value)))
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def span(low: float, high: float, joint: str = "–") -> str:
    """ "2,500–16,000"; "up to 0.05" where the low end is tiny, one figure where both ends read the same."""
    ends = figure(low), figure(high)
    if ends[0] == ends[1]:
        return ends[1]
    return f"up to {ends[1]}" if low < LEAST else joint.join(ends)


def digits(value: float) -> float:
    """For machines: three significant digits, so that nothing small becomes zero."""
    return float(f"{value:.3g}")
