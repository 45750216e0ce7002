"""How alike the domains of one base model are, and debiased linear CKA (docs/SCIENCE.md §7).

Source: selective paper §7 (centroid cosine, subspace overlap, binary leave-one-out accuracy, mean
cosine). All measures read globally centred activations. Centred groups of equal size have centroid
cosine near −1/(g − 1) by construction, −0.5 for three: it is given beside the measured number.

N probes, D width, G domains.
"""

import itertools
from dataclasses import dataclass

import numpy as np

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
    """Compare the domains of activations X (N × D), in pairs and on average.

    Domains are the classes of the stratum concept (`domain`, else the first concept).
    """
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


def _compare(
    A: Array, B: Array, alpha: float
) -> tuple[float | Undefined, float | Undefined, float, float | Undefined]:
    """Return the four measures of two domains, in the order of `PairSimilarity`."""
    one, other = subspace_overlap(A, B), subspace_overlap(B, A)
    cosines = _unit(A) @ _unit(B).T
    between = (
        float(cosines.mean())
        if np.isfinite(cosines).all()
        else Undefined("a probe lies at the grand mean")
    )
    return centroid_cosine(A, B), _mean([one, other]), binary_accuracy(A, B, alpha), between


def centroid_cosine(A: Array, B: Array) -> float | Undefined:
    """Return the cosine between two domains' centroids."""
    a, b = A.mean(axis=0), B.mean(axis=0)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 0 else Undefined("a centroid lies at the grand mean")


def subspace_overlap(A: Array, B: Array, axes: int = AXES) -> float | Undefined:
    """Return the share of A's variance in its own top axes that lies inside B's top axes.

    Each is centred on itself; not symmetric.
    """
    _, strength, own = np.linalg.svd(A - A.mean(axis=0), full_matrices=False)
    # n centred rows span n − 1 dimensions at most.
    other = np.linalg.svd(B - B.mean(axis=0), full_matrices=False)[2][: min(axes, len(B) - 1)]
    top = strength[:axes, None] * own[:axes]
    total = float(np.square(top).sum())
    if total <= 0 or not len(other):
        return Undefined("a domain does not vary")
    return float(np.square(top @ other.T).sum()) / total


def subspace_dimension(X: Array, share: float = 0.9) -> int | Undefined:
    """Count the principal directions that hold `share` of a domain's variance, X (§9, p of CSR)."""
    variance = np.square(np.linalg.svd(X - X.mean(axis=0), compute_uv=False))
    if variance.sum() <= 0:
        return Undefined("the domain does not vary")
    return int((np.cumsum(variance) / variance.sum() < share - 1e-12).sum()) + 1


def binary_accuracy(A: Array, B: Array, alpha: float = 1.0) -> float:
    """Return the leave-one-out accuracy of a ridge readout that tells two domains apart."""
    pair = Labels.of({"pair": ["a"] * len(A) + ["b"] * len(B)})
    operator = spectrum(np.concatenate([A, B])).residual_operator(alpha)
    return float(accuracy(loo_scores(operator, pair.onehot), pair)[0])


def _within(group: Array) -> float | Undefined:
    """Return the mean cosine of distinct probes of one domain."""
    cosines = _unit(group) @ _unit(group).T
    if len(group) < 2 or not np.isfinite(cosines).all():
        return Undefined("a domain has one probe, or a probe lies at the grand mean")
    return float(cosines[np.triu_indices(len(group), 1)].mean())


def _unit(rows: Array) -> Array:
    """Return rows of length one; a row of zeros becomes NaN, which the callers report."""
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _mean(values: list[float | Undefined]) -> float | Undefined:
    """Return the mean of the numbers; undefined, with the first reason, when any is missing."""
    numbers = [value for value in values if not isinstance(value, Undefined)]
    missing = [value for value in values if isinstance(value, Undefined)]
    return missing[0] if missing else float(np.mean(numbers))
