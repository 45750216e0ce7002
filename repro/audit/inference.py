"""Tests: z and p from their counts; "significant", "indistinguishable" from means, SDs and runs."""

import itertools
import math
from collections.abc import Iterator, Sequence

from repro.audit.check import (
    Check,
    CheckVerdict,
    Severity,
    allowed_interval,
    fits,
    gap_between,
    severity,
)
from repro.audit.confidence import counts_of
from repro.audit.formulas import Counts, p_values, z_values
from repro.audit.prints import Near, PrintedNumbers, describe
from repro.audit.recompute import check_of, write_interval
from repro.claims.algebra.evaluate import derive, evaluate
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.claims.term import Term
from repro.geometry.undefined import Undefined

_LEVEL = 0.05


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield a check for every printed z or p, and for every claim of an effect or of none."""
    for claim in prints.claims:
        match claim.statistic:
            case "z" | "p_one" | "p_two":
                yield _test(claim, prints)
            case "significant" | "no_effect":
                yield significance(claim, prints)


def _test(claim: Claim, prints: PrintedNumbers) -> Check:
    """Compare z or p with that of the counts, by every common test.

    Where the counts deny the print, rounded percentages are tried in their place.
    """
    lookup = prints.near(claim)
    value = derive(claim.term, lookup)
    what = describe(claim.term)
    name = "z" if claim.statistic == "z" else "p"
    if not isinstance(value, Interval):
        reason = value.reason if isinstance(value, Undefined) else "not a number"
        return check_of(claim, lookup, value, ("undecidable", "none"), f"{what}: {reason}", name)
    explanation = f"{what}: printed {claim.printed}, the counts give {write_interval(value)}"
    gap = severity(allowed_interval(claim), value, claim.digit)
    if gap != "none" and (other := _other_test(claim, lookup)):
        return check_of(
            claim,
            lookup,
            value,
            ("consistent", "none"),
            f"{explanation}; it is that of {other}",
            name,
        )
    if gap != "none" and name == "p" and _side(claim) != (value.middle < _LEVEL):
        gap = "substantive"
    if (
        gap != "none"
        and claim.statistic == "p_one"
        and gap_between(allowed_interval(claim), _flipped(value)) == 0
    ):
        gap, explanation = "substantive", f"{explanation}; it is the p of the other side"
    elif gap != "none" and (why := _why(claim, prints)):
        gap, explanation = "rounding", f"{explanation}; {why}"
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if gap == "none" else ("inconsistent", gap)
    )
    return check_of(claim, lookup, value, outcome, explanation, name)


def _side(claim: Claim) -> bool:
    """Tell whether a print says that p is below 5 %: "< 0.05" does, "> 0.05" does not."""
    return (
        claim.number <= _LEVEL if claim.qualifier in ("below", "at_most") else claim.number < _LEVEL
    )


def _flipped(value: Interval) -> Interval:
    """Return the p of the other side: a one-sided p may have been taken of the wrong one."""
    return Interval(1 - value.high, 1 - value.low)


def _other_test(claim: Claim, lookup: Near) -> str:
    """Name another common test of the same counts that gives the print."""
    counts = counts_of(claim, lookup)
    if counts is None:
        return ""
    tried = (
        z_values(counts) if claim.statistic == "z" else p_values(counts, claim.statistic == "p_one")
    )
    return next(
        (name for name, p in tried.items() if fits(claim, Interval(p, p))[0] == "consistent"), ""
    )


def _why(claim: Claim, prints: PrintedNumbers) -> str:
    """Say that rounded percentages instead of counts give the print, where they do."""
    if claim.term.of is None or claim.term.against is None:
        return ""
    as_percent = {
        name: Term(statistic="percentage", quantity=term.quantity, selector=term.selector, of=term)
        for name, term in (("of", claim.term.of), ("against", claim.term.against))
    }
    values = [evaluate(term, prints.near(claim, rounded=True)) for term in as_percent.values()]
    total = prints.total(claim.source, claim.term.of)
    if total is None or not all(isinstance(value, Interval) for value in values):
        return ""
    from repro.claims.algebra.proportions import two_proportions

    shares = [
        (Interval(v.low / 100, v.high / 100), total) for v in values if isinstance(v, Interval)
    ]
    found = two_proportions(claim.statistic, shares[0], shares[1])
    matches = isinstance(found, Interval) and gap_between(found, allowed_interval(claim)) == 0
    return "the rounded percentages allow it" if matches else ""


def significance(claim: Claim, prints: PrintedNumbers) -> Check:
    """Check a claimed difference, which needs p < 0.05, or absence, which p < 0.05 denies.

    p > 0.05 does not show an absence.
    """
    lookup = prints.near(claim)
    found = _p_values(claim, lookup)
    what = f"“{claim.printed}”, read as {describe(claim.term)}"
    name = "significance" if claim.statistic == "significant" else "no_effect"
    if isinstance(found, Undefined):
        untold: Severity = (
            "minor"
            if claim.statistic == "significant" and found.reason.startswith("no ")
            else "none"
        )
        return check_of(
            claim, lookup, found, ("undecidable", untold), f"{what}: {found.reason}", name
        )
    explanation = f"{what}: p = {write_interval(found)} from the printed means, SDs and counts"
    outcome: tuple[CheckVerdict, Severity] = ("undecidable", "none")
    if claim.statistic == "significant":
        if found.high < _LEVEL:
            outcome = "consistent", "none"
        elif found.low >= _LEVEL:
            outcome, explanation = (
                ("inconsistent", "substantive"),
                f"{explanation}: not significant at 5 %",
            )
    elif found.high < _LEVEL:
        outcome, explanation = (
            ("inconsistent", "substantive"),
            f"{explanation}: a significant difference",
        )
    else:
        explanation += ": no significant difference, which does not show that there is none"
    return check_of(claim, lookup, found, outcome, explanation, name)


def _p_values(claim: Claim, lookup: Near) -> Interval | Undefined:
    """Return the two-tailed p of a difference, as far as the prints allow it.

    Pooled z for counts, Welch's t for means with SDs, one-sample t against a base model's value.
    """
    first, second = claim.term.of, claim.term.against
    if first is None or second is None:
        return Undefined("needs two operands")
    counts = counts_of(claim, lookup)
    if counts is not None:
        return _two_proportions(counts)
    summaries = [_summary(term, lookup) for term in (first, second)]
    for summary in summaries:
        if isinstance(summary, Undefined):
            return summary
    known = [summary for summary in summaries if not isinstance(summary, Undefined)]
    fixed = [summary for summary in known if summary[2] == 1]
    if len(fixed) == 1:
        return _one_sample_t(next(summary for summary in known if summary[2] > 1), fixed[0][0])
    if fixed or known[0] == known[1]:
        return Undefined("no spread is printed") if fixed else Interval(1.0, 1.0)
    return _welch(known[0], known[1])


def _two_proportions(counts: Counts) -> Interval:
    """Return p of the pooled z test of two counts."""
    from statsmodels.stats.proportion import proportions_ztest

    a, n_a, b, n_b = counts
    p = float(proportions_ztest([a, b], [n_a, n_b])[1])
    return Interval(p, p)


RunSummary = tuple[Interval, Interval, int]


def _summary(term: Term, lookup: Near) -> RunSummary | Undefined:
    """Return mean, SD and number of runs of a term, as printed.

    A base model is one number, without a spread of runs.
    """
    mean = evaluate(term, lookup)
    if term.of is None and term.selector.get("step") == 0 and isinstance(mean, Interval):
        return mean, Interval(0.0, 0.0), 1
    if term.statistic != "mean" or term.of is not None:
        return Undefined("no SD and number of runs are printed for it")
    spread = evaluate(term.model_copy(update={"statistic": "sd"}), lookup)
    number = lookup.prints.number_of(term)
    if (
        not isinstance(mean, Interval)
        or not isinstance(spread, Interval)
        or number is None
        or number < 2
    ):
        return Undefined(f"no SD and number of runs are printed for {describe(term)}")
    return mean, spread, number


def _one_sample_t(runs: RunSummary, base: Interval) -> Interval | Undefined:
    """Return p of the runs' mean against one fixed number."""
    from scipy import stats

    mean, spread, number = runs
    if spread.high <= 0:
        return Undefined(
            "no spread is printed, so any difference is certain and none can be tested"
        )
    found = [
        2 * float(stats.t.sf(abs(m - b) / (max(s, 1e-12) / math.sqrt(number)), number - 1))
        for m, b, s in itertools.product(
            (mean.low, mean.high), (base.low, base.high), (spread.low, spread.high)
        )
    ]
    if gap_between(mean, base) == 0:
        found.append(1.0)
    return Interval(min(found), max(found))


def _welch(first: RunSummary, second: RunSummary) -> Interval | Undefined:
    """Return p of Welch's t test between two sets of runs, over what the decimals allow."""
    from scipy import stats

    found = []
    boxes: Sequence[Sequence[float]] = [(i.low, i.high) for i in (*first[:2], *second[:2])]
    # Tried at the corners of what the printed decimals allow.
    for one, sd_one, two, sd_two in itertools.product(*boxes):
        if max(sd_one, sd_two) <= 0:
            return Undefined(
                "no spread is printed, so any difference is certain and none can be tested"
            )
        test = stats.ttest_ind_from_stats(
            one, max(sd_one, 0.0), first[2], two, max(sd_two, 0.0), second[2], equal_var=False
        )
        found.append(float(test.pvalue))
    # Where the rounded means may be equal, p is 1 in the middle of the box, at no corner of it.
    if gap_between(first[0], second[0]) == 0:
        found.append(1.0)
    return Interval(min(found), max(found))
