"""Tests a paper reports: z and p of two proportions, the interval of their difference, rank correlations.

The formulas are the paper's own (pooled z, unpooled Wald interval; consolidated paper §5.3); the audit tries others.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from repro.verify.algebra_interval import Interval, Missing

Proportion = tuple[Interval, int]
_DRAWS = 500


def two_proportions(statistic: str, first: Proportion | Missing, second: Proportion | Missing) -> Interval | Missing:
    """z, one- or two-tailed p, or an end of the 95 % interval (in points) of first − second; from the corners."""
    if isinstance(first, Missing):
        return first
    if isinstance(second, Missing):
        return second
    (one, n_one), (two, n_two) = first, second
    found = [_statistic(statistic, a, n_one, b, n_two) for a in (one.low, one.high) for b in (two.low, two.high)]
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        return Missing("both proportions are 0 or 1")
    return Interval(min(known), max(known))


def _statistic(statistic: str, a: float, n_a: int, b: float, n_b: int) -> float | None:
    if statistic in ("ci_low", "ci_high"):
        half = NormalDist().inv_cdf(0.975) * math.sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)
        return 100 * (a - b + (half if statistic == "ci_high" else -half))
    z = pooled_z(a, n_a, b, n_b)
    if z is None or statistic == "z":
        return z
    tail = NormalDist().cdf(-abs(z))
    return tail if statistic == "p_one" else 2 * tail


def pooled_z(a: float, n_a: int, b: float, n_b: int) -> float | None:
    """Two-proportion z with the pooled variance; None when it is 0."""
    pooled = (a * n_a + b * n_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    return (a - b) / math.sqrt(variance) if variance > 0 else None


def correlation(statistic: str, first: Sequence[Interval], second: Sequence[Interval]) -> Interval | Missing:
    """Spearman or Pearson over the middles; where prints overlap, over draws inside the intervals as well."""
    import numpy as np
    from scipy import stats

    measure = stats.spearmanr if statistic == "spearman" else stats.pearsonr
    if len(first) < 3:
        return Missing("a correlation needs three pairs")
    random = np.random.default_rng(0)
    found = []
    for draw in range(_DRAWS if any(_overlap(values) for values in (first, second)) or statistic == "pearson" else 1):
        x, y = (
            [v.middle if draw == 0 else random.uniform(v.low, v.high) for v in values] for values in (first, second)
        )
        if len(set(x)) > 1 and len(set(y)) > 1:
            found.append(float(measure(x, y).statistic))
    return Interval(min(found), max(found)) if found else Missing("one of the two does not vary")


def _overlap(values: Sequence[Interval]) -> bool:
    ordered = sorted(values, key=lambda v: v.low)
    return any(a.high >= b.low for a, b in pairwise(ordered))
