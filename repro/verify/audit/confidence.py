"""Printed confidence intervals of a difference of two proportions: which formula, if any, gives them.

Tried are the common formulas (statsmodels: Wald, Newcombe, Agresti–Caffo) and wrong ones that papers use (a single
proportion; a pooled variance), so the report names the formula behind the print.
"""

import math
from collections.abc import Callable, Iterator

from repro.manifest.claim import Claim
from repro.verify.algebra import proportion
from repro.verify.algebra_interval import Interval, Missing
from repro.verify.audit.check import Check, Outcome, Severity, allowed
from repro.verify.audit.prints import Near, Prints, describe
from repro.verify.audit.recompute import check_of

LEVEL = 0.05
Counts = tuple[float, int, float, int]
"""Successes and total of the first, successes and total of the second."""


def checks(prints: Prints) -> Iterator[Check]:
    """One check for every printed interval, at its lower end."""
    for claim in prints.claims:
        if claim.statistic == "ci_low":
            yield confidence_interval(claim, prints)


def counts_of(claim: Claim, lookup: Near) -> Counts | None:
    """The two counts behind a difference, when both are printed exactly."""
    if claim.term.of is None or claim.term.against is None:
        return None
    first, second = proportion(claim.term.of, lookup), proportion(claim.term.against, lookup)
    if isinstance(first, Missing) or isinstance(second, Missing):
        return None
    (one, n_one), (two, n_two) = first, second
    return one.middle * n_one, n_one, two.middle * n_two, n_two


def _two(method: str) -> Callable[[Counts], tuple[float, float]]:
    def ends(counts: Counts) -> tuple[float, float]:
        from statsmodels.stats.proportion import confint_proportions_2indep

        a, n_a, b, n_b = counts
        low, high = confint_proportions_2indep(a, n_a, b, n_b, method=method, compare="diff")
        return 100 * float(low), 100 * float(high)

    return ends


def _one_sample(counts: Counts) -> tuple[float, float]:
    a, n_a, b, n_b = counts
    half = 1.959963985 * math.sqrt(a / n_a * (1 - a / n_a) / n_a)
    return 100 * (a / n_a - b / n_b - half), 100 * (a / n_a - b / n_b + half)


def _pooled(counts: Counts) -> tuple[float, float]:
    a, n_a, b, n_b = counts
    share = (a + b) / (n_a + n_b)
    half = 1.959963985 * math.sqrt(share * (1 - share) * (1 / n_a + 1 / n_b))
    return 100 * (a / n_a - b / n_b - half), 100 * (a / n_a - b / n_b + half)


FORMULAS: dict[str, Callable[[Counts], tuple[float, float]]] = {
    "Wald": _two("wald"),
    "Newcombe": _two("newcomb"),
    "Agresti–Caffo": _two("agresti-caffo"),
}
"""Intervals of a difference of two independent proportions."""
MISTAKEN: dict[str, Callable[[Counts], tuple[float, float]]] = {
    "the interval of the first proportion alone, the other taken as exact": _one_sample,
    "the pooled variance, which belongs to the test, not to the interval": _pooled,
}


def confidence_interval(claim: Claim, prints: Prints) -> Check:
    """Both printed ends against each formula, and what the print is if it is none of them."""
    lookup = prints.near(claim)
    partner = _upper_end(claim, prints)
    counts = counts_of(claim, lookup)
    what = describe(claim.term).removeprefix("ci_low of ")
    if counts is None or partner is None:
        missing = Missing("the counts, or the other end, are not printed")
        told = f"{what}: {missing.reason}"
        return check_of(claim, lookup, missing, ("undecidable", "none"), told, "confidence_interval")
    lookup.read[partner.id] = None
    ends = {label: formula(counts) for label, formula in FORMULAS.items()}
    wald = Interval(*ends["Wald"])
    printed, given = f"[{claim.value}, {partner.value}]", f"[{wald.low:.1f}, {wald.high:.1f}]"
    right = [label for label, found in ends.items() if _gives(found, claim, partner)]
    outcome: tuple[Outcome, Severity] = ("consistent", "none")
    why = f"it is the {right[0]} interval" if right else ""
    if not right:
        gravity, why = _otherwise(claim, partner, counts, ends)
        outcome = "inconsistent", gravity
    told = f"{what}: printed {printed}; Wald gives {given}; {why}"
    check = check_of(claim, lookup, wald, outcome, told, "confidence_interval")
    return check.model_copy(update={"printed": printed, "recomputed": given})


def _otherwise(low: Claim, high: Claim, counts: Counts, ends: dict[str, tuple[float, float]]) -> tuple[Severity, str]:
    """How grave it is that no formula gives the print, and which mistake would."""
    rough = [label for label, found in ends.items() if _gives(found, low, high, slack=True)]
    if rough:
        return "rounding", f"it is the {rough[0]} interval, rounded on the way"
    wrong = [label for label, formula in MISTAKEN.items() if _gives(formula(counts), low, high, slack=True)]
    why = f"it is {wrong[0]}" if wrong else f"no formula tried gives it ({', '.join(FORMULAS)})"
    wald = Interval(*ends["Wald"])
    excludes = not low.number < 0 < high.number
    if excludes == (wald.low < 0 < wald.high):
        return "substantive", f"{why}; unlike the right one, it {'excludes' if excludes else 'includes'} zero"
    close = abs((high.number - low.number) / (wald.high - wald.low) - 1) <= LEVEL
    return ("minor" if close else "substantive"), why


def _upper_end(claim: Claim, prints: Prints) -> Claim | None:
    key = claim.term.model_copy(update={"statistic": "ci_high"}).key
    found = [other for other in prints.by_key.get(key, ()) if other.locator == claim.locator]
    return found[0] if found else None


def _gives(found: tuple[float, float], low: Claim, high: Claim, slack: bool = False) -> bool:
    """Do these ends round to the print? With slack: are half-width and centre right within one printed unit?"""
    below, above = allowed(low), allowed(high)
    if not slack:
        return all(i.low - 1e-9 <= end <= i.high + 1e-9 for i, end in zip((below, above), found, strict=True))
    unit = below.high - below.low
    half = Interval((above.low - below.high - unit) / 2, (above.high - below.low + unit) / 2)
    centre_gap = abs((found[0] + found[1]) / 2 - (low.number + high.number) / 2)
    return half.low <= (found[1] - found[0]) / 2 <= half.high and centre_gap <= unit * (1 + 1e-9)
