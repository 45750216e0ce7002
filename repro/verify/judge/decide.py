"""Decide the outcome from a comparison, as docs/SCIENCE.md §13 states it."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from repro.claims.claim import Claim
from repro.verify.statistics import SIGNIFICANCE, Comparison
from repro.verify.verdict import Estimate, Outcome

ABSOLUTE = 0.01
"""Margin where neither a spread nor an effect is printed, unless the tolerance declares one."""
_PERCENT = 100.0
MARGIN_SHARE = 0.25
"""Share of the claimed effect within which two results count as the same."""
HALF = 0.5
"""Share of the claimed effect that a consistent result has to exclude."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome, its reason, and the numbers behind it."""

    outcome: Outcome
    reason: str
    comparison: Comparison | None = None
    p: float | None = None
    """p of a contradiction, before any correction; None where these runs cannot contradict."""


class Sizes(NamedTuple):
    """The claimed effect, and the margin within which two results count as the same."""

    effect: float
    margin: float


class Reservations(NamedTuple):
    """What keeps evidence from saying more, in words; empty where nothing does."""

    reproduces: str = ""
    """Why equality is at best consistent."""
    contradicts: str = ""
    """Why a difference is at most inconclusive."""


def decide(
    comparison: Comparison, effect: float, seen: str, limits: Reservations | None = None
) -> Judgement:
    """Decide by equivalence, then by the interval of a repetition, then by what it excludes."""
    limits = limits or Reservations()
    p = None if limits.contradicts else comparison.p
    # Equivalence comes first: many runs make a tiny difference significant, and it is still
    # within the margin.
    if comparison.p_equivalent < SIGNIFICANCE:
        said = f"{seen}; equivalent within {comparison.margin:.3g}"
        if comparison.p < SIGNIFICANCE:
            said += f", though the difference is significant (p = {comparison.p:.2g})"
        if limits.reproduces:
            return Judgement("consistent", f"{said}; {limits.reproduces}", comparison, p)
        return Judgement("reproduced", said, comparison, p)
    if comparison.p < SIGNIFICANCE:
        said = f"{seen}; outside the interval, p = {comparison.p:.2g}"
        if limits.contradicts:
            return Judgement("inconclusive", f"{said}, but {limits.contradicts}", comparison)
        return Judgement("contradicted", said, comparison, p)
    if abs(comparison.difference) <= comparison.half_width < HALF * effect:
        said = f"{seen}; inside, and it excludes half the effect {effect:.3g}"
        said += f"; {limits.reproduces}" if limits.reproduces else ""
        return Judgement("consistent", said, comparison, p)
    if abs(comparison.difference) > comparison.half_width > 0:
        said = (
            f"{seen}; outside, but not beyond our own spread or what seeds in two clusters "
            f"do (p = {comparison.p:.2g})"
        )
        return Judgement("inconclusive", said, comparison, p)
    return Judgement(
        "inconclusive", f"{seen}; too wide to tell (claimed effect {effect:.3g})", comparison, p
    )


def sizes(claim: Claim, estimate: Estimate) -> Sizes:
    """Return effect and margin: ¼ of the effect unless the tolerance says otherwise.

    Where the paper prints nothing to compare with, the margin is absolute, and at most ¼ of the
    value itself.
    """
    given = claim.tolerance.parameters
    share = given.get("margin_share", MARGIN_SHARE)
    effect = estimate.effect
    if effect is None:
        absolute = absolute_margin(claim)
        value = abs(claim.value) if claim.is_number and isinstance(claim.value, float) else 0.0
        effect = min(absolute, share * value) / share if value else absolute / share
    return Sizes(effect, given.get("margin", share * effect))


def absolute_margin(claim: Claim) -> float:
    """Return the tolerance's absolute margin in the claim's unit: 0.01 is one point of percent.

    Otherwise 94.1 % would be judged a hundred times more strictly than 0.941.
    """
    scale = _PERCENT if claim.unit == "percent" else 1.0
    return scale * claim.tolerance.parameters.get("absolute", ABSOLUTE)


def outside(claim: Claim, value: float) -> float:
    """Return the signed distance of a value from what the printed decimals allow; 0 inside."""
    low = -math.inf if claim.low is None else claim.low
    high = math.inf if claim.high is None else claim.high
    return max(value - high, 0.0) + min(value - low, 0.0)


def runs(estimate: Estimate) -> str:
    """Return the number of runs in words."""
    return "1 run" if estimate.n == 1 else f"{estimate.n} runs"


def text(value: object) -> str:
    """Return a value for a sentence."""
    return (
        f"{value:.4g}" if isinstance(value, float) and not isinstance(value, bool) else str(value)
    )
