"""Compute the spread a cell is judged with (docs/SCIENCE.md §13).

It is ours, the paper's, or the least that either can have. No visible spread is not certainty: runs
that all agree show none, and a share of N probes varies by at least p(1 − p)/N.
"""

import math
from functools import cache

import numpy as np

from repro.verify.statistics import Spread
from repro.verify.verdict import MeasuredCell

FEWEST = 3
"""With fewer runs a side, a comparison is at best consistent and contradicts nothing."""
JITTER = 1e-4
"""How far readings of one base model may differ by arithmetic alone, relative to its value."""
CLUSTERS = 0.1
"""Largest accepted rate at which seeds in two clusters are mistaken for two processes."""
_EFFICIENCY = {"mean": 1.0, "median": math.pi / 2, "q25": 1.86, "q75": 1.86, "iqr": 2.48}
"""Variance of a statistic over normal seeds, in units of that of their mean (large samples)."""


def our_spread(cell: MeasuredCell) -> Spread | None:
    """Return the spread of our value along the claim's slope; None where the runs show none.

    A base model is one measurement. Fewer than three runs of a count have the spread of the
    count itself.
    """
    slope = abs(cell.slope)
    # If readings of one base model differ by more than arithmetic explains, that difference
    # is its spread.
    if cell.measured_once:
        differs = cell.sd is not None and cell.sd > max(cell.least_sd, JITTER * abs(cell.mean))
        return (
            Spread(slope * cell.sd, cell.runs - 1, 1)
            if differs and cell.sd
            else Spread(slope * cell.least_sd, math.inf, 1)
        )
    if cell.binomial and cell.runs < FEWEST:
        return Spread(slope * cell.least_sd, math.inf, cell.runs)
    sd = max(cell.sd or 0.0, cell.least_sd)
    if cell.runs < 2 or sd == 0:
        return None
    return Spread(slope * sd * math.sqrt(_relative_variance(cell)), cell.runs - 1, cell.runs)


def their_spread(cell: MeasuredCell) -> Spread | None:
    """Return the printed spread along the claim's slope; None where none is printed, or only 0."""
    if cell.printed_sd is None or cell.printed_seeds < 2:
        return None
    sd = max(cell.printed_sd, cell.least_sd)
    return Spread(abs(cell.slope) * sd, cell.printed_seeds - 1, cell.averaged) if sd else None


def prints_no_spread(cell: MeasuredCell) -> bool:
    """Return whether the paper prints that its seeds all agree: 0.000 ± 0.000."""
    return cell.printed_sd == 0 and cell.printed_seeds >= 2 and not cell.least_sd


def _relative_variance(cell: MeasuredCell) -> float:
    """Return the variance of a statistic over runs, relative to their mean's.

    An extreme does not get sharper with more runs, so its ratio grows with their number.
    """
    if cell.statistic in _EFFICIENCY:
        return _EFFICIENCY[cell.statistic]
    return 1 + cell.runs / 4 if cell.statistic in ("min", "max", "span") else 1.0


@cache
def mistaken_clusters(n: int, m: int) -> float:
    """Return the largest chance that n seeds fall into one of two clusters, m into the other.

    Then each sample looks as if it had a spread of its own, and the two differ. No rule for
    means can tell this from two processes, so samples too small to exclude it contradict
    nothing.
    """
    q = np.linspace(0.01, 0.99, 99)
    return float(np.max(q**n * (1 - q) ** m + q**m * (1 - q) ** n))


def parted_clusters(n: int, m: int) -> float:
    """Return the largest chance that n seeds fall into the lower cluster, m into the upper."""
    return float((n / (n + m)) ** n * (m / (n + m)) ** m)


def cluster_chance(cell: MeasuredCell) -> float:
    """Return the chance that one cell's seeds in two clusters look like two processes."""
    return mistaken_clusters(cell.printed_seeds if their_spread(cell) else cell.averaged, cell.runs)


def may_be_clusters(cell: MeasuredCell) -> bool:
    """Return whether a cell's seeds and runs may well be two clusters of one process."""
    return cluster_chance(cell) > CLUSTERS
