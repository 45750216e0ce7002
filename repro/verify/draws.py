"""How probable a relation is, given the spread of our runs: the parametric bootstrap of docs/SCIENCE.md §13.

A mean is drawn as Student's t around ours, a count from its Jeffreys posterior. Resampling two or three seeds with
replacement instead would call a toss-up decided far too often (tests/verify/test_draws.py measures it).
"""

import math
import zlib
from collections.abc import Callable, Hashable, Mapping

import numpy as np

from repro.verify.arrays import Arrays, NoSpreadError, name
from repro.verify.columns import Array
from repro.verify.measured import Measured, Sample
from repro.verify.scales import STATISTICS
from repro.verify.statistics import combined

DRAWS = 2000
FEWEST = 4
"""Runs below which an order statistic is not resampled."""

Spread = Callable[[Sample], tuple[float, int] | None]
"""The printed (sd, seeds) of a sample's cell, for a cell with a single run of ours."""


def all_drawn(samples: Mapping[Hashable, Sample], printed: Spread) -> dict[Hashable, Array]:
    """DRAWS values of every sample's statistic, by key. Raises NoSpreadError.

    Means share one χ² whose degrees of freedom are Welch–Satterthwaite's over the cells, so that "a is above b" has
    exactly the probability that Welch's t test gives it.
    """
    parts = {key: _variance(sample, printed) for key, sample in samples.items() if _is_mean(sample)}
    df = combined(list(parts.values()))[1] if parts else math.inf
    random = np.random.default_rng(zlib.crc32("; ".join(name(sample.term) for sample in samples.values()).encode()))
    radius: Array | float = np.sqrt(df / random.chisquare(df, DRAWS)) if math.isfinite(df) else 1.0
    found: dict[Hashable, Array] = {}
    for key, sample in samples.items():
        if key in parts:
            noise = math.sqrt(parts[key][0]) * random.standard_normal(DRAWS) * radius
            found[key] = np.asarray(sample.value + noise)
        else:
            found[key] = _other(sample, random)
    return found


def _is_mean(sample: Sample) -> bool:
    return sample.statistic == "mean" and not sample.problems


def _variance(sample: Sample, printed: Spread) -> tuple[float, float]:
    """Variance of the mean of our runs and its degrees of freedom; of a single run, from the printed spread."""
    if sample.sd is not None:
        return sample.sd**2 / sample.runs, sample.runs - 1
    if (spread := printed(sample)) is not None:
        return spread[0] ** 2, spread[1] - 1
    raise _no_spread(sample)


def _other(sample: Sample, random: np.random.Generator) -> Array:
    """Counts from Jeffreys' posterior, standard deviations from χ², order statistics by resampling runs."""
    values, m = sample.column.values, sample.runs
    if sample.statistic == "mean" and sample.problems:
        solved, trials = float(values.sum()), m * sample.problems
        return np.asarray(random.beta(solved + 0.5, trials - solved + 0.5, DRAWS) * sample.problems)
    if sample.statistic == "sd" and m > 1:
        return np.asarray(sample.value * np.sqrt((m - 1) / random.chisquare(m - 1, DRAWS)))
    if m >= FEWEST:
        picked: Array = STATISTICS[sample.statistic](values[random.integers(0, m, (DRAWS, m))], axis=1)
        return picked
    raise _no_spread(sample)


def _no_spread(sample: Sample) -> NoSpreadError:
    runs = "1 run" if sample.runs == 1 else f"{sample.runs} runs"
    return NoSpreadError(f"{runs} of {name(sample.term)}: too few to show a spread to judge by")


def drawn(measured: Measured, printed: Spread) -> Arrays:
    """The draws of every sample that the claim asked for, and the algebra over them."""
    return Arrays(all_drawn(measured.samples, printed), measured)
