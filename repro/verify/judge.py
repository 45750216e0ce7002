"""Judging, pure: (claim, estimate) → outcome. One rule per kind of claim, fixed before any run (docs/SCIENCE.md §13).

Contradicted: outside the interval of a repetition, and equivalence fails. Reproduced: equivalence (TOST) holds.
Consistent: inside an interval narrower than the claimed effect. Anything else is inconclusive; what was not run never
passes. Rules for numbers with a spread: `repro.verify.judge_numbers`.
"""

import math
from statistics import NormalDist

from repro.errors import ManifestError
from repro.manifest.claim import Claim
from repro.verify.facts import agrees
from repro.verify.judge_numbers import Judgement, decide, difference, number, probe_sets
from repro.verify.scales import against_correlation, against_count, against_sd, against_z
from repro.verify.statistics import LEVEL, against_constant
from repro.verify.verdict import Estimate

FACTOR = 3.0
"""Ratio of standard deviations that would matter, unless the tolerance says otherwise."""
FEWEST_POINTS = 4
SHARE_MARGIN = 0.25


def judge(claim: Claim, estimate: Estimate) -> Judgement:
    """The outcome of one claim. Raises ManifestError for a tolerance no rule can honour."""
    if claim.unverifiable is not None:
        return Judgement("unverifiable", claim.unverifiable)
    if estimate.state == "not_run":
        return Judgement("not_run", estimate.reason)
    if estimate.state == "undefined":
        return Judgement("inconclusive", estimate.reason)
    if claim.tolerance.parameters.get("level", LEVEL) != LEVEL:
        raise ManifestError(
            f"claim {claim.id}: field tolerance.parameters.level: found {claim.tolerance.parameters['level']}, "
            f"expected {LEVEL}; the rules of docs/SCIENCE.md §13 are stated at that level"
        )
    return _by_rule(claim, estimate)


def _by_rule(claim: Claim, estimate: Estimate) -> Judgement:
    match claim.tolerance.rule:
        case "exact" | "shown":
            return exact(claim, estimate)
        case "relative":
            return relative(claim, estimate)
        case "binomial":
            return count(claim, estimate)
        case "probability":
            return probability(claim, estimate)
        case "chi_square" if claim.statistic == "sd":
            return deviation(claim, estimate)
        case "fisher":
            return correlation(claim, estimate)
        case "recompute":
            return test(claim, estimate)
        case "tost":
            return difference(claim, estimate, absent=True)
        case "probe_sets":
            return probe_sets(claim, estimate)
    if isinstance(claim.value, bool) or not isinstance(claim.value, float):
        return exact(claim, estimate)
    return number(claim, estimate)


def exact(claim: Claim, estimate: Estimate) -> Judgement:
    """Equal, within the printed decimals."""
    if agrees(claim, estimate.value):
        return Judgement("reproduced", estimate.reason or f"{_text(estimate.value)}, as printed")
    return Judgement("contradicted", f"{_text(estimate.value)}, but {claim.printed!r} is printed", p=0.0)


def relative(claim: Claim, estimate: Estimate) -> Judgement:
    """Within a share of the printed value: vendors round their labels."""
    share = claim.tolerance.parameters["relative"]
    if not isinstance(claim.value, float) or not isinstance(estimate.value, (int, float)):
        return exact(claim, estimate)
    off = abs(estimate.value - claim.value) / abs(claim.value)
    if off <= share or agrees(claim, estimate.value):
        return Judgement("reproduced", f"{_text(estimate.value)}, {off:.1%} from the print; {share:.0%} is allowed")
    return Judgement(
        "contradicted", f"{_text(estimate.value)}, {off:.1%} from the print; {share:.0%} is allowed", p=0.0
    )


def count(claim: Claim, estimate: Estimate) -> Judgement:
    """Same weights: within two problems. Retrained, or a count of runs: the binomial prediction interval."""
    if estimate.counted is None or estimate.printed_counted is None:
        return Judgement("inconclusive", estimate.reason or "out of how many the print counts is not known")
    (ours, trials), (theirs, size) = estimate.counted, estimate.printed_counted
    seen = f"{ours}/{trials} against {theirs}/{size}"
    if estimate.same_weights and "same_weights" in claim.tolerance.parameters:
        allowed = claim.tolerance.parameters["same_weights"]
        off = abs(ours * size / trials - theirs)
        if off <= allowed:
            return Judgement("reproduced", f"{seen}: the same weights, {off:g} problems apart, {allowed:g} allowed")
        return Judgement(
            "contradicted", f"{seen}: the same weights, {off:g} problems apart, {allowed:g} allowed", p=0.0
        )
    effect = (estimate.effect or 0.0) if claim.kind == "problem_count" else 1.0
    margin = claim.tolerance.parameters.get("margin", SHARE_MARGIN * effect)
    comparison = against_count(theirs, size, ours, trials, margin)
    return decide(comparison, effect, f"{seen} (prediction interval ±{comparison.half_width:.0%})")


