"""How alike the domains of one base model are, and debiased linear CKA (docs/SCIENCE.md §7).

Source: selective paper §7 (centroid cosine, subspace overlap, binary leave-one-out accuracy, mean cosine). All measures
read globally centred activations. Centred groups of equal size have centroid cosine near −1/(g − 1) by construction,
−0.5 for three: it is given beside the measured number.

N probes, D width, G domains.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from repro.errors import InputError
from repro.geometry.labels import Labels
from repro.geometry.ridge import accuracy, centred, loo_scores, reduced, spectrum
from repro.geometry.undefined import Array, Undefined

AXES = 5
"""Principal axes of a domain's subspace (selective paper §7)."""


@dataclass(frozen=True)
class PairSimilarity:
    """One unordered pair of domains."""

    first: str
    second: str
    centroid_cosine: float | Undefined
    subspace_overlap: float | Undefined
    """Mean of both ways."""
    binary_accuracy: float
    """Leave-one-out accuracy of a ridge readout that tells the two apart."""
    cosine_between: float | Undefined


@dataclass(frozen=True)
class Similarity:
    """Averages over all pairs, and the pairs."""

    centroid_cosine: float | Undefined
    centroid_cosine_by_construction: float
    """−1/(g − 1), where equal centred groups lie whatever the model."""
    subspace_overlap: float | Undefined
    binary_accuracy: float
    cosine_within: float | Undefined
    cosine_between: float | Undefined
    pairs: tuple[PairSimilarity, ...]


def similarity(X: Array, labels: Labels, alpha: float = 1.0) -> Similarity:
    """Similarity of the classes of the stratum concept (`domain`, else the first) in activations X (N × D)."""
    rows = reduced(centred(X))
    names = labels.classes[labels.stratum]
    groups = [rows[labels.codes[:, labels.stratum] == c] for c in range(len(names))]
    pairs = tuple(
        PairSimilarity(names[a], names[b], *_compare(groups[a], groups[b], alpha))
        for a, b in itertools.combinations(range(len(names)), 2)
    )
    return Similarity(
        _mean([pair.centroid_cosine for pair in pairs]),
        -1 / (len(names) - 1),
        _mean([pair.subspace_overlap for pair in pairs]),
        float(np.mean([pair.binary_accuracy for pair in pairs])),
        _mean([_within(group) for group in groups]),
        _mean([pair.cosine_between for pair in pairs]),
        pairs,
    )


def _compare(A: Array, B: Array, alpha: float) -> tuple[float | Undefined, float | Undefined, float, float | Undefined]:
    one, other = subspace_overlap(A, B), subspace_overlap(B, A)
    cosines = _unit(A) @ _unit(B).T
    between = float(cosines.mean()) if np.isfinite(cosines).all() else Undefined("a probe lies at the grand mean")
    return centroid_cosine(A, B), _mean([one, other]), binary_accuracy(A, B, alpha), between


def centroid_cosine(A: Array, B: Array) -> float | Undefined:
    """Cosine between the two centroids."""
    a, b = A.mean(axis=0), B.mean(axis=0)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 0 else Undefined("a centroid lies at the grand mean")


def subspace_overlap(A: Array, B: Array, axes: int = AXES) -> float | Undefined:
    """Share of the variance of A in its own top axes that lies inside B's top axes; each centred on itself."""
    _, strength, own = np.linalg.svd(A - A.mean(axis=0), full_matrices=False)
    other = np.linalg.svd(B - B.mean(axis=0), full_matrices=False)[2][: min(axes, len(B) - 1)]
    top = strength[:axes, None] * own[:axes]
    total = float(np.square(top).sum())
    if total <= 0 or not len(other):
        return Undefined("a domain does not vary")
    return float(np.square(top @ other.T).sum()) / total


def subspace_dimension(X: Array, share: float = 0.9) -> int | Undefined:
    """How many principal directions hold `share` of the variance of one domain's activations X (§9, p of CSR)."""
    variance = np.square(np.linalg.svd(X - X.mean(axis=0), compute_uv=False))
    if variance.sum() <= 0:
        return Undefined("the domain does not vary")
    return int((np.cumsum(variance) / variance.sum() < share - 1e-12).sum()) + 1


def binary_accuracy(A: Array, B: Array, alpha: float = 1.0) -> float:
    """Leave-one-out accuracy of the ridge readout between two domains."""
    pair = Labels.of({"pair": ["a"] * len(A) + ["b"] * len(B)})
    operator = spectrum(np.concatenate([A, B])).residual_operator(alpha)
    return float(accuracy(loo_scores(operator, pair.onehot), pair)[0])


def debiased_cka(X: Array, Y: Array) -> float | Undefined:
    """Debiased linear CKA of two activations of the same texts (N × D, N × D'): unbiased HSIC of Song et al. (2012).

    Only meaningful when row i of both is the same text in two versions (§7). Needs four texts or more.
    """
    if len(X) != len(Y) or len(X) < 4:
        raise InputError(f"CKA compares the same texts twice, four or more; found {len(X)} and {len(Y)} rows.")
    K, L = (_without_diagonal(centred(Z)) for Z in (X, Y))
    size = _hsic(K, K) * _hsic(L, L)
    return _hsic(K, L) / float(np.sqrt(size)) if size > 0 else Undefined("one of the activations does not vary")


def _without_diagonal(Z: Array) -> Array:
    gram: Array = Z @ Z.T
    np.fill_diagonal(gram, 0)
    return gram


def _hsic(K: Array, L: Array) -> float:
    """Unbiased HSIC from Gram matrices without diagonal, up to the factor n(n − 3)."""
    n = len(K)
    return float(
        np.sum(K * L) + K.sum() * L.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (K.sum(axis=0) @ L.sum(axis=0))
    )


def _within(group: Array) -> float | Undefined:
    """Mean cosine of distinct probes of one domain."""
    cosines = _unit(group) @ _unit(group).T
    if len(group) < 2 or not np.isfinite(cosines).all():
        return Undefined("a domain has one probe, or a probe lies at the grand mean")
    return float(cosines[np.triu_indices(len(group), 1)].mean())


def _unit(rows: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _mean(values: list[float | Undefined]) -> float | Undefined:
    """Mean of numbers; undefined with the first reason when any is missing."""
    numbers = [value for value in values if not isinstance(value, Undefined)]
    missing = [value for value in values if isinstance(value, Undefined)]
    return missing[0] if missing else float(np.mean(numbers))
