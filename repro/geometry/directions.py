"""Directions of the readout: its singular vectors, what each loads on, and how purely.

Definition: docs/SCIENCE.md §4. N probes, D width, C classes, K concepts, R = rank. W is D × C, or
X̃ in reduced coordinates; a leading "…" is a batch.
"""

from dataclasses import dataclass

import numpy as np

from repro.geometry.labels import Labels
from repro.geometry.ridge import first_largest
from repro.geometry.undefined import Array, Integers, Undefined

INFORMATIVE = 1e-9
"""A direction is informative when its singular value exceeds this share of the largest (§4)."""


@dataclass(frozen=True, eq=False)
class Directions:
    """Informative directions of a readout, by falling singular value."""

    U: Array
    """D × R: unit directions in activation space."""
    V: Array
    """C × R: their loadings on classes."""
    lengths: Array
    """R: |W V_i|, so that U = W V / lengths; σ_i up to rounding."""
    singular_values: Array
    """All min(D, C) singular values, the numerically empty ones included."""
    loadings: Array
    """R × K: L_ij, the share of direction i's weight that lies on concept j; rows sum to 1."""
    own: Integers
    """R: the concept each direction loads on most."""

    @property
    def rank(self) -> int:
        """Count the informative directions."""
        return int(self.U.shape[1])


def directions(W: Array, labels: Labels) -> Directions:
    """Return the singular directions of W (D × C) with σ_i > 1e-9 σ_1.

    They come from W itself: a squared spectrum would lose the small ones.
    """
    # The triangle has W's singular values and right vectors, and is small where W is tall.
    triangle = np.linalg.qr(W, mode="r") if W.shape[0] > W.shape[1] else W
    _, sigma, Vt = np.linalg.svd(triangle, full_matrices=False)
    V = Vt[: informative(sigma)].T
    along = V.T @ W.T
    lengths = np.sqrt(np.einsum("rd,rd->r", along, along))
    loadings = concept_loadings(V.T, labels)
    return Directions(
        (along / lengths[:, None]).T, V, lengths, sigma, loadings, first_largest(loadings)
    )


def informative(sigma: Array) -> int:
    """Count the singular values above 1e-9 of the largest (the rank); 0 when all are zero."""
    return int(np.sum(sigma > INFORMATIVE * sigma[0])) if sigma.size else 0


def concept_loadings(Vt: Array, labels: Labels) -> Array:
    """Return the loadings L (…, R, K) from right singular vectors (…, R, C)."""
    return np.stack([np.square(Vt[..., block]).sum(axis=-1) for block in labels.blocks], axis=-1)


def v_purity(loadings: Array) -> float | Undefined:
    """Average the largest loading over directions; 1 when each direction serves one concept."""
    if not len(loadings):
        return Undefined("the readout has no informative direction")
    return float(loadings.max(axis=1).mean())


def first_ratio(sigma: Array) -> float | Undefined:
    """Return σ_1/σ_2 ("SV_1/SV_2" of the selective paper's Table 3)."""
    if informative(sigma) < 2:
        return Undefined("fewer than two informative directions")
    return float(sigma[0] / sigma[1])


def concentration(sigma: Array) -> float | Undefined:
    """Return (σ_1+σ_2+σ_3)/(σ_4+…+σ_7) ("Top3/Bot4" of the selective paper's Table 3)."""
    if informative(sigma) < 4:
        return Undefined("fewer than four informative directions")
    return float(sigma[:3].sum() / sigma[3:7].sum())