def probability(claim: Claim, estimate: Estimate) -> Judgement:
    """A relation holds with bootstrap probability ≥ 0.95, is contradicted at ≤ 0.05."""
    if estimate.counted is not None and estimate.printed_counted is not None:
        return count(claim, estimate)
    if claim.statistic == "significant":
        return difference(claim, estimate, absent=False)
    chance = estimate.probability
    if chance is None:
        if isinstance(estimate.value, bool) and not estimate.reason:
            return exact(claim, estimate)
        return Judgement("inconclusive", estimate.reason or "no bootstrap probability")
    chance = 1 - chance if claim.value is False else chance
    holds, fails = (claim.tolerance.parameters.get(key, default) for key, default in (("holds", 0.95), ("fails", 0.05)))
    said = f"bootstrap probability {chance:.3f} that it holds"
    if chance >= holds:
        return Judgement("reproduced", said, p=chance)
    if chance <= fails:
        return Judgement("contradicted", said, p=chance)
    return Judgement("inconclusive", f"{said}: between {fails} and {holds}", p=chance)


def deviation(claim: Claim, estimate: Estimate) -> Judgement:
    """A printed standard deviation: the interval of the ratio to ours; an SD of 0: the declared absolute margin."""
    cell = estimate.cells[0]
    if not isinstance(claim.value, float) or not isinstance(estimate.value, float):
        return exact(claim, estimate)
    if claim.value == 0:
        margin = claim.tolerance.parameters.get("absolute", claim.high or 0.0)
        comparison = against_constant(estimate.value, None, margin)
        return decide(comparison, math.inf, f"SD {estimate.value:.3g} of {cell.runs} runs against 0 ± {margin:g}")
    if cell.printed_seeds < 2:
        return Judgement("inconclusive", "how many seeds the printed SD is of is not known")
    factor = claim.tolerance.parameters.get("factor", FACTOR)
    comparison = against_sd(claim.value, cell.printed_seeds, estimate.value, cell.runs, factor)
    seen = f"SD {estimate.value:.3g} of {cell.runs} runs against {claim.value:g} of {cell.printed_seeds} seeds"
    return decide(comparison, math.log(factor), f"{seen}; a ratio up to {math.exp(comparison.half_width):.1f} is usual")


def correlation(claim: Claim, estimate: Estimate) -> Judgement:
    """A printed correlation: Fisher's interval."""
    points = estimate.points or 0
    if points < FEWEST_POINTS or not isinstance(estimate.value, float) or not isinstance(claim.value, float):
        return Judgement("inconclusive", f"{points} points are too few for Fisher's interval")
    ranks = claim.statistic == "spearman"
    comparison = against_correlation(claim.value, points, estimate.value, points, ranks=ranks)
    seen = f"{estimate.value:.2f} over {points} points"
    return decide(comparison, 4 * comparison.margin, f"{seen}, Fisher's z ±{comparison.half_width:.2f}")


def test(claim: Claim, estimate: Estimate) -> Judgement:
    """A printed z, p or interval end, recomputed from what was measured."""
    if not isinstance(estimate.value, float) or not isinstance(claim.value, float):
        return exact(claim, estimate)
    if agrees(claim, estimate.value):
        return Judgement("reproduced", f"{estimate.value:.3g} recomputed from the measured counts, as printed")
    if claim.statistic in ("ci_low", "ci_high"):
        return number(claim, estimate)
    theirs, ours = (_as_z(claim.statistic, value) for value in (claim.value, estimate.value))
    comparison = against_z(theirs, ours)
    seen = f"{estimate.value:.3g} recomputed from the measured counts"
    return decide(comparison, abs(theirs), f"{seen} (z {ours:.2f} against {theirs:.2f} ± {comparison.half_width:.2f})")


def _as_z(statistic: str, value: float) -> float:
    if statistic == "z":
        return value
    tail = value / 2 if statistic == "p_two" else value
    return -NormalDist().inv_cdf(min(max(tail, 1e-300), 1 - 1e-16))


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) and not isinstance(value, bool) else str(value)
