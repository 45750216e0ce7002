"""How the entropy of attention grows with a text's length: not at all, with its logarithm,
linearly.

Source: artificial entanglement paper (docs/SCIENCE.md §12). An area law is a constant, its
logarithmic correction a + b ln T, a volume law a + b T. The fits are compared by AIC: the smallest
describes the entropies best.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repro.geometry.undefined import Array, Undefined

_FEWEST = 4
"""Points that a fit needs at least: with three, two parameters leave a single degree of freedom."""


@dataclass(frozen=True)
class Fit:
    """One least-squares fit of entropies."""

    aic: float
    """n ln(RSS / n) + 2k, with the residuals' variance among the k parameters."""
    slope: float
    """b, in nats per unit of the feature; 0 of a constant."""
    intercept: float
    """a, in nats."""


def entropy_fits(lengths: Array, entropies: Array) -> Mapping[str, Fit] | Undefined:
    """Fit a constant, a logarithmic and a linear law to entropies.

    `lengths` (n) in tokens, `entropies` (n) in nats. Return the fits by the names `constant`,
    `logarithmic` and `linear`; undefined with fewer than four points or three lengths.
    """
    if len(entropies) < _FEWEST or len(np.unique(lengths)) < 3:
        return Undefined(
            f"{len(entropies)} entropies at {len(np.unique(lengths))} lengths tell no law from "
            "another"
        )
    features = {
        "constant": None,
        "logarithmic": np.log(lengths),
        "linear": lengths.astype(np.float64),
    }
    return {name: _fit(feature, entropies) for name, feature in features.items()}


def _fit(feature: Array | None, y: Array) -> Fit:
    """Fit y (n) by least squares on a constant and, where given, a feature (n)."""
    n = len(y)
    slope = 0.0
    if feature is not None:
        centred = feature - feature.mean()
        slope = float(centred @ y / (centred @ centred))
    intercept = float(y.mean() - slope * (0.0 if feature is None else feature.mean()))
    missed = y - intercept - (0.0 if feature is None else slope * feature)
    # A perfect fit has no residual, and ln 0 no value: the floor is what rounding alone would
    # leave.
    variance = max(
        float(missed @ missed) / n, float(np.finfo(np.float64).eps ** 2 * (1 + y @ y / n))
    )
    return Fit(n * float(np.log(variance)) + 2 * (2 if feature is None else 3), slope, intercept)
