"""Entanglement entropy of a matrix, cut by cut, as if it were the state of a chain of sites
(docs/SCIENCE.md §12).

Source: artificial entanglement paper. A matrix M (p × q) of Frobenius norm 1 is a vector over
sites, the prime factors of p and then of q, each ascending. A cut after ℓ sites parts it into a
left and a right half, and S = −Σ s² ln s² over the singular values s between them, in nats. The
squares s² are read from the Gram matrix of the smaller half: their error is one of rounding (about
1e-16 of their sum), so S is exact to about 1e-12 where a decomposition would take many times as
long.

Leading axes are a batch: layers, heads or seeds of one shape.
"""

from itertools import accumulate
from math import prod

import numpy as np

from repro.errors import InputError
from repro.geometry.undefined import Array, Undefined


def factors(size: int) -> tuple[int, ...]:
    """Return the prime factors of a size, ascending; none of 1."""
    found, divisor = [], 2
    while divisor * divisor <= size:
        while size % divisor == 0:
            found.append(divisor)
            size //= divisor
        divisor += 1
    return (*found, size) if size > 1 else tuple(found)


def profile(M: Array, interleaved: bool = False) -> Array:
    """Return entropies (… × cuts), in nats, of matrices M (… × p × q) at each cut between sites.

    `interleaved`: row and column sites alternate, and what is left of the longer list comes last.
    Raises InputError for a matrix without a cut, of zeros, or with a value that is not finite.
    """
    *batch, p, q = M.shape
    rows, columns = factors(p), factors(q)
    if interleaved:
        order = _alternate(len(rows), len(columns))
        sites = tuple((rows + columns)[site] for site in order)
        split = M.reshape(*batch, *rows, *columns)
        M = split.transpose(*range(len(batch)), *(len(batch) + site for site in order))
    else:
        sites = rows + columns
    return entropies(M.reshape(*batch, -1), sites)


def product_profile(B: Array, A: Array) -> Array:
    """Return `profile` of B·A without forming it: B (… × p × r), A (… × r × q).

    With A = R·Q, the rows of Q orthonormal, a cut inside the rows has the spectrum of B·R (p × r)
    cut there, since Q keeps lengths; a cut inside the columns likewise that of R·A with B = Q·R.
    """
    p, q = B.shape[-2], A.shape[-1]
    batch = B.shape[:-2]
    if 1 in (p, q):
        return profile(B @ A)
    left = B @ np.linalg.qr(A.swapaxes(-1, -2)).R.swapaxes(-1, -2)
    right = np.linalg.qr(B).R @ A
    rows, columns = factors(p), factors(q)
    inside = entropies(left.reshape(*batch, -1), (*rows, left.shape[-1]))
    after = entropies(right.reshape(*batch, -1), (right.shape[-2], *columns))[..., 1:]
    return np.concatenate([inside, after], axis=-1)


def _alternate(rows: int, columns: int) -> list[int]:
    """Return the order of the sites when row and column sites alternate."""
    pairs = [place for site in range(min(rows, columns)) for place in (site, rows + site)]
    return pairs + [site for site in range(rows + columns) if site not in pairs]


def entropies(state: Array, sites: tuple[int, ...]) -> Array:
    """Return the entropies (… × len(sites) − 1) of states (… × product of the sites).

    Raises InputError for fewer than two sites, a state of zeros, or a value that is not finite.
    """
    if len(sites) < 2:
        raise InputError(
            f"a matrix of {prod(sites)} values cannot be cut: its two sides have fewer than two "
            "prime factors together; give a larger matrix"
        )
    largest = np.abs(state).max(axis=-1, keepdims=True, initial=0.0)
    if not np.isfinite(largest).all() or not (largest > 0).all():
        raise InputError(
            "found a matrix of zeros, or a value that is not finite: it has no entropy"
        )
    state = state / largest  # first, since the squares of large numbers are not finite
    state = state / np.linalg.norm(state, axis=-1, keepdims=True)
    lefts = list(accumulate(sites[:-1], lambda a, b: a * b))
    size, found = state.shape[-1], {}
    # Cuts whose left half is the smaller go first, from the middle outwards: each Gram matrix is a
    # partial trace of the one before, so the state itself is multiplied once for either half.
    inner = [place for place, left in enumerate(lefts) if left * left <= size]
    gram = None
    for place in reversed(inner):
        left = lefts[place]
        gram = (
            _gram(state.reshape(*state.shape[:-1], left, -1))
            if gram is None
            else _without_last(gram, left)
        )
        found[place] = _entropy(gram)
    gram = None
    for place in range(len(inner), len(lefts)):
        right = size // lefts[place]
        whole = state.reshape(*state.shape[:-1], -1, right)
        gram = _gram(whole.swapaxes(-1, -2)) if gram is None else _without_first(gram, right)
        found[place] = _entropy(gram)
    return np.stack([found[place] for place in range(len(lefts))], axis=-1)


