"""Tests and intervals: z, p, confidence intervals of a difference, "significant", "indistinguishable".

A printed interval is tried against the common formulas for a difference of two proportions (statsmodels: Wald, Newcombe,
Agresti–Caffo) and against wrong ones that papers use (a single proportion; a pooled variance), so the report says which
formula, if any, gave the print.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from repro.manifest.claim import Claim, Term
from repro.verify.algebra import derive, evaluate, proportion
from repro.verify.algebra_interval import Interval, Missing
from repro.verify.audit.check import Check, Outcome, Severity, allowed, apart, severity
from repro.verify.audit.prints import Near, Prints, describe
from repro.verify.audit.recompute import check_of, shown

LEVEL = 0.05
Counts = tuple[float, int, float, int]
"""Successes and total of the first, successes and total of the second."""


def checks(prints: Prints) -> Iterator[Check]:
    for claim in prints.claims:
        match claim.statistic:
            case "z" | "p_one" | "p_two":
                yield test(claim, prints)
            case "ci_low":
                yield confidence_interval(claim, prints)
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
    """Both printed ends against each formula; the half-width decides which formula was used, rounding set aside."""
    lookup = prints.near(claim)
    partner = _upper_end(claim, prints)
    counts = counts_of(claim, lookup)
    what = describe(claim.term)
    name = "confidence_interval"
    if counts is None or partner is None:
        missing = Missing("the counts, or the other end, are not printed")
        return check_of(claim, lookup, missing, ("undecidable", "none"), f"{what}: {missing.reason}", name)
    lookup.read[partner.id] = None
    ends = {label: formula(counts) for label, formula in FORMULAS.items()}
    right = [label for label, found in ends.items() if _gives(found, claim, partner)]
    wald = Interval(*ends["Wald"])
    told = f"{what}: printed [{claim.value}, {partner.value}]; Wald gives [{wald.low:.1f}, {wald.high:.1f}]"
    value = Interval(wald.low, wald.low)
    if right:
        return check_of(claim, lookup, value, ("consistent", "none"), f"{told}; it is the {right[0]} interval", name)
    rough = [label for label, found in ends.items() if _gives(found, claim, partner, slack=True)]
    wrong = [label for label, formula in MISTAKEN.items() if _gives(formula(counts), claim, partner, slack=True)]
    why = f"no formula tried gives it ({', '.join(FORMULAS)})"
    if rough or wrong:
        why = f"it is the {rough[0]} interval, rounded on the way" if rough else f"it is {wrong[0]}"
    crosses = (claim.number < 0 < partner.number) != (wald.low < 0 < wald.high)
    gravity: Severity = "rounding" if rough else "substantive"
    if not rough and not crosses and abs((partner.number - claim.number) / (wald.high - wald.low) - 1) <= LEVEL:
        gravity = "minor"
    more = "; unlike the right one, it excludes zero" if crosses and not (claim.number < 0 < partner.number) else ""
    return check_of(claim, lookup, value, ("inconsistent", gravity), f"{told}; {why}{more}", name)


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
