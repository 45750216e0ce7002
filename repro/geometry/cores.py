"""Entropies of an update B·A from B and the cores of A, without forming either product
(docs/SCIENCE.md §12).

Source: artificial entanglement paper, MPS adaptation. A (r × d1·d2) is the contraction of `first`
(r × d1 × χ) and `second` (χ × d2), so B, first, second is a matrix product state of three sites.
Each cut is read where everything on its other side is orthonormal: only a small remainder of that
side is left, and lengths are kept.
"""

import numpy as np

from repro.geometry.entropy import entropies, factors, product_profile
from repro.geometry.undefined import Array


def cores_profile(B: Array, first: Array, second: Array) -> Array:
    """Return the entropies (cuts), in nats, of B·A at every cut between two sites.

    The sites are the prime factors of p, then of d1, then of d2, each ascending. B (p × r), first
    (r × d1 × χ), second (χ × d2). Where d1's factors followed by d2's ascend, as for powers of two,
    the sites are those of `profile`; elsewhere they are the adapter's own and come in another
    order. Raises InputError where the product is zero or not finite.
    """
    p, (r, d1, bond) = len(B), first.shape
    if second.shape[1] == 1:  # the last core has no site
        return product_profile(B, (first @ second).reshape(r, d1))
    remainder = np.linalg.qr(second.T).R.T  # second = remainder · orthonormal rows
    narrow = (first.reshape(r * d1, bond) @ remainder).reshape(r, -1)
    # A cut inside the rows of B: all of A is on its other side, and a triangle of A keeps its
    # lengths.
    inside = B @ np.linalg.qr(narrow.T).R.T
    # Between the cores B is on the left and the second core on the right: a triangle stands for
    # each.
    left = np.linalg.qr(B).R
    middle = (left @ first.reshape(r, -1)).reshape(len(left), d1, bond)
    between = middle @ remainder
    after = np.linalg.qr(middle.reshape(-1, bond)).R @ second
    parts = [
        _cuts(inside, (*factors(p), inside.shape[1]), drop=0),
        _cuts(between, (len(left), *factors(d1), between.shape[2]), drop=1),
        _cuts(after, (len(after), *factors(second.shape[1])), drop=1),
    ]
    return np.concatenate(parts)


def _cuts(state: Array, sites: tuple[int, ...], drop: int) -> Array:
    """Return the cuts inside one third of the chain; the first `drop` belong to the one before."""
    return entropies(state.reshape(-1), sites)[drop:] if len(sites) > 1 else np.zeros(0)
