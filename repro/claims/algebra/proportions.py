"""Tests a paper reports: z and p of two proportions, their difference's interval, correlations.

The formulas are the paper's own (pooled z, unpooled Wald interval; consolidated paper §5.3); the
audit tries others.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from repro.claims.algebra.interval import Interval
from repro.geometry.undefined import Undefined

Proportion = tuple[Interval, int]
_DRAWS = 500


def two_proportions(
    statistic: str, first: Proportion | Undefined, second: Proportion | Undefined
) -> Interval | Undefined:
    """Compute a statistic of two proportions at the corners of what the prints allow.

    It is z, the two-sided p, p of the first being larger (`p_one`), or an end of the 95 % interval
    of first − second, in points. Undefined where a count lies beyond its total, or both shares are
    0 or 1.
    """
    if isinstance(first, Undefined):
        return first
    if isinstance(second, Undefined):
        return second
    (one, n_one), (two, n_two) = first, second
    if not all(is_share(share, total) for share, total in (first, second)):
        return Undefined("a count lies beyond its total")
    found = [
        _statistic(statistic, a, n_one, b, n_two)
        for a in (one.low, one.high)
        for b in (two.low, two.high)
    ]
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        return Undefined("both proportions are 0 or 1")
    return Interval(min(known), max(known))


def is_share(share: Interval, total: int) -> bool:
    """Tell whether an interval of fractions lies within 0 to 1, of a total above 0."""
    return total > 0 and share.low >= 0 and share.high <= 1


def _statistic(statistic: str, a: float, n_a: int, b: float, n_b: int) -> float | None:
    """Compute the statistic of two exact shares; None where z has no variance."""
    if statistic in ("ci_low", "ci_high"):
        half = NormalDist().inv_cdf(0.975) * math.sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)
        return 100 * (a - b + (half if statistic == "ci_high" else -half))
    z = _pooled_z(a, n_a, b, n_b)
    if z is None or statistic == "z":
        return z
    return NormalDist().cdf(-z) if statistic == "p_one" else 2 * NormalDist().cdf(-abs(z))


def _pooled_z(a: float, n_a: int, b: float, n_b: int) -> float | None:
    """Return the two-proportion z with the pooled variance; None when that is 0."""
    pooled = (a * n_a + b * n_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    return (a - b) / math.sqrt(variance) if variance > 0 else None


def correlate(
    statistic: str, first: Sequence[Interval], second: Sequence[Interval]
) -> Interval | Undefined:
    """Return the range of Spearman's or Pearson's r that the printed intervals allow.

    It is r at their middles and, where prints overlap (for Pearson always), at random draws inside
    them.
    """
    import numpy as np
    from scipy import stats

    measure = stats.spearmanr if statistic == "spearman" else stats.pearsonr
    if len(first) < 3:
        return Undefined("a correlation needs three pairs")
    random = np.random.default_rng(0)
    found = []
    # Ranks change only where prints overlap; Pearson's r moves with every decimal.
    for draw in range(
        _DRAWS
        if any(_overlap(values) for values in (first, second)) or statistic == "pearson"
        else 1
    ):
        x, y = (
            [v.middle if draw == 0 else random.uniform(v.low, v.high) for v in values]
            for values in (first, second)
        )
        if len(set(x)) > 1 and len(set(y)) > 1:
            found.append(float(measure(x, y).statistic))
    return Interval(min(found), max(found)) if found else Undefined("one of the two does not vary")


def _overlap(values: Sequence[Interval]) -> bool:
    """Tell whether two of the intervals have a number in common, so that their ranks are open."""
    ordered = sorted(values, key=lambda v: v.low)
    return any(a.high >= b.low for a, b in pairwise(ordered))
