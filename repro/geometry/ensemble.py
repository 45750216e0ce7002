"""EI of many designs at once: the draws of the interval and of the nulls (docs/SCIENCE.md §5).

Same formulas as `ridge`, `directions` and `damage`, stacked. A drawn probe with w copies is one row
times √w; its copies are left out together, which is exactly the deletion of that row, and √w scales
its scores but not their order.

B draws, N probes, D width (reduced coordinates), C classes, K concepts, R directions.
"""

import numpy as np

from repro.geometry.damage import NOTHING, removal_scores
from repro.geometry.directions import INFORMATIVE, concept_loadings
from repro.geometry.labels import Labels, onehot
from repro.geometry.ridge import first_largest, loo_scores, predictions, readout
from repro.geometry.undefined import Array, Integers


def weighted_rows(X: Array, weights: Array) -> Array:
    """Return the rows √w (x − weighted mean), (B, N, D), of X (…, N, D) for weights (B, N)."""
    mean = weights[:, None, :] @ X / weights.sum(axis=-1)[:, None, None]
    rows: Array = np.sqrt(weights)[..., None] * (X - mean)
    return rows


def residual_operators(rows: Array, weights: Array, alpha: float) -> Array:
    """Return (I − H)/α, (B, N, N), for weighted rows.

    The intercept √w is given a large penalty of its own before inversion and taken out after: no
    digits are lost.
    """
    intercept = np.sqrt(weights / weights.sum(axis=-1, keepdims=True))
    constant = intercept[..., :, None] * intercept[..., None, :]
    gram = rows @ np.swapaxes(rows, -1, -2)
    lift = np.trace(gram, axis1=-2, axis2=-1)[..., None, None] + alpha
    operator: Array = np.linalg.inv(gram + lift * constant + alpha * np.eye(rows.shape[-2]))
    operator -= constant / (lift + alpha)
    return operator


def intensities(
    X: Array, operator: Array, codes: Integers, weights: Array, labels: Labels, alpha: float
) -> Array:
    """Return EI of every draw (B), NaN where undefined.

    X (…, N, D), operator (…, N, N), codes (B, N, K), weights (B, N).
    """
    Y = onehot(codes, labels.cardinalities) * np.sqrt(weights)[..., None]
    U, sigma, Vt = np.linalg.svd(readout(X, operator, Y), full_matrices=False)
    rank = min(labels.nominal_rank, sigma.shape[-1])
    # An empty direction is a zero column: it removes nothing, so draws of any rank share one shape.
    U = U[..., :rank] * (sigma[..., None, :rank] > INFORMATIVE * sigma[..., None, :1])
    own = first_largest(concept_loadings(Vt[..., :rank, :], labels))
    before = _accuracy(loo_scores(operator, Y), codes, weights, labels)
    removed = removal_scores(X, operator, Y, U, alpha)
    after = _accuracy(removed, codes[:, None], weights[:, None], labels)
    damage = np.maximum(before[:, None, :] - after, 0)
    own_damage = np.take_along_axis(damage, own[..., None], axis=-1).sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            own_damage > NOTHING, (damage.sum(axis=(-1, -2)) - own_damage) / own_damage, np.nan
        )


def accuracies(operator: Array, codes: Integers, labels: Labels) -> Array:
    """Return leave-one-out accuracies (B, K) without removal, unweighted."""
    weights = np.ones(codes.shape[:-1])
    return _accuracy(
        loo_scores(operator, onehot(codes, labels.cardinalities)), codes, weights, labels
    )


def _accuracy(scores: Array, codes: Integers, weights: Array, labels: Labels) -> Array:
    """Return the weighted share of probes whose class is predicted (…, K)."""
    hits = (predictions(scores, labels) == codes).astype(np.float64)
    share: Array = (weights[..., None] * hits).sum(axis=-2) / weights.sum(axis=-1)[..., None]
    return share
