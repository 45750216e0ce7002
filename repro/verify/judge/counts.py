"""Judge counts: solved problems, shares of runs, the category most runs name.

Definition: docs/SCIENCE.md §10, §13. Shares and categories are judged by exact distributions
(Fisher, Clopper–Pearson, the sign test), without priors or random draws.
"""

import math

from scipy import special

from repro.claims.claim import Claim
from repro.verify.judge.decide import HALF, MARGIN_SHARE, Judgement, Reservations, decide, sizes
from repro.verify.judge.numbers import number
from repro.verify.scales import against_count
from repro.verify.spreads import FEWEST
from repro.verify.statistics import SIGNIFICANCE, Comparison, compare_parts
from repro.verify.verdict import Estimate

_FLIPS = 0.02
"""Share of answers that differ when the same weights are run again, unless our own repetitions show
more.
"""


def problem_count(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge solved problems: the same weights by flips, retrained ones by their own spread."""
    if estimate.counted is None or estimate.printed_counted is None:
        return Judgement(
            "inconclusive", estimate.reason or "out of how many the print counts is not known"
        )
    if estimate.same_weights:
        return _same_weights(claim, estimate)
    cell = estimate.cells[0]
    if cell.runs >= FEWEST:
        return number(claim, estimate)
    (ours, trials), (theirs, size) = estimate.counted, estimate.printed_counted
    effect = sizes(claim, estimate).effect / _unit(claim, size)
    comparison = against_count(theirs, size, ours, trials, MARGIN_SHARE * effect)
    why = (
        f"fewer than {FEWEST} trainings show no spread between them, only that of the count itself"
    )
    seen = (
        f"{ours}/{trials} against {theirs}/{size} (binomial prediction interval "
        f"±{comparison.half_width:.0%})"
    )
    return decide(comparison, effect, seen, Reservations(f"at best consistent: {why}", why))


def _unit(claim: Claim, size: int) -> float:
    """Return the claim's value for a share of 1: 100 percent, or all problems."""
    return 100.0 if claim.unit == "percent" else float(size)


def _same_weights(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a repetition with the same weights.

    A share k of answers flips, so two counts differ by √(N·k).
    """
    assert estimate.printed_counted is not None
    theirs, size = estimate.printed_counted
    cell = estimate.cells[0]
    repeats = len(cell.values)
    # A flip moves the count by ±1: k·N flips between two counts give each the variance k·N/2.
    observed = 2 * cell.sd**2 / size if cell.sd is not None and repeats >= FEWEST else 0.0
    flips = max(claim.tolerance.parameters.get("flips", _FLIPS), observed)
    ours = math.fsum(cell.values) / repeats
    noise = size * flips / 2 * (1 + 1 / repeats), math.inf
    effect = (
        sizes(claim, estimate).effect * size / _unit(claim, size)
        if estimate.effect is not None
        else math.inf
    )
    allowed = compare_parts(0.0, (noise,), (noise,), 0.0).half_width
    # Counts move in whole steps: a continuity correction of one half.
    off = max(abs(ours - theirs) - HALF, 0.0)
    comparison = compare_parts(
        math.copysign(off, ours - theirs), (noise,), (noise,), MARGIN_SHARE * effect
    )
    seen = (
        f"{ours:g}/{size} against {theirs}/{size}: the same weights, {flips:.1%} of answers "
        f"flip, ±{allowed:.1f} problems"
    )
    if comparison.p < SIGNIFICANCE:
        return Judgement(
            "contradicted", f"{seen}; p = {comparison.p:.2g}", comparison, comparison.p
        )
    if allowed <= MARGIN_SHARE * effect or comparison.p_equivalent < SIGNIFICANCE:
        return Judgement("reproduced", f"{seen}; within what flips allow", comparison, comparison.p)
    if allowed < HALF * effect:
        return Judgement(
            "consistent",
            f"{seen}; within, and it excludes half the effect {effect:.3g}",
            comparison,
            comparison.p,
        )
    return Judgement(
        "inconclusive", f"{seen}; wider than half the effect {effect:.3g}", comparison, comparison.p
    )


def share_of_runs(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a share of the paper's seeds by the share among at least three runs of ours."""
    if estimate.counted is None or estimate.printed_counted is None:
        return Judgement(
            "inconclusive", estimate.reason or "out of how many the print counts is not known"
        )
    (ours, runs), (theirs, seeds) = estimate.counted, estimate.printed_counted
    seen = f"{ours} of {runs} runs against {theirs} of {seeds} seeds"
    if runs < FEWEST:
        return Judgement("inconclusive", f"{seen}: fewer than {FEWEST} runs show no share")
    low, high = clopper_pearson(ours, runs)
    margin = claim.tolerance.parameters.get("margin", MARGIN_SHARE)
    p = fisher_exact(theirs, seeds, ours, runs)
    share, difference = theirs / seeds, ours / runs - theirs / seeds
    equal = share - margin < low and high < share + margin
    comparison = Comparison(difference, (high - low) / 2, p, 0.0 if equal else 1.0, margin)
    said = f"{seen}, which leave open shares of {low:.0%} to {high:.0%}"
    if p < SIGNIFICANCE:
        return Judgement("contradicted", f"{said}; p = {p:.2g} (Fisher)", comparison, p)
    if equal:
        return Judgement("reproduced", f"{said}: within {margin:.0%} of the print", comparison, p)
    if max(high - share, share - low) < HALF:
        return Judgement("consistent", said, comparison, p)
    return Judgement("inconclusive", f"{said}: too wide to tell", comparison, p)


def clopper_pearson(hits: int, trials: int) -> tuple[float, float]:
    """Return the exact one-sided 95 % bounds of a share (Clopper and Pearson 1934)."""
    low = float(special.betaincinv(hits, trials - hits + 1, SIGNIFICANCE)) if hits else 0.0
    high = (
        float(special.betaincinv(hits + 1, trials - hits, 1 - SIGNIFICANCE))
        if hits < trials
        else 1.0
    )
    return low, high


def fisher_exact(theirs: int, size: int, ours: int, trials: int) -> float:
    """Return Fisher's exact two-sided p that two shares are equal.

    It sums the tables no likelier than the one seen.
    """
    hits = theirs + ours
    first = range(max(0, hits - trials), min(hits, size) + 1)
    logs = [
        _log_comb(size, k) + _log_comb(trials, hits - k) - _log_comb(size + trials, hits)
        for k in first
    ]
    seen = logs[theirs - first.start]
    # Tables exactly as likely as the one seen count too; the slack is for rounding of
    # logarithms.
    return min(1.0, math.fsum(math.exp(one) for one in logs if one <= seen + 1e-7))


def _log_comb(n: int, k: int) -> float:
    """Return ln C(n, k). Logarithms keep large tables from overflowing."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def plurality(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge which category most runs name, against each other category by the exact sign test."""
    votes = dict(estimate.votes)
    printed = votes.pop(str(claim.value), 0)
    others = sorted(votes.values(), reverse=True) or [0]
    runs = printed + sum(votes.values())
    # It has to beat every other category (their p add up), and fails if the strongest one
    # beats it.
    holds = math.fsum(sign_test(printed, other) for other in others)
    fails = min(1.0, len(others) * sign_test(others[0], printed))
    listed = ", ".join(
        f"{name} {count}" for name, count in sorted(estimate.votes, key=lambda vote: -vote[1])
    )
    seen = f"{runs} runs name {listed}"
    if holds < SIGNIFICANCE:
        return Judgement(
            "reproduced", f"{seen}: most name {claim.printed!r}, p = {holds:.2g}", p=fails
        )
    if fails < SIGNIFICANCE:
        return Judgement(
            "contradicted", f"{seen}: another is named more often, p = {fails:.2g}", p=fails
        )
    return Judgement("inconclusive", f"{seen}: too few to tell which is named most", p=fails)


def sign_test(first: int, second: int) -> float:
    """Return P(as many of first + second tosses of a coin, or more, fall on the first side)."""
    total = first + second
    return float(special.bdtrc(first - 1, total, HALF)) if first else 1.0