def _gram(half: Array) -> Array:
    """Return the Gram matrix of a half's rows (… × rows × rows)."""
    product: Array = half @ half.swapaxes(-1, -2)
    return product


def _without_last(gram: Array, size: int) -> Array:
    """Return the left half's Gram matrix when its last site goes to the right: a partial trace."""
    site = gram.shape[-1] // size
    traced: Array = np.einsum(
        "...asbs->...ab", gram.reshape(*gram.shape[:-2], size, site, size, site)
    )
    return traced


def _without_first(gram: Array, size: int) -> Array:
    """Return the right half's Gram matrix when its first site goes to the left: a partial trace."""
    site = gram.shape[-1] // size
    traced: Array = np.einsum(
        "...sasb->...ab", gram.reshape(*gram.shape[:-2], site, size, site, size)
    )
    return traced


def _entropy(gram: Array) -> Array:
    """Return −Σ λ ln λ over the eigenvalues of a Gram matrix, which sum to 1.

    Rounding leaves some eigenvalues a little below 0; they count as 0.
    """
    values = np.linalg.eigvalsh(gram).clip(min=0.0)
    values = values / values.sum(axis=-1, keepdims=True)
    entropy: Array = -(values * np.log(np.where(values > 0, values, 1.0))).sum(axis=-1)
    return entropy.clip(min=0.0)


def most(p: int, q: int, rank: int | None = None) -> Array:
    """Return the largest entropy possible at every cut of a p × q matrix: ln of the smallest bond.

    `rank` bounds the matrix's rank, where one is given.
    """
    sites = factors(p) + factors(q)
    lefts = np.array(list(accumulate(sites[:-1], lambda a, b: a * b)), dtype=float)
    bond = np.minimum(lefts, p * q / lefts)
    # inside the rows a left index of the cut meets at most rank columns for each of the rest
    if rank is not None:
        inside = np.where(lefts <= p, p / lefts, lefts / p) * rank
        bond = np.minimum(bond, inside)
    bound: Array = np.log(bond)
    return bound


def middle(p: int) -> int:
    """Return the index, in a profile, of the cut between rows and columns."""
    return len(factors(p)) - 1


def valley_depth(entropy: Array, p: int) -> float | Undefined:
    """Return how far S at the cut between rows and columns lies below the maxima on either side.

    The maxima on its left and right are averaged; in nats.
    """
    place = middle(p)
    left, right = entropy[:place], entropy[place + 1 :]
    if not len(left) or not len(right):
        return Undefined("rows or columns are a single site: there is no cut beside the middle one")
    return float((left.max() + right.max()) / 2 - entropy[place])


def volume_law_slope(entropy: Array, p: int) -> float | Undefined:
    """Fit S against the number of sites over the first half of the row sites; nats per site."""
    cuts = len(factors(p)) // 2
    if cuts < 2:
        return Undefined("fewer than two cuts lie in the first half of the row sites")
    return float(np.polyfit(np.arange(cuts, dtype=float), entropy[:cuts], 1)[0])


def profile_distance(one: Array, other: Array) -> float:
    """Return the root mean square difference of two profiles, in nats."""
    return float(np.sqrt(np.mean(np.square(one - other))))
