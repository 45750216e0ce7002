"""Bootstrap interval of EI: probes drawn within domains, copies left out together (docs/SCIENCE.md
§5).

N probes, B draws of one batch.
"""

from dataclasses import dataclass

import numpy as np

from repro.geometry.ensemble import intensities, residual_operators, weighted_rows
from repro.geometry.labels import Labels
from repro.geometry.ridge import Spectrum, reduced
from repro.geometry.undefined import Array, Integers, Undefined

_BATCH = 50


@dataclass(frozen=True)
class BootstrapInterval:
    """Percentile interval of EI."""

    low: float
    median: float
    """Median of the draws; it need not be the estimate.

    A resample holds about 63 % of the probes as distinct texts.
    """
    high: float
    draws: int
    undefined: int
    """Draws in which EI is undefined; left out of the percentiles."""
    redrawn: int
    """Draws thrown away because a class was absent."""

    def around(self, estimate: float) -> tuple[float, float]:
        """Return the interval moved by the bias of the draws, so that their median is the estimate.

        A bootstrap's bias is what its draws lie above the estimate on average (Efron and
        Tibshirani 1993, chapter 10); here by the median, as for a percentile interval. EI is never
        negative, so neither end is.
        """
        bias = self.median - estimate
        return max(0.0, self.low - bias), max(0.0, self.high - bias)


def bootstrap_interval(
    rows: Spectrum,
    labels: Labels,
    alpha: float = 1.0,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> BootstrapInterval | Undefined:
    """Return the percentile interval of EI over `draws` resamplings of the probes.

    Probes are drawn within the classes of the stratum concept. Undefined when activations do not
    vary or no draw has an EI.
    """
    if rows.trace <= 0:
        return Undefined("activations do not vary")
    rng = np.random.default_rng(seed)
    counts, redrawn = resamplings(labels, draws, rng)
    values = bootstrap_values(reduced(rows.X), labels, counts, alpha)
    defined = values[~np.isnan(values)]
    if not len(defined):
        return Undefined(f"EI is undefined in all {draws} bootstrap draws")
    low, median, high = np.quantile(defined, [(1 - level) / 2, 0.5, (1 + level) / 2]).tolist()
    return BootstrapInterval(low, median, high, draws, int(draws - len(defined)), redrawn)


def resamplings(labels: Labels, draws: int, rng: np.random.Generator) -> tuple[Integers, int]:
    """Return how often each probe is drawn (draws × N), and how many drawings were refused.

    A drawing in which a class is absent is refused and drawn again.
    """
    strata = [
        np.flatnonzero(labels.codes[:, labels.stratum] == c)
        for c in range(labels.cardinalities[labels.stratum])
    ]
    kept: list[Integers] = []
    refused = 0
    while len(kept) < draws:
        drawn = np.concatenate([rng.choice(stratum, len(stratum)) for stratum in strata])
        counts = np.bincount(drawn, minlength=labels.n)
        if (counts @ labels.onehot > 0).all():
            kept.append(counts)
        else:
            refused += 1
    return np.stack(kept), refused


def bootstrap_values(X: Array, labels: Labels, counts: Integers, alpha: float) -> Array:
    """Return EI for each row of counts (draws × N), NaN where undefined; X (N × D) in any basis."""
    values = []
    for start in range(0, len(counts), _BATCH):
        batch = counts[start : start + _BATCH]
        # Only drawn probes matter: the drawn ones of each row first, filled up with weight zero to
        # one length.
        order = np.argsort(batch == 0, axis=1, kind="stable")[
            :, : int((batch > 0).sum(axis=1).max())
        ]
        weights = np.take_along_axis(batch, order, axis=1).astype(np.float64)
        drawn = weighted_rows(X[order], weights)
        operator = residual_operators(drawn, weights, alpha)
        values.append(intensities(drawn, operator, labels.codes[order], weights, labels, alpha))
    return np.concatenate(values)
