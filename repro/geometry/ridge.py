"""Multi-output ridge readout and its exact leave-one-out scores (docs/SCIENCE.md §3).

No fold is refitted. Everything follows from the residual operator N = (I − H)/α, H the hat matrix:
the left-out residual of probe i is (NY)_i / N_ii. N is built from the eigenvectors of the Gram
matrix orthogonal to the intercept, so it is a sum of positive terms and loses no digits when α is
far below the spectrum.

N probes, D width, C classes, K concepts, M eigenvectors (N − 1 with intercept, else N). A leading
"…" is a batch.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from repro.geometry.labels import Labels
from repro.geometry.undefined import Array, Integers

TIE = 1e-9
"""Scores closer than this are a tie, which goes to the first: rounding must not decide a class."""

LOST = 1e-10
"""Rounding of the inverse, relative to its largest entry, beyond which it is not used."""


SMALL = 128
"""Most rows for which NumPy's own inverse is as fast as LAPACK's.

It does not call on SciPy's BLAS: with several threads the two wait for each other
(repro/__init__.py).
"""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Activations as the ridge sees them, with the eigenvectors that every α and removal shares."""

    X: Array
    """N × D: globally centred, or raw when the readout has no intercept."""
    vectors: Array
    """N × M: eigenvectors of the Gram matrix; with an intercept, those orthogonal to the constant.
    """
    values: Array
    """M: their eigenvalues, none negative."""
    intercept: bool

    @property
    def trace(self) -> float:
        """Return trace(K), the total variance that `anchored` and `relative` α refer to."""
        return float(np.einsum("nd,nd->", self.X, self.X))

    def residual_operator(self, alpha: float) -> Array:
        """Return (I − H)/α (N × N) of the ridge with penalty `alpha`."""
        operator: Array = (self.vectors / (self.values + alpha)) @ self.vectors.T
        return operator

    def readout(self, alpha: float, Y: Array) -> Array:
        """Return W (D × C) of the ridge on all rows: X̃ᵀNY, from the eigenvectors X̃ shares in.

        The residual of Y in the others is of the order 1/α; X̃ᵀ takes it to rounding, which could
        pass for a direction.
        """
        kept = self.values > 0
        vectors = self.vectors[:, kept]
        weights: Array = self.X.T @ (vectors / (self.values[kept] + alpha) @ (vectors.T @ Y))
        return weights


def spectrum(X: Array, intercept: bool = True) -> Spectrum:
    """Decompose the N × N Gram matrix of activations X (N × D, any float type)."""
    X = centred(X) if intercept else np.asarray(X, dtype=np.float64)
    gram = X @ X.T
    if not intercept:
        values, vectors = np.linalg.eigh(gram)
        return Spectrum(X, vectors, _without_noise(values), False)
    # The constant vector has eigenvalue 0, perhaps one of many; lifted above all others it is the
    # last, and dropped.
    lifted = gram + (2 * np.trace(gram) or 1.0) / len(X)
    values, vectors = np.linalg.eigh(lifted)
    return Spectrum(X, vectors[:, :-1], _without_noise(values[:-1]), True)


def _without_noise(values: Array) -> Array:
    """Set eigenvalues below the rounding of the largest to the 0 they stand for.

    They must not rival α.
    """
    floor = len(values) * np.finfo(np.float64).eps * np.abs(values).max(initial=0.0)
    return np.where(values > floor, values, 0.0)


def single_operator(gram: Array, alpha: float) -> Array:
    """Return (I − H)/α for one penalty, from the centred Gram matrix of wide activations (D ≥ N).

    There is no eigendecomposition: the constant vector is given a large eigenvalue before inversion
    and taken out after, so no digits are lost. Raises `LinAlgError` where α is too small beside the
    spectrum for that: such rows need eigenvectors.
    """
    n = len(gram)
    lift = float(np.trace(gram)) + alpha
    shifted = gram + lift / n
    shifted[np.diag_indices(n)] += alpha
    operator: Array = np.asarray(np.linalg.inv(shifted)) if n <= SMALL else _inverse(shifted)
    operator -= 1 / (n * (lift + alpha))
    if np.abs(operator.diagonal()).max() * lift * np.finfo(np.float64).eps > LOST:
        raise linalg.LinAlgError("α is too small beside the spectrum for an inverse")
    return operator


def _inverse(A: Array) -> Array:
    """Invert a symmetric positive definite matrix, which is overwritten.

    scipy.linalg.inv would also estimate the condition. Raises `LinAlgError` if it is not definite.
    """
    factor, failed = lapack.dpotrf(A.T, lower=1, overwrite_a=1)
    if failed:
        raise linalg.LinAlgError("not positive definite")
    # its lower triangle; above it are zeros
    half, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    whole: Array = half + half.T
    # The sum of a triangle and its transpose counts the diagonal twice.
    whole[np.diag_indices(len(A))] /= 2
    return whole


def centred(X: Array) -> Array:
    """Return X minus its column means.

    The first row is taken off before: a mean far from zero would be rounded.
    """
    X = np.asarray(X, dtype=np.float64)
    X = X - X[0]
    X -= X.mean(axis=0)
    return X


def reduced(X: Array) -> Array:
    """Return the rows of X in an orthonormal basis of their span (N × min(N, D)), without squaring.

    Their inner products stay the same.
    """
    if X.shape[1] <= X.shape[0]:
        return X
    triangle = np.asarray(np.linalg.qr(X.T, mode="r"))
    return triangle.T


def readout(X: Array, operator: Array, Y: Array) -> Array:
    """Return W (…, D, C) of the ridge on all rows: X̃ᵀ N Y."""
    weights: Array = np.swapaxes(X, -1, -2) @ (operator @ Y)
    return weights


def loo_scores(operator: Array, Y: Array) -> Array:
    """Return the scores (…, N, C) of each probe under the readout fitted without it; exact (§3)."""
    diagonal = np.diagonal(operator, axis1=-2, axis2=-1)[..., None]
    scores: Array = Y - (operator @ Y) / diagonal
    return scores


def predictions(scores: Array, labels: Labels) -> Integers:
    """Predict class indices (…, N, K): the largest score inside each block, ties to the first."""
    # reductions over a first axis run over whole rows
    by_class = np.ascontiguousarray(np.moveaxis(scores, -1, 0))
    return np.stack([_first_largest(by_class[block]) for block in labels.blocks], axis=-1)


def first_largest(values: Array) -> Integers:
    """Return the index of the largest entry along the last axis.

    Entries within `TIE` of it count as equal: the first wins.
    """
    return _first_largest(np.moveaxis(values, -1, 0))


def _first_largest(values: Array) -> Integers:
    """Return the index of the largest entry along the first axis; within `TIE` the first wins."""
    near = values >= values.max(axis=0) - TIE
    index = np.full(values.shape[1:], len(values) - 1, dtype=np.int64)
    # From the last class to the first, so that the first of those within a tie is written last.
    for c in range(len(values) - 2, -1, -1):
        np.copyto(index, c, where=near[c])
    return index


def accuracy(scores: Array, labels: Labels) -> Array:
    """Return the share of probes whose class is predicted, for every concept: (…, K)."""
    share: Array = correct(scores, labels).mean(axis=-2)
    return share


def correct(scores: Array, labels: Labels) -> Array:
    """Mark probes whose class is predicted with 1, others with 0: (…, N, K)."""
    hits: Array = (predictions(scores, labels) == labels.codes).astype(np.float64)
    return hits
