"""Comparisons on scales of their own: standard deviations, correlations, z statistics, counts.

Definition: docs/SCIENCE.md §13. The interval of a ratio of standard deviations is that of two χ² (Snedecor's F), since
the printed SD is itself estimated from a few seeds; a count is predicted from the printed one by the beta-binomial that
Jeffreys' prior gives.
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from repro.verify.columns import Array
from repro.verify.statistics import LEVEL, POWER, Comparison, normal_comparison, tost


def against_sd(theirs: float, n: int, ours: float, m: int, factor: float) -> Comparison:
    """Our SD of m ≥ 2 runs against a printed SD of n ≥ 2 seeds, as ln(ours/theirs): (ours/theirs)² ~ F(m−1, n−1).

    `factor` is the ratio of SDs that would matter; the TOST margin is a quarter of its logarithm.
    """
    ratio, margin = (ours / theirs) ** 2, math.log(factor) / 4
    below = float(special.fdtr(m - 1, n - 1, ratio))
    low, high = (0.5 * math.log(float(special.fdtri(m - 1, n - 1, q))) for q in (LEVEL / 2, 1 - LEVEL / 2))
    too_large = float(special.fdtr(m - 1, n - 1, ratio * math.exp(-2 * margin)))
    too_small = float(special.fdtrc(m - 1, n - 1, ratio * math.exp(2 * margin)))
    half_width = (high - low) / 2
    return Comparison(
        difference=math.log(ours / theirs) if ours > 0 else -math.inf,
        half_width=half_width,
        p=min(1.0, 2 * min(below, 1 - below)),
        p_equivalent=max(too_large, too_small),
        margin=margin,
        detectable=high - 0.5 * math.log(float(special.fdtri(m - 1, n - 1, 1 - POWER))),
    )


def against_correlation(theirs: float, n: int, ours: float, m: int, *, ranks: bool) -> Comparison:
    """Our correlation over m ≥ 4 points against a printed one over n ≥ 4, by Fisher's z (ranks: Fieller's variance)."""
    scale = 1.06 if ranks else 1.0
    theirs_z, ours_z = fisher(theirs, n), fisher(ours, m)
    return normal_comparison(ours_z - theirs_z, math.sqrt(scale / (n - 3) + scale / (m - 3)), abs(theirs_z) / 4)


def fisher(correlation: float, n: int) -> float:
    """Fisher's z of a correlation over n points; a perfect one, which has none, counts as half a rank step less."""
    most = 1 - 6 / (n * (n * n - 1))
    return math.atanh(max(-most, min(most, correlation)))


def against_z(theirs: float, ours: float) -> Comparison:
    """A recomputed z against a printed one: each has a standard error of 1. The effect is the printed z itself."""
    return normal_comparison(ours - theirs, math.sqrt(2), abs(theirs) / 4)


def against_count(theirs: int, size: int, ours: int, trials: int, margin: float) -> Comparison:
    """Our `ours` of `trials` against a printed `theirs` of `size`, both as shares.

    p: tails of the beta-binomial that Jeffreys' posterior of the printed count predicts. TOST: Agresti–Caffo error.
    """
    below, above = predicted_tails(theirs, size, trials)
    low, high = (int(np.searchsorted(below, q)) for q in (LEVEL / 2, 1 - LEVEL / 2))
    shares = ((theirs + 1) / (size + 2), (ours + 1) / (trials + 2))
    error = math.sqrt(sum(s * (1 - s) / (k + 2) for s, k in zip(shares, (size, trials), strict=True)))
    difference, half_width = ours / trials - theirs / size, (high - low) / 2 / trials
    return Comparison(
        difference=difference,
        half_width=half_width,
        p=min(1.0, 2 * float(min(below[ours], above[ours]))),
        p_equivalent=tost(difference, error, math.inf, margin),
        margin=margin,
        detectable=half_width + float(special.ndtri(POWER)) * error,
    )


def predicted_tails(theirs: int, size: int, trials: int) -> tuple[Array, Array]:
    """P(Y ≤ y) and P(Y ≥ y) for y = 0 … trials, where `theirs` of `size` were seen before.

    The beta-binomial mass from the ratio of its neighbours, scaled to sum 1.
    """
    a, b = theirs + 0.5, size - theirs + 0.5
    y = np.arange(trials, dtype=np.float64)
    ratios = np.log((trials - y) * (y + a) / ((y + 1) * (trials - y - 1 + b)))
    logs = np.concatenate([[0.0], np.cumsum(ratios)])
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    return np.cumsum(mass), np.cumsum(mass[::-1])[::-1]


def against_order_statistic(statistic: str, difference: float, sd: float, n: int, m: int, margin: float) -> Comparison:
    """Our median, extreme, quartile or range of m runs against the printed one of n ≥ 2 seeds with standard deviation.

    The reference distribution of the difference, in units of the printed sd, is simulated for normal seeds.
    """
    reference = _reference(statistic, n, m)
    scaled, moved = difference / sd, margin / sd
    low, high = (float(np.quantile(reference, q)) for q in (LEVEL / 2, 1 - LEVEL / 2))
    below, above = _share(reference <= scaled), _share(reference >= scaled)
    half_width = (high - low) / 2 * sd
    return Comparison(
        difference=difference,
        half_width=half_width,
        p=min(1.0, 2 * min(below, above)),
        p_equivalent=max(_share(reference <= scaled - moved), _share(reference >= scaled + moved)),
        margin=margin,
        detectable=(high - float(np.quantile(reference, 1 - POWER))) * sd,
    )


NUMBERS = 400_000
"""Normal numbers behind a simulated reference distribution: 20,000 draws up to twenty seeds and runs together."""

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
    draws = min(20_000, NUMBERS // (n + m))
    rng = np.random.default_rng([n, m])
    theirs, ours = rng.standard_normal((draws, n)), rng.standard_normal((draws, m))
    function = STATISTICS[statistic]
    difference = function(ours, axis=1) - function(theirs, axis=1)
    return np.asarray(difference / theirs.std(axis=1, ddof=1), dtype=np.float64)


def _share(hits: npt.NDArray[np.bool_]) -> float:
    """Share of draws, never 0: the observation itself counts as one draw."""
    return (int(np.count_nonzero(hits)) + 1) / (len(hits) + 1)
