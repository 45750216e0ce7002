"""One check of the audit: what was printed, what other prints say it must be, and how far apart they are.

Severity, by this rule: *rounding*, the gap is at most one unit of the last printed digit, so a slip in rounding explains
it; *minor*, the gap is at most 5 % of the larger value and no statement turns on it; *substantive*, everything else: a
larger gap, a changed sign, a p-value on the other side of 0.05, a relation that does not hold.
"""

import math
from typing import Literal

from pydantic import Field

from repro.frozen import Frozen
from repro.manifest.claim import Claim
from repro.verify.algebra_interval import Interval

Outcome = Literal["consistent", "inconsistent", "undecidable"]
Severity = Literal["none", "rounding", "minor", "substantive"]
MINOR = 0.05
_SLACK = 1e-9


class Check(Frozen):
    """One comparison; `recomputed` and `printed` are the two values, as text where they are not numbers."""

    id: str
    check: str
    inputs: tuple[str, ...]
    """Ids of the claims compared, the one checked first."""
    papers: tuple[str, ...] = Field(exclude=True)
    locator: str = Field(exclude=True)
    printed: float | bool | str
    recomputed: float | bool | str | None
    verdict: Outcome
    severity: Severity
    explanation: str


def allowed(claim: Claim) -> Interval:
    """The interval a numeric claim's print allows; open sides are infinite."""
    return Interval(
        -math.inf if claim.low is None else claim.low,
        math.inf if claim.high is None else claim.high,
    )


def apart(a: Interval, b: Interval) -> float:
    """The gap between two intervals; 0 when they have a number in common."""
    gap = max(a.low - b.high, b.low - a.high, 0.0)
    scale = max((abs(end) for end in (a.low, a.high, b.low, b.high) if math.isfinite(end)), default=0.0)
    return gap if gap > _SLACK * max(1.0, scale) else 0.0


def severity(printed: Interval, recomputed: Interval, unit: float) -> Severity:
    """The rule above; `unit` is the weight of the last printed digit."""
    gap = apart(printed, recomputed)
    if gap == 0:
        return "none"
    if gap <= unit * (1 + _SLACK):
        return "rounding"
    size = max((abs(end) for end in (printed.low, printed.high, recomputed.middle) if math.isfinite(end)), default=0.0)
    same_sign = printed.middle * recomputed.middle > 0
    return "minor" if same_sign and gap <= MINOR * size else "substantive"


def unit_of(claim: Claim) -> float:
    """What a slip in rounding is worth; nothing where "about" has widened the print already."""
    return 0.0 if claim.qualifier in ("about", "nearly") else claim.digit


def fits(claim: Claim, recomputed: Interval) -> tuple[Outcome, Severity]:
    """A numeric claim against the interval other prints leave: equal where they overlap; one-sided bounds must hold."""
    printed = allowed(claim)
    gap = severity(printed, recomputed, unit_of(claim))
    if claim.qualifier not in ("below", "above", "at_most", "at_least"):
        return ("consistent", "none") if gap == "none" else ("inconsistent", gap)
    strict = claim.qualifier in ("below", "above")
    if gap != "none":
        return "inconsistent", gap
    middle_holds = printed.holds(recomputed.middle) and not (
        strict and math.isclose(recomputed.middle, claim.number, rel_tol=_SLACK)
    )
    if middle_holds:
        return "consistent", "none"
    return ("inconsistent", "rounding") if recomputed.low == recomputed.high else ("undecidable", "rounding")
