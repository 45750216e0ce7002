"""Damage with directions found without the probe they are tested on (switch `directions: nested`,
docs/SCIENCE.md §5).

The readout of fold T = all but i is W − (X̃ᵀN e_i)ρ_i, ρ_i the left-out residual: a rank-one
change, so no fold is refitted here either. Directions of different folds are matched by
singular-value order, and each keeps its fold's own concept; a fold of lower rank removes nothing in
the missing places.

N probes (and folds), D width (reduced coordinates), C classes, K concepts, R directions.
"""

from dataclasses import dataclass

import numpy as np

from repro.geometry.damage import remaining_share
from repro.geometry.directions import INFORMATIVE, concept_loadings
from repro.geometry.labels import Labels
from repro.geometry.ridge import Spectrum, first_largest, readout
from repro.geometry.undefined import Array, Integers


@dataclass(frozen=True, eq=False)
class Folds:
    """The directions of every training fold."""

    U: Array
    """N × D × R; a zero column where the fold has no such direction."""
    heights: Array
    """N × R × C: uᵀW_T, the readout along each direction."""
    own: Integers
    """N × R."""


def folds(rows: Spectrum, operator: Array, labels: Labels, rank: int) -> Folds:
    """Return the directions of the readouts fitted without each probe, the first `rank` of them."""
    Y = labels.onehot
    residual = operator @ Y / np.diagonal(operator)[:, None]
    influence = operator @ rows.X
    W = readout(rows.X, operator, Y) - influence[:, :, None] * residual[:, None, :]
    U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    present = sigma[:, :rank] > INFORMATIVE * sigma[:, :1]
    heights = sigma[:, :rank, None] * Vt[:, :rank]
    own = first_largest(concept_loadings(Vt[:, :rank], labels))
    return Folds(U[:, :, :rank] * present[:, None, :], heights * present[:, :, None], own)


def refit_scores(
    rows: Spectrum, operator: Array, labels: Labels, found: Folds, alpha: float
) -> Array:
    """Return each probe's score (R × N × C) after its fold's direction is removed everywhere.

    The readout is refitted without that direction.
    """
    Y = labels.onehot
    n = np.arange(len(Y))
    NT = operator @ (rows.X @ found.U)
    # Fold n has directions of its own, so only row n of its scores is asked for: the diagonal.
    at_probe = NT[n, n]
    delta = remaining_share(rows.X, NT, found.U, alpha)
    carried = np.swapaxes(NT, -1, -2) @ Y / delta[:, :, None]
    residual = (operator @ Y)[:, None, :] + at_probe[:, :, None] * carried
    diagonal = np.diagonal(operator)[:, None] + np.square(at_probe) / delta
    return np.swapaxes(Y[:, None, :] - residual / diagonal[:, :, None], 0, 1)


def frozen_scores(rows: Spectrum, operator: Array, labels: Labels, found: Folds) -> Array:
    """Return each probe's score (R × N × C) after its fold's direction is removed from it alone."""
    Y, n = labels.onehot, labels.n
    before = Y - operator @ Y / np.diagonal(operator)[:, None]
    # The probe is centred on the mean of the others: n/(n − 1) times as far away as from all.
    along = np.einsum("nd,ndr->nr", rows.X, found.U) * (n / (n - 1) if rows.intercept else 1.0)
    return np.swapaxes(before[:, None, :] - along[:, :, None] * found.heights, 0, 1)
