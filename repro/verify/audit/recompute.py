"""What other prints determine: means, medians, quartiles, differences, ratios, formulas, orderings, "all", "only".

Nothing here knows a paper: every claim whose term the algebra can derive from other cells is compared with the result.
SDs, tests, intervals and trajectories have modules of their own; they need more than one reading.
"""

from collections.abc import Iterator

from repro.manifest.claim import Claim
from repro.manifest.claim_term import TRUTHS, Term
from repro.verify.algebra import derive, evaluate, series
from repro.verify.algebra_interval import Interval, Levels, Missing, Value
from repro.verify.audit.check import Check, Outcome, Severity, fits
from repro.verify.audit.prints import Near, Prints, describe

FAMILY = {
    "mean": "mean", "median": "median", "q25": "quartile", "q75": "quartile", "iqr": "quartile", "min": "extreme",
    "max": "extreme", "span": "extreme", "count": "count", "percentage": "percentage", "difference": "difference",
    "relative_change": "relative_change", "ratio": "ratio", "orders_of_magnitude": "orders_of_magnitude",
    "formula": "formula", "rank_bound": "rank", "theory_bound": "theory_bound", "spearman": "correlation",
    "pearson": "correlation", "collapse_step": "collapse_step", "recovery": "recovery", "count_where": "quantifier",
    "share": "quantifier", "all": "quantifier", "none": "quantifier", "only": "quantifier", "highest": "superlative",
    "lowest": "superlative", "position": "superlative", "equals": "ordering", "above": "ordering", "below": "ordering",
    "at_least": "ordering", "at_most": "ordering", "monotone": "monotone", "identical": "identical",
    "proportional": "proportional",
}  # fmt: skip
"""Statistic → kind of check."""


def checks(prints: Prints) -> Iterator[Check]:
    """One check for every claim that follows from other prints, decided or not."""
    for claim in prints.claims:
        if claim.statistic in FAMILY:
            yield recompute(claim, prints)


def recompute(claim: Claim, prints: Prints) -> Check:
    """The claim against its own derivation; where exact counts deny it, rounded percentages may still explain it."""
    lookup = prints.near(claim)
    value = derive(claim.term, lookup)
    verdict, gravity, explanation = compare(claim, value)
    if verdict == "inconsistent" and claim.statistic in TRUTHS:
        explanation += cells(claim.term, lookup)
    if verdict == "inconsistent":
        again = prints.near(claim, rounded=True)
        if compare(claim, derive(claim.term, again))[0] == "consistent":
            verdict, gravity = "inconsistent", "rounding"
            explanation += "; computed from the rounded percentages, not from the counts"
    return check_of(claim, lookup, value, (verdict, gravity), explanation)


def compare(claim: Claim, value: Value) -> tuple[Outcome, Severity, str]:
    """Outcome, severity and explanation of one claim against one recomputed value."""
    what = describe(claim.term)
    if isinstance(value, Missing):
        return "undecidable", "none", f"{what}: {value.reason}"
    if claim.statistic in TRUTHS and isinstance(value, Interval):
        return _truth(claim, value, what)
    if isinstance(value, Interval) and claim.is_number:
        verdict, gravity = fits(claim, value)
        return verdict, gravity, f"{what}: printed {claim.printed}, other prints give {shown(value)}"
    if isinstance(value, Levels) and isinstance(claim.value, tuple):
        same = sorted(map(str, value.values)) == sorted(map(str, claim.value))
        return ("consistent", "none", what) if same else ("inconsistent", "substantive", f"{what}: {value.values}")
    return "undecidable", "none", f"{what}: nothing comparable is printed"


def _truth(claim: Claim, value: Interval, what: str) -> tuple[Outcome, Severity, str]:
    said = f"“{claim.printed}”, read as {what}"
    if value.low != value.high:
        return "undecidable", "none", f"{said}: the printed decimals do not decide it"
    if bool(value.low) == claim.value:
        return "consistent", "none", f"{said}: holds for the printed numbers"
    return "inconsistent", "substantive", f"{said}: does not hold for the printed numbers"


def cells(term: Term, lookup: Near) -> str:
    """The values a relation is about, for the explanation: "B0: 96, B1: 78", or the two that are compared."""
    if term.over:
        levels, values = series(term, lookup, term.over)
        if not isinstance(values, Missing):
            return ": " + ", ".join(f"{level}: {shown(value)}" for level, value in zip(levels, values, strict=True))
    pair = [evaluate(inner, lookup) for inner in (term.of, term.against) if inner]
    known = [shown(value) for value in pair if isinstance(value, Interval)]
    return f": {' against '.join(known)}" if known else ""


def shown(value: Interval) -> str:
    """An interval as text: one number when it is one."""
    if abs(value.high - value.low) <= 1e-9 * max(1.0, abs(value.high)):
        return f"{value.middle:.6g}"
    return f"{value.low:.6g} to {value.high:.6g}"


def check_of(
    claim: Claim, lookup: Near, value: Value, outcome: tuple[Outcome, Severity], explanation: str, name: str = ""
) -> Check:
    """The record of one comparison."""
    name = name or FAMILY[claim.statistic]
    recomputed: float | bool | str | None = None
    if isinstance(value, Interval):
        recomputed = value.middle
        if claim.statistic in TRUTHS:
            recomputed = bool(value.low) if value.low == value.high else None
    elif isinstance(value, Levels):
        recomputed = ", ".join(map(str, value.values))
    printed = ", ".join(map(str, claim.value)) if isinstance(claim.value, tuple) else claim.value
    inputs = (claim.id, *(other for other in lookup.read if other != claim.id))
    return Check(
        id=f"{name}:{claim.id}", check=name, inputs=inputs, papers=(claim.source,), locator=claim.locator, printed=printed,
        recomputed=recomputed, verdict=outcome[0], severity=outcome[1], explanation=explanation,
    )  # fmt: skip
