"""What other prints determine: means, differences, ratios, formulas, orderings, "all", "only".

Nothing here knows a paper: every claim whose term the algebra can derive from other cells is
compared with the result. SDs, tests, intervals and trajectories have modules of their own; they
need more than one reading.
"""

from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity, as_rounded, fits, is_bare
from repro.audit.prints import Near, PrintedNumbers, describe, over_seeds
from repro.claims.algebra.evaluate import at, derive, evaluate, series
from repro.claims.algebra.interval import Interval, Levels, Value
from repro.claims.claim import Claim
from repro.claims.term import TRUTHS, Term
from repro.geometry.undefined import Undefined

FAMILY = {
    "mean": "mean", "median": "median", "q25": "quartile", "q75": "quartile", "iqr": "quartile", "min": "extreme",
    "max": "extreme", "span": "extreme",
    "sum": "sum", "pooled": "pooled", "count": "count", "percentage": "percentage", "difference": "difference",
    "relative_change": "relative_change", "ratio": "ratio", "orders_of_magnitude": "orders_of_magnitude",
    "formula": "formula", "rank_bound": "rank", "theory_bound": "theory_bound", "spearman": "correlation",
    "pearson": "correlation", "collapse_step": "collapse_step", "recovery": "recovery", "count_where": "quantifier",
    "share": "quantifier", "all": "quantifier", "none": "quantifier", "only": "quantifier", "highest": "superlative",
    "lowest": "superlative", "position": "superlative", "equals": "ordering", "above": "ordering", "below": "ordering",
    "at_least": "ordering", "at_most": "ordering", "monotone": "monotone", "identical": "identical",
    "proportional": "proportional",
}  # fmt: skip
"""Statistic → kind of check."""


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one check for every claim that follows from other prints, decided or not."""
    for claim in prints.claims:
        if claim.statistic in FAMILY:
            yield recompute(claim, prints)


def recompute(claim: Claim, prints: PrintedNumbers) -> Check:
    """Compare the claim with its own derivation.

    Where exact counts deny it, rounded percentages may still explain it.
    """
    lookup = prints.near(claim)
    value = derive(claim.term, lookup)
    verdict, gravity, explanation = _compare(claim, value)
    if verdict == "inconsistent" and claim.statistic in TRUTHS:
        explanation += cells(claim.term, lookup)
    if verdict == "inconsistent":
        again = prints.near(claim, rounded=True)
        if _compare(claim, derive(claim.term, again))[0] == "consistent":
            verdict, gravity = "inconsistent", "rounding"
            explanation += "; computed from the rounded percentages, not from the counts"
        elif _if_whole_are_rounded(claim, prints):
            verdict, gravity = "undecidable", "rounding"
            explanation += "; unless whole numbers are rounded ones"
        elif (read := _by_seeds(claim, prints)) is not None:
            verdict, gravity, more = read
            explanation += more
    return check_of(claim, lookup, value, (verdict, gravity), explanation)


def _by_seeds(claim: Claim, prints: PrintedNumbers) -> tuple[CheckVerdict, Severity, str] | None:
    """Return how cells that name no seed read otherwise: as means over seeds, or as one seed alone.

    None where no reading agrees. What holds for one seed and is said of a model is an
    inconsistency, but not a substantive one.
    """
    means = over_seeds(claim.term)
    if means.key == claim.term.key:
        return None
    value = derive(means, prints.near(claim))
    verdict, gravity, _ = _compare(claim, value)
    if verdict == "consistent":
        return "consistent", "none", "; as means over seeds it agrees"
    if verdict == "inconsistent" and gravity != "substantive" and isinstance(value, Interval):
        return verdict, gravity, f"; means over seeds give {write_interval(value)}"
    cells = [leaf for leaf in claim.term.leaves() if "seed" not in leaf.selector]
    for seed in dict.fromkeys(seed for leaf in cells for seed in prints.seen(leaf, "seed")):
        if (
            _compare(claim, derive(at(claim.term, "seed", seed), prints.near(claim)))[0]
            == "consistent"
        ):
            return (
                "inconsistent",
                "minor",
                f"; it agrees for seed {seed} alone, which is not said beside it",
            )
    return None


def _if_whole_are_rounded(claim: Claim, prints: PrintedNumbers) -> bool:
    """Tell whether the print agrees once bare whole numbers are measurements rounded to units.

    Its own number counts among them.
    """
    own = as_rounded(claim)
    widened = (
        claim.model_copy(update={"low": own.low, "high": own.high}) if is_bare(claim) else claim
    )
    return _compare(widened, derive(claim.term, prints.near(claim, whole=True)))[0] == "consistent"


def _compare(claim: Claim, value: Value) -> tuple[CheckVerdict, Severity, str]:
    """Return outcome, severity and explanation of one claim against one recomputed value."""
    what = describe(claim.term)
    if isinstance(value, Undefined):
        return "undecidable", "none", f"{what}: {value.reason}"
    if claim.statistic in TRUTHS and isinstance(value, Interval):
        return _truth(claim, value, what)
    if isinstance(value, Interval) and claim.is_number:
        verdict, gravity = fits(claim, value)
        return (
            verdict,
            gravity,
            f"{what}: printed {claim.printed}, other prints give {write_interval(value)}",
        )
    if isinstance(value, Levels) and isinstance(claim.value, tuple):
        same = sorted(map(str, value.values)) == sorted(map(str, claim.value))
        return (
            ("consistent", "none", what)
            if same
            else ("inconsistent", "substantive", f"{what}: {value.values}")
        )
    return "undecidable", "none", f"{what}: nothing comparable is printed"


def _truth(claim: Claim, value: Interval, what: str) -> tuple[CheckVerdict, Severity, str]:
    """Compare a claimed truth with the recomputed one, undecided where decimals leave it open."""
    said = f"“{claim.printed}”, read as {what}"
    if value.low != value.high:
        return "undecidable", "none", f"{said}: the printed decimals do not decide it"
    if bool(value.low) == claim.value:
        return "consistent", "none", f"{said}: holds for the printed numbers"
    return "inconsistent", "substantive", f"{said}: does not hold for the printed numbers"


def cells(term: Term, lookup: Near) -> str:
    """Return the values that a relation is about, for the explanation: "B0: 96, B1: 78".

    For two that are compared, both of them.
    """
    if term.over:
        levels, values = series(term, lookup, term.over)
        if not isinstance(values, Undefined):
            return ": " + ", ".join(
                f"{level}: {write_interval(value)}"
                for level, value in zip(levels, values, strict=True)
            )
    pair = [evaluate(inner, lookup) for inner in term.operands]
    known = [write_interval(value) for value in pair if isinstance(value, Interval)]
    return f": {' against '.join(known)}" if known else ""


def write_interval(value: Interval) -> str:
    """Write an interval as text: one number when it is one."""
    if abs(value.high - value.low) <= 1e-9 * max(1.0, abs(value.high)):
        return f"{value.middle:.6g}"
    return f"{value.low:.6g} to {value.high:.6g}"


def check_of(
    claim: Claim,
    lookup: Near,
    value: Value,
    outcome: tuple[CheckVerdict, Severity],
    explanation: str,
    name: str = "",
) -> Check:
    """Build the record of one comparison."""
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
