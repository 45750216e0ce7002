"""Turn the activations of a checkpoint into rows of evidence (docs/SCIENCE.md §3–6)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from repro.diagnose.further import WriteRow, further, rows_of
from repro.evidence.measurement import Measurement
from repro.geometry.diagnosis import Geometry, diagnose
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array, Undefined
from repro.manifest.experiment import Diagnostics, Entropies

ENTROPIES = get_args(Entropies)
SCALARS = (
    "entanglement_intensity",
    "v_purity",
    "margin",
    "theory",
    "theory_measured_rank",
    "singular_value_ratio",
    "singular_value_concentration",
    "singular_value_sum",
    "singular_value_energy",
    "activation_rms",
    "rank",
    "empty_directions",
)


def measurements(
    X: npt.NDArray[np.float32] | Array,
    labels: Mapping[str, Sequence[str]],
    step: int,
    wanted: Diagnostics,
    anchor: float | None,
    probe_set: str | None = None,
) -> list[Measurement]:
    """Return all rows of one checkpoint's activations X (N × D).

    `anchor`: the activation trace of step 0; None at step 0 itself, which provides it.
    Activations that are not finite give one undefined EI with that reason, and nothing else.
    `probe_set`: the set's name, if it is not the run's own.
    """
    row = rows_of(step, wanted.layer, len(X), probe_set)
    if not np.isfinite(X).all():
        bad = int((~np.isfinite(X)).any(axis=1).sum())
        return [
            row(
                quantity="entanglement_intensity",
                value=Undefined(f"{bad} of {len(X)} activations not finite"),
            )
        ]
    known = Labels.of(labels)
    scaled = scale(X.astype(np.float64), wanted.scale)
    # At step 0 the anchor is the trace of this very diagnosis.
    trace = anchor if anchor is not None else diagnose(scaled, known).trace
    geometry = diagnose(scaled, known, anchor=trace)
    rows = [*_scalars(geometry, row), *_by_concept(geometry, row), *_by_direction(geometry, row)]
    for name in wanted.also:
        if name in ENTROPIES:  # of the model, not of activations
            continue
        rows += further(name, scaled, known, geometry, trace, row)
    return rows


def scale(X: Array, how: str) -> Array:
    """Return X under the scale setting of §2.

    It is unchanged, divided by one scalar, or standardised by feature.
    """
    if how == "unit_rms":
        return np.asarray(X / np.sqrt(np.mean(np.square(X))))
    if how == "standardise":
        spread = X.std(axis=0)
        # The mean of equal numbers may be off by a digit, which leaves a spread that is none.
        varies = (spread > 0) & (np.ptp(X, axis=0) > 0)
        return np.asarray((X - X.mean(axis=0))[:, varies] / spread[varies])
    return X


def anchor_of(rows: Sequence[Measurement], probe_set: str | None = None) -> float | None:
    """Return the activation trace that step 0 recorded for that set."""
    return _recorded(rows, "activation_trace", probe_set)


def rms_of(rows: Sequence[Measurement], probe_set: str | None = None) -> float | None:
    """Return the root mean square of activations that step 0 recorded for that set."""
    return _recorded(rows, "activation_rms", probe_set)


def invalid(rows: Sequence[Measurement], problem: str) -> list[Measurement]:
    """Return the rows of a diverged checkpoint, with every EI undefined (docs/SCIENCE.md §9).

    The cause is the reason.
    """
    return [
        row.model_copy(update={"value": None, "reason": problem})
        if row.quantity == "entanglement_intensity"
        else row
        for row in rows
    ]


def _recorded(rows: Sequence[Measurement], quantity: str, probe_set: str | None) -> float | None:
    """Return the value of a quantity for that set; None where it is not recorded."""
    return next(
        (row.value for row in rows if (row.quantity, row.probe_set) == (quantity, probe_set)), None
    )


def _scalars(geometry: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the numbers about the set as a whole."""
    for name in SCALARS:
        yield row(quantity=name, value=getattr(geometry, name))
    yield row(quantity="activation_trace", value=geometry.trace)
    anchored = geometry.entanglement_intensity_anchored
    yield row(quantity="entanglement_intensity", value=anchored, specification="anchored")


def _by_concept(geometry: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the numbers about each concept."""
    for concept in geometry.concepts:
        yield row(quantity="accuracy", value=geometry.accuracy[concept], concept=concept)
        yield row(quantity="chance", value=geometry.chance[concept], concept=concept)
    if geometry.weakest_concept:
        yield row(
            quantity="weakest_concept", value=geometry.margin, concept=geometry.weakest_concept
        )


def _by_direction(geometry: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the numbers about each informative direction."""
    for index, value in enumerate(geometry.singular_values):
        yield row(quantity="singular_value", value=float(value), direction=index)
    tables = {
        "damage": geometry.damage,
        "accuracy_after": geometry.accuracy_after,
        "loading": geometry.loadings,
    }
    for name, table in tables.items():
        for index in range(geometry.rank):
            for column, concept in enumerate(geometry.concepts):
                yield row(
                    quantity=name,
                    value=float(table[index, column]),
                    direction=index,
                    concept=concept,
                )
