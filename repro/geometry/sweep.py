"""Scale sweep: EI of the same activations at other scales, the first artefact test.

Definition: docs/SCIENCE.md §5. α is fixed and activations are not normalised, so scale alone moves
EI. Activations times s with penalty α are activations with penalty α/s², and a readout divided by
s: the whole sweep shares one eigendecomposition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from repro.geometry.damage import entanglement_intensity
from repro.geometry.diagnosis import measure
from repro.geometry.directions import v_purity
from repro.geometry.labels import Labels
from repro.geometry.ridge import Spectrum, reduced
from repro.geometry.undefined import Array, Undefined

SCALES: Array = np.logspace(-2.5, 1.5, 33)


@dataclass(frozen=True)
class ScalePoint:
    """What is measured when the activations are multiplied by `scale`."""

    scale: float
    entanglement_intensity: float | Undefined
    v_purity: float | Undefined
    sigma_1: float
    accuracy: dict[str, float]


@dataclass(frozen=True)
class PublishedPair:
    """A printed pair of the largest singular value and EI, and where it is printed."""

    label: str
    sigma_1: float
    entanglement_intensity: float
    locator: str


def scale_sweep(
    rows: Spectrum, labels: Labels, scales: Sequence[float] | Array = SCALES, alpha: float = 1.0
) -> list[ScalePoint]:
    """Measure EI, V-purity, σ_1 and accuracies of the activations times each scale.

    The penalty stays at `alpha`.
    """
    small = replace(rows, X=reduced(rows.X))
    return [_point(small, labels, float(scale), alpha) for scale in scales]


def overlay(
    rows: Spectrum, labels: Labels, published: Sequence[PublishedPair], alpha: float = 1.0
) -> list[tuple[PublishedPair, ScalePoint | Undefined]]:
    """Place each printed pair at the scale where these activations have the printed σ_1."""
    small = replace(rows, X=reduced(rows.X))
    placed: list[tuple[PublishedPair, ScalePoint | Undefined]] = []
    for pair in published:
        scale = scale_at(small, labels, pair.sigma_1, alpha)
        placed.append(
            (pair, scale if isinstance(scale, Undefined) else _point(small, labels, scale, alpha))
        )
    return placed


def scale_at(
    rows: Spectrum, labels: Labels, sigma_1: float, alpha: float = 1.0
) -> float | Undefined:
    """Find the scale at which σ_1 equals `sigma_1`, on the falling branch.

    There, growing activations need a smaller readout. Undefined where σ_1 never gets that large, or
    not that small up to 1e8.
    """
    grid = np.logspace(-8, 8, 129)
    heights = np.array([_sigma_1(rows, labels, s, alpha) for s in grid])
    # σ_1 rises with the scale while the penalty rules, and falls once the activations do. The last
    # crossing lies on the falling branch.
    peak = int(heights.argmax())
    if not heights[peak] >= sigma_1:
        return Undefined(
            f"the largest singular value of these activations never exceeds {heights[peak]:.3g}"
        )
    after = peak + int(np.flatnonzero(heights[peak:] >= sigma_1)[-1])
    if after + 1 == len(grid):
        return Undefined("no scale up to 1e8 brings the largest singular value down that far")
    low, high = np.log(grid[after]), np.log(grid[after + 1])
    for _ in range(40):
        middle = (low + high) / 2
        if _sigma_1(rows, labels, float(np.exp(middle)), alpha) >= sigma_1:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


def _point(rows: Spectrum, labels: Labels, scale: float, alpha: float) -> ScalePoint:
    """Measure the activations times a scale, by the penalty over its square."""
    found, before, after = measure(rows, labels, alpha / scale**2)
    return ScalePoint(
        scale,
        entanglement_intensity(before - after, found.own),
        v_purity(found.loadings),
        float(found.singular_values[0]) / scale,
        {name: float(value) for name, value in zip(labels.concepts, before, strict=True)},
    )


def _sigma_1(rows: Spectrum, labels: Labels, scale: float, alpha: float) -> float:
    """Return the largest singular value of the readout at a scale."""
    W = rows.readout(alpha / scale**2, labels.onehot)
    return float(np.linalg.norm(W, 2)) / scale
