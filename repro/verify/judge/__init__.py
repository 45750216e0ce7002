"""Judge (claim, estimate) → outcome, as a pure function.

Each kind of claim has one rule, fixed before any run (docs/SCIENCE.md §13). Contradicted: outside
the interval of a repetition, and equivalence fails. Reproduced: equivalence (TOST) holds.
Consistent: inside an interval that excludes half the claimed effect. Anything else is inconclusive;
what was not run never passes. `judge` treats one claim among those tested with it: it says
contradicted only where that stands whatever the others of its family show (Bonferroni);
`repro.verify.judge.families` then corrects the family as a whole (Holm).
"""

from repro.claims.claim import Claim
from repro.errors import ManifestError
from repro.verify.facts.meaning import agrees
from repro.verify.judge.counts import plurality, problem_count, share_of_runs
from repro.verify.judge.decide import Judgement, text
from repro.verify.judge.equality import no_effect, significant
from repro.verify.judge.numbers import number, probe_sets
from repro.verify.judge.scales import deviation, judge_correlation, test
from repro.verify.judge.statements import statement
from repro.verify.judge.zero_spread import deterministic
from repro.verify.statistics import SIGNIFICANCE
from repro.verify.verdict import Estimate

ALONE = "; fails alone, and not after correction for the tests of its family"
"""Added to the reason of a claim that is outside at 5 % and does not survive correction in its
family.
"""


def judge(claim: Claim, estimate: Estimate) -> Judgement:
    """Return the outcome of one claim.

    Raises ManifestError for a tolerance that no rule can honour.
    """
    judged = judge_alone(claim, estimate)
    if judged.outcome != "contradicted" or (
        judged.p is not None and judged.p * claim.tests < SIGNIFICANCE
    ):
        return judged
    return Judgement("inconclusive", judged.reason + ALONE, judged.comparison, judged.p)


def judge_alone(claim: Claim, estimate: Estimate) -> Judgement:
    """Return the outcome of one claim as if nothing else had been tested."""
    if claim.unverifiable is not None:
        return Judgement("unverifiable", claim.unverifiable)
    if estimate.state == "not_run":
        return Judgement("not_run", estimate.reason)
    if estimate.state == "undefined":
        return Judgement("inconclusive", estimate.reason)
    if claim.tolerance.parameters.get("level", SIGNIFICANCE) != SIGNIFICANCE:
        raise ManifestError(
            f"claim {claim.id}: field tolerance.parameters.level: found "
            f"{claim.tolerance.parameters['level']}, "
            f"expected {SIGNIFICANCE}; the rules of docs/SCIENCE.md §13 are stated at that level"
        )
    return _by_rule(claim, estimate)


def _by_rule(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge by the rule of the claim's statistic and tolerance."""
    if claim.statistic in ("no_effect", "significant"):
        absent = claim.statistic == "no_effect" or claim.value is False
        return (no_effect if absent else significant)(claim, estimate)
    match claim.tolerance.rule:
        case "exact" | "shown":
            return exact(claim, estimate)
        case "relative":
            return relative(claim, estimate)
        case "binomial":
            return (problem_count if claim.kind == "problem_count" else share_of_runs)(
                claim, estimate
            )
        case "probability":
            return _statement(claim, estimate)
        case "chi_square" if claim.statistic == "sd":
            return deviation(claim, estimate)
        case "fisher":
            return judge_correlation(claim, estimate)
        case "recompute":
            return test(claim, estimate)
        case "probe_sets":
            return probe_sets(claim, estimate)
    if isinstance(claim.value, bool) or not isinstance(claim.value, float):
        return exact(claim, estimate)
    return number(claim, estimate)


def _statement(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a statement: by a count of runs, a category, "deterministic", or its components."""
    if estimate.counted is not None:
        return share_of_runs(claim, estimate)
    if estimate.votes:
        return plurality(claim, estimate)
    of, where = claim.term.of, claim.term.where
    if (
        claim.statistic == "equals"
        and of is not None
        and of.statistic == "sd"
        and where is not None
        and where.equals == 0
    ):
        return deterministic(claim, estimate)
    if estimate.levels:
        return statement(claim, estimate)
    if isinstance(estimate.value, bool) and not estimate.reason:
        return exact(claim, estimate)
    return Judgement("inconclusive", estimate.reason or "no run shows a spread to judge by")


def exact(claim: Claim, estimate: Estimate) -> Judgement:
    """Compare an estimate that does not vary between seeds with the print, to its decimals."""
    if agrees(claim, estimate.value):
        return Judgement(
            "reproduced", estimate.reason or f"{text(estimate.value)}, as printed", p=1.0
        )
    return Judgement(
        "contradicted", f"{text(estimate.value)}, but {claim.printed!r} is printed", p=0.0
    )


def relative(claim: Claim, estimate: Estimate) -> Judgement:
    """Compare within a share of the printed value: vendors round their labels."""
    share = claim.tolerance.parameters["relative"]
    if not isinstance(claim.value, float) or not isinstance(estimate.value, (int, float)):
        return exact(claim, estimate)
    off = abs(estimate.value - claim.value) / abs(claim.value)
    said = f"{text(estimate.value)}, {off:.1%} from the print; {share:.0%} is allowed"
    if off <= share or agrees(claim, estimate.value):
        return Judgement("reproduced", said, p=1.0)
    return Judgement("contradicted", said, p=0.0)


__all__ = ["ALONE", "Judgement", "judge", "judge_alone"]
