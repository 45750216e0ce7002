"""Draw seeds of one process from several distributions.

Each has the mean and standard deviation it is given.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Law = Callable[[np.random.Generator, float, float, int], Array]
"""(generator, mean, standard deviation, count) → values."""
RARE = 1 / 3
"""Share of seeds in the smaller cluster."""
GRID = 48
"""Number of probes behind an accuracy."""


def normal(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw normal seeds."""
    return rng.normal(mean, sd, count)


def two_values(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw seeds that give one of two values, as 0, 0, 0.188 in print."""
    apart = sd / np.sqrt(RARE * (1 - RARE))
    return np.asarray(mean - RARE * apart + apart * (rng.random(count) < RARE))


def two_clusters(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw seeds from two clusters, each a tenth as wide as they are apart."""
    narrow = sd / np.sqrt(RARE * (1 - RARE) + 0.01)
    return np.asarray(
        mean
        - RARE * narrow
        + narrow * (rng.random(count) < RARE)
        + rng.normal(0, 0.1 * narrow, count)
    )


def rare_cluster(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw seeds of which one in ten lies far away from the others."""
    narrow = sd / np.sqrt(0.1 * 0.9 + 0.0025)
    return np.asarray(
        mean
        - 0.1 * narrow
        + narrow * (rng.random(count) < 0.1)
        + rng.normal(0, 0.05 * narrow, count)
    )


def zero_heavy(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw seeds of which about half have exactly the lowest value, the others exponential
    above it.
    """
    above = rng.exponential(sd / np.sqrt(0.75), count) * (rng.random(count) < 0.5)
    return np.asarray(mean - 0.5 * sd / np.sqrt(0.75) + above)


def heavy_tailed(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw seeds from Student's t with 3 degrees of freedom."""
    return np.asarray(mean + sd / np.sqrt(3) * rng.standard_t(3, count))


def skewed(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw lognormal seeds with σ = 0.8."""
    width = np.sqrt((np.exp(0.64) - 1) * np.exp(0.64))
    return np.asarray(mean + sd / width * (rng.lognormal(0, 0.8, count) - np.exp(0.32)))


def gridded(rng: np.random.Generator, mean: float, sd: float, count: int) -> Array:
    """Draw normal seeds rounded to multiples of 1/48."""
    return np.asarray(np.round(rng.normal(mean, sd, count) * GRID) / GRID)


LAWS: dict[str, Law] = {
    "normal": normal,
    "two values": two_values,
    "two clusters": two_clusters,
    "rare cluster": rare_cluster,
    "zero-heavy": zero_heavy,
    "heavy-tailed": heavy_tailed,
    "skewed": skewed,
    "gridded": gridded,
}
CLUSTERED = ("two values", "two clusters", "rare cluster")
"""Distributions in two clusters, for which a claim may err twice as often."""
