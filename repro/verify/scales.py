"""Compare standard deviations, correlations, z statistics, order statistics and counts.

Definition: docs/SCIENCE.md §13. The interval of a ratio of standard deviations is that of two χ²
(Snedecor's F), since the printed SD is itself estimated from a few seeds. A count is predicted from
the printed one by the beta-binomial that Jeffreys' prior gives.
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from repro.geometry.undefined import Array
from repro.verify.statistics import POWER, SIGNIFICANCE, Comparison, normal_comparison, tost


def against_sd(theirs: float, n: int, ours: float, m: int, factor: float) -> Comparison:
    """Compare our SD of m ≥ 2 runs with a printed SD of n ≥ 2 seeds, as ln(ours/theirs).

    Under one process (ours/theirs)² ~ F(m−1, n−1). `factor` is the ratio of SDs that would
    matter; the TOST margin is a quarter of its logarithm.
    """
    ratio, margin = (ours / theirs) ** 2, math.log(factor) / 4
    below = float(special.fdtr(m - 1, n - 1, ratio))
    low, high = (
        0.5 * math.log(float(special.fdtri(m - 1, n - 1, q)))
        for q in (SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2)
    )
    too_large = float(special.fdtr(m - 1, n - 1, ratio * math.exp(-2 * margin)))
    too_small = float(special.fdtrc(m - 1, n - 1, ratio * math.exp(2 * margin)))
    half_width = (high - low) / 2
    return Comparison(
        difference=math.log(ours / theirs) if ours > 0 else -math.inf,
        half_width=half_width,
        p=min(1.0, 2 * min(below, 1 - below)),
        p_equivalent=max(too_large, too_small),
        margin=margin,
        beyond=high - 0.5 * math.log(float(special.fdtri(m - 1, n - 1, 1 - POWER))),
    )


def against_correlation(theirs: float, n: int, ours: float, m: int, *, ranks: bool) -> Comparison:
    """Compare our correlation over m ≥ 4 points with a printed one over n ≥ 4, by Fisher's z.

    A rank correlation ρ has the variance (1 + ρ²/2)/(n − 3) (Bonett and Wright 2000).
    """
    theirs_z, ours_z = fisher(theirs, n), fisher(ours, m)
    wider = [1 + value**2 / 2 if ranks else 1.0 for value in (theirs, ours)]
    error = math.sqrt(wider[0] / (n - 3) + wider[1] / (m - 3))
    return normal_comparison(ours_z - theirs_z, error, abs(theirs_z) / 4)


def fisher(correlation: float, n: int) -> float:
    """Return Fisher's z of a correlation over n points.

    A perfect correlation has an infinite z, so it counts as half a rank step less.
    """
    # Σd² of ranks moves in steps of 2, so Spearman's ρ in steps of 12/(n(n² − 1)).
    most = 1 - 6 / (n * (n * n - 1))
    return math.atanh(max(-most, min(most, correlation)))


def against_z(theirs: float, ours: float, dispersion: float = 1.0) -> Comparison:
    """Compare a recomputed z with a printed one. The claimed effect is the printed z itself.

    Each has a standard error of 1, times the `dispersion` that trainings show beyond a
    binomial.
    """
    return normal_comparison(ours - theirs, math.sqrt(2) * dispersion, abs(theirs) / 4)


def against_count(theirs: int, size: int, ours: int, trials: int, margin: float) -> Comparison:
    """Compare our `ours` of `trials` with a printed `theirs` of `size`, both as shares.

    p: tails of the beta-binomial that Jeffreys' posterior of the printed count predicts. TOST:
    Agresti–Caffo standard error.
    """
    below, above = predicted_tails(theirs, size, trials)
    low, high = (int(np.searchsorted(below, q)) for q in (SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2))
    shares = ((theirs + 1) / (size + 2), (ours + 1) / (trials + 2))
    error = math.sqrt(
        sum(s * (1 - s) / (k + 2) for s, k in zip(shares, (size, trials), strict=True))
    )
    difference, half_width = ours / trials - theirs / size, (high - low) / 2 / trials
    return Comparison(
        difference=difference,
        half_width=half_width,
        p=min(1.0, 2 * float(min(below[ours], above[ours]))),
        p_equivalent=tost(difference, error, math.inf, margin),
        margin=margin,
        beyond=half_width + float(special.ndtri(POWER)) * error,
    )


def predicted_tails(theirs: int, size: int, trials: int) -> tuple[Array, Array]:
    """Return P(Y ≤ y) and P(Y ≥ y) for y = 0 … trials.

    `theirs` of `size` were seen before. The beta-binomial mass is built from the ratio of
    neighbours and scaled to sum 1.
    """
    a, b = theirs + 0.5, size - theirs + 0.5
    y = np.arange(trials, dtype=np.float64)
    ratios = np.log((trials - y) * (y + a) / ((y + 1) * (trials - y - 1 + b)))
    # Sum logarithms: the mass itself underflows at a few hundred trials.
    logs = np.concatenate([[0.0], np.cumsum(ratios)])
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    return np.cumsum(mass), np.cumsum(mass[::-1])[::-1]


def against_order_statistic(
    statistic: str, difference: float, sd: float, n: int, m: int, margin: float
) -> Comparison:
    """Compare our median, extreme, quartile or range of m runs with the printed one.

    The print is of n ≥ 2 seeds with this SD. The reference distribution of the difference, in
    units of the printed SD, is that of normal seeds, integrated over a lattice of points. It
    depends on n and m alone.
    """
    reference = _reference(statistic, n, m)
    scaled, moved = difference / sd, margin / sd
    low, high = (float(np.quantile(reference, q)) for q in (SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2))
    below, above = _share(reference <= scaled), _share(reference >= scaled)
    half_width = (high - low) / 2 * sd
    return Comparison(
        difference=difference,
        half_width=half_width,
        p=min(1.0, 2 * min(below, above)),
        p_equivalent=max(_share(reference <= scaled - moved), _share(reference >= scaled + moved)),
        margin=margin,
        beyond=(high - float(np.quantile(reference, 1 - POWER))) * sd,
    )


QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
"""Statistics that are a place in the order of the seeds, or lie between two places."""


def rank_p(statistic: str, n: int, m: int, above: int, below: int) -> float:
    """Return the exact two-sided p of our runs beyond an order statistic of n seeds.

    `above` and `below` of m runs lie beyond it. It holds whatever their distribution: k of m
    runs lie above the r-th of n seeds in C(m−k+r−1, r−1)·C(k+n−r, n−r) of the C(n+m, n) orders
    of all. Between two places the farther one counts. A range is not a place in the order: its
    p is 1.
    """
    if statistic not in QUANTILES:
        return 1.0
    # Position among the n sorted seeds, from 1; some quantiles lie between two.
    place = QUANTILES[statistic] * (n - 1) + 1
    upper = _beyond(n, m, math.floor(place), above)
    lower = _beyond(n, m, n + 1 - math.ceil(place), below)
    return min(1.0, 2 * min(upper, lower))


def _beyond(n: int, m: int, rank: int, count: int) -> float:
    """Return P(at least `count` of m runs lie above the rank-th smallest of n seeds)."""
    ways = [
        math.comb(m - k + rank - 1, rank - 1) * math.comb(k + n - rank, n - rank)
        for k in range(count, m + 1)
    ]
    return sum(ways) / math.comb(n + m, n)


POINTS = 400_000
"""Normal numbers behind a reference distribution: 20,000 points for up to twenty seeds and runs
together.
"""

STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "median": np.median,
    "min": np.min,
    "max": np.max,
    "q25": partial(np.quantile, q=0.25),
    "q75": partial(np.quantile, q=0.75),
    "span": np.ptp,
    "iqr": lambda values, axis: np.subtract(*np.quantile(values, [0.75, 0.25], axis=axis)),
    "sd": partial(np.std, ddof=1),
}
"""The statistics over seeds, as functions of (values, axis=…)."""


@cache
def _reference(statistic: str, n: int, m: int) -> Array:
    """Return draws of (ours − theirs) / SD of theirs, for normal seeds of one process."""
    numbers = _lattice(min(20_000, POINTS // (n + m)), n + m)
    theirs, ours = numbers[:, :n], numbers[:, n:]
    function = STATISTICS[statistic]
    difference = function(ours, axis=1) - function(theirs, axis=1)
    return np.asarray(difference / theirs.std(axis=1, ddof=1), dtype=np.float64)


def _lattice(points: int, dimensions: int) -> Array:
    """Return normal numbers on a Richtmyer lattice, built from the square roots of primes.

    It is deterministic: the same numbers on every machine, without a random draw.
    """
    sieve = np.ones(max(600, 20 * dimensions), dtype=bool)
    sieve[:2] = False
    for number in range(2, int(len(sieve) ** 0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = False
    roots = np.sqrt(np.flatnonzero(sieve)[:dimensions].astype(np.float64))
    places = np.modf(np.outer(np.arange(1, points + 1), roots))[0]
    return np.asarray(special.ndtri(np.clip(places, 1e-9, 1 - 1e-9)), dtype=np.float64)


def _share(hits: npt.NDArray[np.bool_]) -> float:
    """Return the share of points that hit.

    It is never 0: the observation itself counts as one point.
    """
    return (int(np.count_nonzero(hits)) + 1) / (len(hits) + 1)
