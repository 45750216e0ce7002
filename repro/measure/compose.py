"""All diagnostics of one set of activations, put together (docs/SCIENCE.md §3–7)."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgWarning

from repro.errors import InputError
from repro.geometry import Geometry, Labels, Undefined, diagnose
from repro.geometry.interval import Interval, bootstrap_interval
from repro.geometry.null import (
    Null,
    joint_permutations,
    permuted_values,
    planted_values,
    summary,
    within_domain_permutations,
)
from repro.geometry.ridge import Spectrum, spectrum
from repro.geometry.similarity import Similarity, similarity
from repro.geometry.specification import Reading, specification_curve
from repro.geometry.sweep import Published, ScalePoint, overlay, scale_sweep
from repro.geometry.undefined import Array
from repro.measure.published import PUBLISHED

ALPHA = 1.0


@dataclass(frozen=True, eq=False)
class Context:
    """What an EI has to be read against; left out of a quick measurement."""

    interval: Interval | Undefined
    null: dict[str, Null]
    sweep: list[ScalePoint]
    overlay: list[tuple[Published, ScalePoint | Undefined]]
    """The papers' printed pairs, each beside these activations at the scale with the same largest singular value."""
    readings: list[Reading]


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything `repro measure` shows."""

    geometry: Geometry
    stratum: str
    """The concept probes are resampled within, and whose classes are compared: `domain`, else the first."""
    similarity: Similarity
    context: Context | None


def measure(X: Array, labels: Labels, quick: bool = False, draws: int = 2000, null_draws: int = 1000) -> Measured:
    """Measure activations X (N × D); `quick` leaves out interval, nulls, sweep and specification curve.

    Raises `InputError` for activations beside which the penalty is no number.
    """
    try:
        with warnings.catch_warnings(action="error", category=LinAlgWarning), np.errstate(over="raise"):
            geometry = diagnose(X, labels)
            context = None if quick else _context(X, labels, geometry, draws, null_draws)
            alike = similarity(X, labels)
    except (np.linalg.LinAlgError, LinAlgWarning, FloatingPointError):
        raise InputError(
            f"activations reach {np.abs(X).max():.1e} and span fewer dimensions than there are probes: beside them a penalty "
            f"of {ALPHA:g} is rounded away. Rescale them, or drop probes with the activations of another."
        ) from None
    return Measured(geometry, labels.concepts[labels.stratum], alike, context)


def _context(X: Array, labels: Labels, geometry: Geometry, draws: int, null_draws: int) -> Context:
    rows = spectrum(X)
    return Context(
        bootstrap_interval(rows, labels, ALPHA, draws),
        _nulls(rows, labels, geometry, null_draws),
        scale_sweep(rows, labels, alpha=ALPHA),
        overlay(rows, labels, PUBLISHED, ALPHA),
        specification_curve({"given": X}, labels, alpha=ALPHA),
    )


def _nulls(rows: Spectrum, labels: Labels, geometry: Geometry, draws: int) -> dict[str, Null]:
    rng = np.random.default_rng(0)
    accuracy = np.array(list(geometry.accuracy.values()))
    values = {
        "joint": permuted_values(rows, labels, joint_permutations(labels, draws, rng), ALPHA),
        "within_domain": permuted_values(rows, labels, within_domain_permutations(labels, draws, rng), ALPHA),
        "planted": planted_values(rows, labels, accuracy, draws, rng, ALPHA),
    }
    return {kind: summary(found, geometry.entanglement_intensity) for kind, found in values.items()}
