"""Damage: what each concept loses when one direction is removed, and entanglement intensity
(docs/SCIENCE.md §5).

Removing a unit u turns the Gram matrix K into K − ttᵀ, t = X̃u. So the residual operator N gains
the rank-one term (Nt)(Nt)ᵀ/δ with δ = 1 − tᵀNt, and no removal costs a factorisation or touches the
width again. The papers do not say whether negative damage counts: the default clips it.

N probes, D width, C classes, K concepts, R directions. A leading "…" is a batch.
"""

import numpy as np

from repro.geometry.labels import Labels
from repro.geometry.ridge import accuracy
from repro.geometry.undefined import Array, Integers, Undefined


def removal_scores(X: Array, operator: Array, Y: Array, U: Array, alpha: float) -> Array:
    """Return leave-one-out scores (…, R, N, C) after removing each column of U (…, D, R).

    The readout is refitted without the removed direction.
    """
    if X.ndim == 2 and X.shape[1] < X.shape[0]:
        # N is 1/α where X has no share, which rounds NX away once α is far below X; (XᵀX + αI)⁻¹
        # has no such part. With it, Nt = X̃ (XᵀX + αI)⁻¹u and δ = α uᵀ(XᵀX + αI)⁻¹u.
        inner = np.linalg.inv(X.T @ X + alpha * np.eye(X.shape[1])) @ U
        delta = alpha * (U * inner).sum(axis=-2)
        delta[delta == 0] = 1.0  # as in `remaining_share`
        return downdated_scores(operator, Y, operator @ Y, X @ inner, delta)
    NT = operator @ (X @ U)
    return downdated_scores(operator, Y, operator @ Y, NT, remaining_share(X, NT, U, alpha))


def downdated_scores(operator: Array, Y: Array, NY: Array, NT: Array, delta: Array) -> Array:
    """Return leave-one-out scores (…, R, N, C) under N + (Nt)(Nt)ᵀ/δ, by column of NT (…, N, R)."""
    # Residuals become NY + Nt·(tᵀNY)/δ and the diagonal N_ii + (Nt)_i²/δ. These sums are of one
    # sign or well separated: the diagonal only grows. Probes come last, so that every pass runs
    # over whole rows of N and not over rows of C.
    along = np.ascontiguousarray(np.swapaxes(NT, -1, -2))
    carried = along @ Y / delta[..., None]
    diagonal = (
        np.diagonal(operator, axis1=-2, axis2=-1)[..., None, :]
        + np.square(along) / delta[..., None]
    )
    scores: Array = along[..., None, :] * carried[..., None]
    scores += np.swapaxes(NY, -1, -2)[..., None, :, :]
    scores /= diagonal[..., None, :]
    np.subtract(np.swapaxes(Y, -1, -2)[..., None, :, :], scores, out=scores)
    return np.swapaxes(scores, -1, -2)


def span_scores(gram: Array, operator: Array, Y: Array, G: Array, alpha: float) -> Array:
    """Return `removal_scores` for directions U = X̃ᵀG in the span of the activations.

    Only the Gram matrix (N × N) is read: the width is not touched at all. G is N × R.
    """
    # I − NK = αN (but for the constant, which X̃ᵀ removes), so u − X̃ᵀNt = X̃ᵀ(I − NK)g = αX̃ᵀNg:
    # its square in δ is α² (Ng)ᵀK(Ng).
    inside = operator @ G
    delta = alpha**2 * np.einsum("nr,nr->r", inside, gram @ inside)
    NT = operator @ (gram @ G)
    delta += alpha * np.einsum("nr,nr->r", NT, NT)
    return downdated_scores(operator, Y, operator @ Y, NT, delta)


def remaining_share(X: Array, NT: Array, U: Array, alpha: float) -> Array:
    """Return δ = 1 − tᵀNt (…, R), as the sum of squares |u − X̃ᵀNt|² + α|Nt|².

    The difference itself would lose λ_max/α digits.
    """
    outside = U - np.swapaxes(X, -1, -2) @ NT
    remaining: Array = np.square(outside).sum(axis=-2) + alpha * np.square(NT).sum(axis=-2)
    # a zero column of U stands for an empty direction and removes nothing
    remaining[remaining == 0] = 1.0
    return remaining


def frozen_scores(X: Array, operator: Array, Y: Array, U: Array, intercept: bool = True) -> Array:
    """Return leave-one-out scores (…, R, N, C), the direction removed from the left-out probe only.

    This is the switch `frozen`. The readout without probe i is the full one with y_i replaced by
    its own prediction, so uᵀW_T follows from N.
    """
    n = X.shape[-2]
    # The left-out probe is centred on the mean of the others, which is n/(n − 1) times as far away.
    T = X @ U * (n / (n - 1) if intercept else 1.0)
    NT = np.swapaxes(operator @ (X @ U), -1, -2)
    residual = operator @ Y / np.diagonal(operator, axis1=-2, axis2=-1)[..., None]
    readout = (NT @ Y)[..., None, :] - NT[..., None] * residual[..., None, :, :]
    scores: Array = (Y - residual)[..., None, :, :] - np.swapaxes(T, -1, -2)[..., None] * readout
    return scores


def damage(before: Array, after: Array) -> Array:
    """Return D (R × K), not clipped: accuracy before (K) minus accuracy after removal (R × K)."""
    return before - after


def accuracy_after(scores: Array, labels: Labels) -> Array:
    """Return the accuracies (R × K) after each removal.

    They may lie below chance, since u is fitted on all labels (§5).
    """
    return accuracy(scores, labels)


def entanglement_intensity(D: Array, own: Integers, clip: bool = True) -> float | Undefined:
    """Return EI (§5) from D (R × K) and each direction's own concept (R).

    It is the damage to other concepts over the damage to the own one, each summed over directions.
    """
    mask = own[:, None] == np.arange(D.shape[1])
    return intensity(np.where(mask, D, 0.0), np.where(mask, 0.0, D), clip)


NOTHING = 1e-9
"""Sums of damage below this are zeros that rounding left, where losses and gains cancel.

Damage is a multiple of 1/N, so no true sum is that small.
"""


def intensity(own_part: Array, other_part: Array, clip: bool = True) -> float | Undefined:
    """Return EI from the damage done to own and to other concepts, both R × K."""
    if not len(own_part):
        return Undefined("the readout has no informative direction")
    if clip:
        own_part, other_part = np.maximum(own_part, 0), np.maximum(other_part, 0)
    total, others = float(own_part.sum()), float(other_part.sum())
    if total <= NOTHING:
        return Undefined("no direction damages its own concept")
    return others / total if abs(others) > NOTHING else 0.0


def theory(rank: int, largest_dimension: int) -> float | Undefined:
    """Return the papers' bound (r − d_max)/d_max for rank r."""
    if rank < 1:
        return Undefined("the readout has no informative direction")
    return (rank - largest_dimension) / largest_dimension
