"""One check of the audit: what was printed, what other prints say it must be, and the gap between.

Severity, by this rule: *rounding*, the gap is at most one unit of the last printed digit, so a slip
in rounding explains it; *minor*, the gap is at most 5 % of the larger value and no statement turns
on it; *substantive*, everything else: a larger gap, a changed sign, a p-value on the other side of
0.05, a relation that does not hold.
"""

import math
from decimal import Decimal
from typing import Literal

from pydantic import Field

from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.frozen import Frozen

CheckVerdict = Literal["consistent", "inconsistent", "undecidable"]
Severity = Literal["none", "rounding", "minor", "substantive"]
MINOR = 0.05
_FEW = 10
"""Below it a bare whole number is a rating or a count; measurements keep two digits."""
_SLACK = 1e-9


class Check(Frozen):
    """One comparison of a printed value with a recomputed one; as text where not numbers."""

    id: str
    check: str
    inputs: tuple[str, ...]
    """Ids of the claims compared, the one checked first."""
    papers: tuple[str, ...] = Field(exclude=True)
    locator: str = Field(exclude=True)
    printed: float | bool | str
    recomputed: float | bool | str | None
    verdict: CheckVerdict
    severity: Severity
    explanation: str


def allowed_interval(claim: Claim) -> Interval:
    """Return the interval that a numeric claim's print allows; open sides are infinite."""
    return Interval(
        -math.inf if claim.low is None else claim.low,
        math.inf if claim.high is None else claim.high,
    )


def as_rounded(claim: Claim) -> Interval:
    """Return `allowed`, widened where a bare whole number may be a measurement rounded to units.

    No print tells such a number from a count.
    """
    printed = allowed_interval(claim)
    if not is_bare(claim):
        return printed
    exponent = Decimal(repr(claim.number)).normalize().as_tuple().exponent
    # 3e-5: half of 1e-5
    half = 0.5 if claim.number == int(claim.number) else 10.0 ** int(exponent) / 2
    return Interval(printed.low - half, printed.high + half)


def is_bare(claim: Claim) -> bool:
    """Tell whether a measured number is printed whole, with nothing that makes it a count.

    Such things are a unit, a total, or a word.
    """
    measured = claim.basis == "measured" and claim.statistic not in (
        "count",
        "formula",
        "count_where",
        "position",
    )
    exact = (
        claim.is_number
        and claim.low == claim.high
        and any(sign.isdigit() for sign in claim.printed)
    )
    large = exact and (abs(claim.number) >= _FEW or claim.number != int(claim.number))
    return (
        measured
        and large
        and claim.digit == 0
        and claim.total is None
        and claim.qualifier == "exact"
    )


def gap_between(a: Interval, b: Interval) -> float:
    """Return the gap between two intervals; 0 when they have a number in common."""
    gap = max(a.low - b.high, b.low - a.high, 0.0)
    scale = max(
        (abs(end) for end in (a.low, a.high, b.low, b.high) if math.isfinite(end)), default=0.0
    )
    widths = [i.high - i.low for i in (a, b) if math.isfinite(i.high - i.low) and i.high > i.low]
    slack = _SLACK * max(1.0, scale)
    # never as much as the print itself tells: constants have 12 digits, or 27 zeros in front
    if widths:
        slack = min(slack, max(min(widths) / 100, 1e-14 * scale))
    return gap if gap > slack else 0.0


def severity(printed: Interval, recomputed: Interval, unit: float) -> Severity:
    """Judge the gap between two intervals by the rule above; `unit` weighs the last digit."""
    gap = gap_between(printed, recomputed)
    if gap == 0:
        return "none"
    if gap <= unit * (1 + _SLACK):
        return "rounding"
    size = max(
        (abs(end) for end in (printed.low, printed.high, recomputed.middle) if math.isfinite(end)),
        default=0.0,
    )
    same_sign = printed.middle * recomputed.middle > 0
    return "minor" if same_sign and gap <= MINOR * size else "substantive"


def unit_of(claim: Claim) -> float:
    """Return what a slip in rounding is worth; 0 where "about" has widened the print already."""
    return 0.0 if claim.qualifier in ("about", "nearly") else claim.digit


def fits(claim: Claim, recomputed: Interval) -> tuple[CheckVerdict, Severity]:
    """Compare a numeric claim with the interval that other prints leave.

    They are equal where they overlap; a one-sided bound must hold.
    """
    printed = allowed_interval(claim)
    gap = severity(printed, recomputed, unit_of(claim))
    if claim.qualifier not in ("below", "above", "at_most", "at_least"):
        return ("consistent", "none") if gap == "none" else ("inconsistent", gap)
    strict = claim.qualifier in ("below", "above")
    if gap != "none":
        return "inconsistent", gap
    # A bound may hold for part of a wide interval only: its middle decides, and a miss of the
    # middle is undecidable unless the interval is one number.
    middle_holds = printed.holds(recomputed.middle) and not (
        strict and math.isclose(recomputed.middle, claim.number, rel_tol=_SLACK)
    )
    if middle_holds:
        return "consistent", "none"
    return (
        ("inconsistent", "rounding")
        if recomputed.low == recomputed.high
        else ("undecidable", "rounding")
    )
