"""Non-degeneracy margin: how little of a concept an informative direction can carry
(docs/SCIENCE.md §6).

Source: selective paper §5. N probes, D width, K concepts, R directions.
"""

import numpy as np

from repro.geometry.labels import Labels
from repro.geometry.undefined import Array, Undefined


def between_class_variance(T: Array, labels: Labels) -> Array:
    """Return σ_j(u_i), R × K, from centred activations along the directions, T = X̃U (N × R)."""
    counts = labels.onehot.sum(axis=0)
    means = labels.onehot.T @ (T - T.mean(axis=0)) / counts[:, None]
    explained = counts[:, None] * np.square(means) / labels.n
    return np.stack([explained[block].sum(axis=0) for block in labels.blocks], axis=1)


def margin(T: Array, labels: Labels) -> tuple[float, str] | Undefined:
    """Return the smallest σ_j(u_i) over informative directions and concepts, and its concept.

    That concept is the weakest one. T = X̃U (N × R).
    """
    if not T.shape[1]:
        return Undefined("the readout has no informative direction")
    variance = between_class_variance(T, labels)
    return float(variance.min()), labels.concepts[int(np.argmin(variance.min(axis=0)))]
