"""All diagnostics of one set of activations, put together (docs/SCIENCE.md §3–7)."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgWarning

from repro.errors import InputError
from repro.geometry.diagnosis import Geometry, diagnose
from repro.geometry.interval import BootstrapInterval, bootstrap_interval
from repro.geometry.labels import Labels
from repro.geometry.null import (
    Null,
    nulls,
)
from repro.geometry.ridge import spectrum
from repro.geometry.similarity import Similarity, similarity
from repro.geometry.specification import SpecifiedValue, specification_curve
from repro.geometry.sweep import PublishedPair, ScalePoint, overlay, scale_sweep
from repro.geometry.undefined import Array, Undefined
from repro.measure.published import published_pairs

_ALPHA = 1.0


@dataclass(frozen=True, eq=False)
class MeasureContext:
    """What an EI has to be read against; left out of a quick measurement."""

    interval: BootstrapInterval | Undefined
    null: dict[str, Null]
    sweep: list[ScalePoint]
    overlay: list[tuple[PublishedPair, ScalePoint | Undefined]]
    """The papers' printed pairs, each beside these activations at the scale with the same σ_1."""
    readings: list[SpecifiedValue]


@dataclass(frozen=True, eq=False)
class MeasuredActivations:
    """Everything `repro measure` shows."""

    geometry: Geometry
    stratum: str
    """The concept whose classes are compared, and probes resampled within: `domain`, else first."""
    similarity: Similarity
    context: MeasureContext | None


def measure(
    X: Array, labels: Labels, quick: bool = False, draws: int = 2000, null_draws: int = 1000
) -> MeasuredActivations:
    """Measure activations X (N × D).

    `quick` leaves out interval, nulls, sweep and specification curve. Raises `InputError` for
    activations beside which the penalty is no number.
    """
    with refuse_unmeasurable(X):
        geometry = diagnose(X, labels)
        context = None if quick else _context(X, labels, geometry, draws, null_draws)
        alike = similarity(X, labels)
    return MeasuredActivations(geometry, labels.concepts[labels.stratum], alike, context)


@contextmanager
def refuse_unmeasurable(X: Array) -> Iterator[None]:
    """Raise InputError where a number of these activations is lost to rounding or overflow."""
    try:
        with (
            warnings.catch_warnings(action="error", category=LinAlgWarning),
            np.errstate(over="raise"),
        ):
            yield
    except (np.linalg.LinAlgError, LinAlgWarning, FloatingPointError):
        raise InputError(
            f"activations reach {np.abs(X).max():.1e} and span fewer dimensions than there "
            "are probes: beside them a penalty "
            f"of {_ALPHA:g} is rounded away. Rescale them, or drop probes with the "
            "activations of another."
        ) from None


def _context(
    X: Array, labels: Labels, geometry: Geometry, draws: int, null_draws: int
) -> MeasureContext:
    rows, accuracy = spectrum(X), np.array(list(geometry.accuracy.values()))
    return MeasureContext(
        bootstrap_interval(rows, labels, _ALPHA, draws),
        nulls(rows, labels, accuracy, geometry.entanglement_intensity, null_draws, _ALPHA),
        scale_sweep(rows, labels, alpha=_ALPHA),
        overlay(rows, labels, tuple(published_pairs()), _ALPHA),
        specification_curve({"given": X}, labels, alpha=_ALPHA),
    )
