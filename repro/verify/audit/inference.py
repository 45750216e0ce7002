"""Tests: z and p from their counts, "significant" and "indistinguishable" from the printed means, SDs and numbers of runs."""

import itertools
import math
from collections.abc import Iterator, Sequence

from repro.manifest.claim import Claim
from repro.manifest.claim_term import Term
from repro.verify.algebra import derive, evaluate
from repro.verify.algebra_interval import Interval, Missing
from repro.verify.audit.check import Check, Outcome, Severity, allowed, apart, severity
from repro.verify.audit.confidence import Counts, counts_of
from repro.verify.audit.prints import Near, Prints, describe
from repro.verify.audit.recompute import check_of, shown

LEVEL = 0.05


def checks(prints: Prints) -> Iterator[Check]:
    for claim in prints.claims:
        match claim.statistic:
            case "z" | "p_one" | "p_two":
                yield test(claim, prints)
            case "significant" | "no_effect":
                yield significance(claim, prints)


def test(claim: Claim, prints: Prints) -> Check:
    """z and p from the counts; from rounded percentages when the counts deny the print; the other tail for a p."""
    lookup = prints.near(claim)
    value = derive(claim.term, lookup)
    what = describe(claim.term)
    name = "z" if claim.statistic == "z" else "p"
    if not isinstance(value, Interval):
        reason = value.reason if isinstance(value, Missing) else "not a number"
        return check_of(claim, lookup, value, ("undecidable", "none"), f"{what}: {reason}", name)
    explanation = f"{what}: printed {claim.printed}, the counts give {shown(value)}"
    gap = severity(allowed(claim), value, claim.digit)
    if gap != "none" and name == "p" and (claim.number < LEVEL) != (value.middle < LEVEL):
        gap = "substantive"
    if gap != "none" and (why := _why(claim, prints)):
        gap, explanation = "rounding", f"{explanation}; {why}"
    outcome: tuple[Outcome, Severity] = ("consistent", "none") if gap == "none" else ("inconsistent", gap)
    return check_of(claim, lookup, value, outcome, explanation, name)


def _why(claim: Claim, prints: Prints) -> str:
    """A reading that gives the print: rounded percentages instead of counts."""
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
    from repro.verify.algebra_tests import two_proportions

    shares = [(Interval(v.low / 100, v.high / 100), total) for v in values if isinstance(v, Interval)]
    found = two_proportions(claim.statistic, shares[0], shares[1])
    matches = isinstance(found, Interval) and apart(found, allowed(claim)) == 0
    return "the rounded percentages allow it" if matches else ""


def significance(claim: Claim, prints: Prints) -> Check:
    """A claimed difference needs p < 0.05; a claimed absence is denied by p < 0.05, and not shown by p > 0.05."""
    lookup = prints.near(claim)
    found = _p_values(claim, lookup)
    what = f"“{claim.printed}”, read as {describe(claim.term)}"
    name = "significance" if claim.statistic == "significant" else "no_effect"
    if isinstance(found, Missing):
        return check_of(claim, lookup, found, ("undecidable", "none"), f"{what}: {found.reason}", name)
    explanation = f"{what}: p = {shown(found)} from the printed means, SDs and counts"
    outcome: tuple[Outcome, Severity] = ("undecidable", "none")
    if claim.statistic == "significant":
        if found.high < LEVEL:
            outcome = "consistent", "none"
        elif found.low >= LEVEL:
            outcome, explanation = ("inconsistent", "substantive"), f"{explanation}: not significant at 5 %"
    elif found.high < LEVEL:
        outcome, explanation = ("inconsistent", "substantive"), f"{explanation}: a significant difference"
    else:
        explanation += ": no significant difference, which does not show that there is none"
    return check_of(claim, lookup, found, outcome, explanation, name)


def _p_values(claim: Claim, lookup: Near) -> Interval | Missing:
    """Two-tailed p: pooled z for counts, Welch's t for means with SDs, one-sample t against a base model's value."""
    first, second = claim.term.of, claim.term.against
    if first is None or second is None:
        return Missing("needs two operands")
    counts = counts_of(claim, lookup)
    if counts is not None:
        return _two_proportions(counts)
    summaries = [_summary(term, lookup) for term in (first, second)]
    for summary in summaries:
        if isinstance(summary, Missing):
            return summary
    known = [summary for summary in summaries if not isinstance(summary, Missing)]
    fixed = [summary for summary in known if summary[2] == 1]
    if len(fixed) == 1:
        return _one_sample_t(next(summary for summary in known if summary[2] > 1), fixed[0][0])
    if fixed or known[0] == known[1]:
        return Missing("no spread is printed") if fixed else Interval(1.0, 1.0)
    return _welch(known[0], known[1])


def _two_proportions(counts: Counts) -> Interval:
    from statsmodels.stats.proportion import proportions_ztest

    a, n_a, b, n_b = counts
    p = float(proportions_ztest([a, b], [n_a, n_b])[1])
    return Interval(p, p)


Summary = tuple[Interval, Interval, int]


def _summary(term: Term, lookup: Near) -> Summary | Missing:
    """Mean, SD and number of runs of a term, as printed; a base model is one number, without a spread of runs."""
    mean = evaluate(term, lookup)
    if term.of is None and term.selector.get("step") == 0 and isinstance(mean, Interval):
        return mean, Interval(0.0, 0.0), 1
    if term.statistic != "mean" or term.of is not None:
        return Missing("no SD and number of runs are printed for it")
    spread = evaluate(term.model_copy(update={"statistic": "sd"}), lookup)
    number = lookup.prints.number_of(term)
    if not isinstance(mean, Interval) or not isinstance(spread, Interval) or number is None or number < 2:
        return Missing(f"no SD and number of runs are printed for {describe(term)}")
    return mean, spread, number


def _one_sample_t(runs: Summary, base: Interval) -> Interval | Missing:
    """p of the runs' mean against one fixed number."""
    from scipy import stats

    mean, spread, number = runs
    if spread.high <= 0:
        return Missing("no spread is printed, so any difference is certain and none can be tested")
    found = [
        2 * float(stats.t.sf(abs(m - b) / (max(s, 1e-12) / math.sqrt(number)), number - 1))
        for m, b, s in itertools.product((mean.low, mean.high), (base.low, base.high), (spread.low, spread.high))
    ]
    if apart(mean, base) == 0:
        found.append(1.0)
    return Interval(min(found), max(found))


def _welch(first: Summary, second: Summary) -> Interval | Missing:
    from scipy import stats

    found = []
    boxes: Sequence[Sequence[float]] = [(i.low, i.high) for i in (*first[:2], *second[:2])]
    for one, sd_one, two, sd_two in itertools.product(*boxes):
        if max(sd_one, sd_two) <= 0:
            return Missing("no spread is printed, so any difference is certain and none can be tested")
        test = stats.ttest_ind_from_stats(
            one, max(sd_one, 0.0), first[2], two, max(sd_two, 0.0), second[2], equal_var=False
        )
        found.append(float(test.pvalue))
    return Interval(min(found), max(found))
