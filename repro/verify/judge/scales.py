"""Judge printed standard deviations, correlations, z and p (docs/SCIENCE.md §13)."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from repro.claims.claim import Claim
from repro.verify.facts.meaning import agrees
from repro.verify.judge.decide import Judgement, Reservations, decide
from repro.verify.judge.numbers import limits, number
from repro.verify.scales import against_correlation, against_sd, against_z
from repro.verify.spreads import FEWEST
from repro.verify.statistics import SIGNIFICANCE, Comparison
from repro.verify.verdict import Estimate, MeasuredCell, Outcome

_FACTOR = 3.0
"""Ratio of standard deviations that would matter, unless the tolerance says otherwise."""
FEWEST_POINTS = 4


def deviation(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a printed SD by the ratio of ours to the nearest value the print allows.

    If seeds fall into two clusters, the SD of a few can be almost anything. So a smaller SD
    contradicts nothing, and a larger one only if it does not rest on the few runs farthest out.
    """
    cell = estimate.cells[0]
    if (
        not isinstance(claim.value, float)
        or not isinstance(estimate.value, float)
        or claim.low is None
        or claim.high is None
    ):
        return Judgement("inconclusive", estimate.reason or "no standard deviation was measured")
    n, m = cell.printed_seeds, cell.runs
    seen = f"SD {estimate.value:.3g} of {m} runs against {claim.value:g} of {n} seeds"
    if n < 2:
        return Judgement("inconclusive", "how many seeds the printed SD is of is not known")
    if claim.value == 0 or estimate.value == 0:
        untested = Comparison(estimate.value - claim.value, 0.0, 1.0, 1.0, 0.0)
        return Judgement(
            "inconclusive",
            f"{seen}: a spread of 0 is no certainty, and has no ratio to another",
            untested,
        )
    if min(n, m) <= FEWEST:
        return Judgement(
            "inconclusive", f"{seen}: the SD of {min(n, m)} runs can be almost anything"
        )
    factor = claim.tolerance.parameters.get("factor", _FACTOR)
    # Compare with the nearest value that rounds to the print: rounding must not contradict.
    theirs = min(max(estimate.value, claim.low), claim.high)
    comparison = against_sd(theirs, n, estimate.value, m, factor)
    comparison = replace(comparison, p=max(comparison.p, outliers_spared(n, m)[1]))
    said = f"{seen}; a ratio up to {math.exp(comparison.half_width):.1f} is usual"
    return decide(
        comparison,
        math.log(factor),
        said,
        Reservations(contradicts=_in_clusters(cell, claim.high, factor)),
    )


def _in_clusters(cell: MeasuredCell, theirs: float, factor: float) -> str:
    """Return why seeds in two clusters could give an SD this far from the printed one.

    Empty where they hardly could.
    """
    n, m = cell.printed_seeds, cell.runs
    if np.std(cell.values, ddof=1) < theirs:
        return "a smaller SD is what seeds in two clusters give when few fall into the other one"
    spare, _ = outliers_spared(n, m)
    # Leave out the runs farthest from the median: an SD that rests on them proves nothing.
    values = np.sort(
        np.abs(np.asarray(cell.values) - np.median(cell.values)).argsort(kind="stable")[: m - spare]
    )
    kept = np.asarray(cell.values)[values]
    sd = float(np.std(kept, ddof=1)) if len(kept) > 1 else 0.0
    if sd == 0 or against_sd(theirs, n, sd, len(kept), factor).p >= SIGNIFICANCE or sd < theirs:
        return f"it rests on {spare} of our runs, which could be seeds of another cluster"
    return ""


def outliers_spared(n: int, m: int) -> tuple[int, float]:
    """Return how many of m runs a cluster that n seeds missed may explain.

    Return also how often it would explain more. It is the smallest number for which that chance
    is at most 5 %.
    """
    q = np.linspace(0.01, 0.99, 99)
    tail, term = np.ones_like(q), q**m
    for spare in range(m):
        tail = tail - term  # P(more than `spare` of m runs in the other cluster)
        if (chance := float(np.max(q**n * tail))) <= SIGNIFICANCE:
            return spare, chance
        term = term * (m - spare) / (spare + 1) * (1 - q) / q
    return m, 0.0


def judge_correlation(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a printed correlation by Fisher's interval, from the nearest value the print allows."""
    points = estimate.points or 0
    if (
        points < FEWEST_POINTS
        or not isinstance(estimate.value, float)
        or not isinstance(claim.value, float)
    ):
        return Judgement("inconclusive", f"{points} points are too few for Fisher's interval")
    ranks = claim.statistic == "spearman"
    nearest = min(max(estimate.value, claim.low or claim.value), claim.high or claim.value)
    comparison = against_correlation(nearest, points, estimate.value, points, ranks=ranks)
    seen = f"{estimate.value:.2f} over {points} points"
    return decide(
        comparison, 4 * comparison.margin, f"{seen}, Fisher's z ±{comparison.half_width:.2f}"
    )


def test(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a printed z, p or interval end, recomputed from the measurements.

    The nearest value that the print allows counts.
    """
    if not isinstance(estimate.value, float) or not isinstance(claim.value, float):
        return Judgement("inconclusive", estimate.reason or "no number was measured")
    if claim.statistic in ("ci_low", "ci_high"):
        return number(claim, estimate)
    bounds = limits(estimate)
    if agrees(claim, estimate.value):
        outcome: Outcome = "consistent" if bounds.reproduces else "reproduced"
        said = f"{estimate.value:.3g} recomputed from the measured counts, as printed"
        return Judgement(
            outcome, f"{said}; {bounds.reproduces}" if bounds.reproduces else said, p=1.0
        )
    ours = as_z(claim.statistic, estimate.value)
    ends = [as_z(claim.statistic, end) for end in (claim.low, claim.high) if end is not None] or [
        as_z(claim.statistic, claim.value)
    ]
    theirs = min(max(ours, min(ends)), max(ends))
    comparison = against_z(theirs, ours, dispersion(estimate))
    seen = f"{estimate.value:.3g} recomputed from the measured counts"
    words = f"{seen} (z {ours:.2f} against {theirs:.2f} ± {comparison.half_width:.2f})"
    return decide(comparison, abs(theirs), words, bounds)


def dispersion(estimate: Estimate) -> float:
    """Return how much wider a z spreads between trainings than its counts alone would make it.

    That is the largest ratio of a cell's SD to its binomial SD, at least 1.
    """
    ratios = [
        (cell.sd or 0.0) / cell.least_sd
        for cell in estimate.cells
        if cell.least_sd and cell.runs >= FEWEST
    ]
    return max([1.0, *ratios])


def as_z(statistic: str, value: float) -> float:
    """Return a z unchanged, and a p as its z; a p of 0 or less is clipped to a very large z."""
    if statistic == "z":
        return value
    tail = value / 2 if statistic == "p_two" else value
    return -NormalDist().inv_cdf(min(max(tail, 1e-300), 1 - 1e-16))
