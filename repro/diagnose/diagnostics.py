"""From the activations of a checkpoint to rows of evidence (docs/SCIENCE.md §3–6)."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from repro.diagnose.further import further
from repro.diagnose.rows import Row, rows_of
from repro.geometry import Geometry, Labels, Undefined, diagnose
from repro.manifest.experiment import Diagnostics
from repro.measurement import Measurement

Array = npt.NDArray[np.float64]
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
    X: npt.NDArray[np.float32],
    labels: Mapping[str, Sequence[str]],
    step: int,
    wanted: Diagnostics,
    anchor: float | None,
    probe_set: str | None = None,
) -> list[Measurement]:
    """All rows of one checkpoint's activations X (N × D).

    `anchor` is the activation trace of step 0; None at step 0 itself, which is it. Activations that are not finite give
    one undefined EI with that reason, and nothing else. `probe_set` names the set where it is not the run's own.
    """
    row = rows_of(step, wanted.layer, len(X), probe_set)
    if not np.isfinite(X).all():
        bad = int((~np.isfinite(X)).any(axis=1).sum())
        return [row(quantity="entanglement_intensity", value=Undefined(f"{bad} of {len(X)} activations not finite"))]
    known = Labels.of(labels)
    scaled = scale(X.astype(np.float64), wanted.scale)
    trace = anchor if anchor is not None else diagnose(scaled, known).trace
    geometry = diagnose(scaled, known, anchor=trace)
    rows = [*_scalars(geometry, row), *_by_concept(geometry, row), *_by_direction(geometry, row)]
    for name in wanted.also:
        rows += further(name, scaled, known, geometry, trace, row)
    return rows


def scale(X: Array, how: str) -> Array:
    """The scale switch of §2: as they are, one scalar for all, or each feature by itself."""
    if how == "unit_rms":
        return np.asarray(X / np.sqrt(np.mean(np.square(X))))
    if how == "standardise":
        spread = X.std(axis=0)
        return np.asarray((X - X.mean(axis=0))[:, spread > 0] / spread[spread > 0])
    return X


def anchor_of(rows: Sequence[Measurement], probe_set: str | None = None) -> float | None:
    """The activation trace that the rows of step 0 recorded for that set."""
    return _recorded(rows, "activation_trace", probe_set)


def rms_of(rows: Sequence[Measurement], probe_set: str | None = None) -> float | None:
    """The root mean square of the activations that the rows of step 0 recorded for that set."""
    return _recorded(rows, "activation_rms", probe_set)


def invalid(rows: Sequence[Measurement], problem: str) -> list[Measurement]:
    """The rows of a diverged checkpoint: every EI is undefined, with the cause (docs/SCIENCE.md §9)."""
    return [
        row.model_copy(update={"value": None, "reason": problem}) if row.quantity == "entanglement_intensity" else row
        for row in rows
    ]


def _recorded(rows: Sequence[Measurement], quantity: str, probe_set: str | None) -> float | None:
    return next((row.value for row in rows if (row.quantity, row.probe_set) == (quantity, probe_set)), None)


def _scalars(geometry: Geometry, row: Row) -> Iterator[Measurement]:
    for name in SCALARS:
        yield row(quantity=name, value=getattr(geometry, name))
    yield row(quantity="activation_trace", value=geometry.trace)
    anchored = geometry.entanglement_intensity_anchored
    yield row(quantity="entanglement_intensity", value=anchored, specification="anchored")


def _by_concept(geometry: Geometry, row: Row) -> Iterator[Measurement]:
    for concept in geometry.concepts:
        yield row(quantity="accuracy", value=geometry.accuracy[concept], concept=concept)
        yield row(quantity="chance", value=geometry.chance[concept], concept=concept)
    if geometry.weakest_concept:
        yield row(quantity="weakest_concept", value=geometry.margin, concept=geometry.weakest_concept)


def _by_direction(geometry: Geometry, row: Row) -> Iterator[Measurement]:
    for index, value in enumerate(geometry.singular_values):
        yield row(quantity="singular_value", value=float(value), direction=index)
    tables = {"damage": geometry.damage, "accuracy_after": geometry.accuracy_after, "loading": geometry.loadings}
    for name, table in tables.items():
        for index in range(geometry.rank):
            for column, concept in enumerate(geometry.concepts):
                yield row(quantity=name, value=float(table[index, column]), direction=index, concept=concept)
