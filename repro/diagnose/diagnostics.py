"""From the activations of a checkpoint to rows of evidence (docs/SCIENCE.md §3–6)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from repro.geometry import Geometry, Undefined, diagnose
from repro.measurement import Measurement, measured

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


class Row(Protocol):
    """One measurement of a checkpoint whose step, layer and probe count are already known."""

    def __call__(self, *, quantity: str, value: float | Undefined, **where: object) -> Measurement: ...


def measurements(
    X: npt.NDArray[np.float32], labels: Mapping[str, Sequence[str]], step: int, layer: str, anchor: float | None
) -> list[Measurement]:
    """All rows of one checkpoint. `anchor` is the activation trace of step 0; None at step 0 itself, which is it.

    Activations that are not finite give one undefined EI with that reason, and nothing else.
    """
    row = partial(_row, step=step, layer=layer, n=len(X))
    if not np.isfinite(X).all():
        bad = int((~np.isfinite(X)).any(axis=1).sum())
        return [row(quantity="entanglement_intensity", value=Undefined(f"{bad} of {len(X)} activations not finite"))]
    trace = anchor if anchor is not None else diagnose(X, labels).trace
    geometry = diagnose(X, labels, anchor=trace)
    return [*_scalars(geometry, row), *_by_concept(geometry, row), *_by_direction(geometry, row)]


def anchor_of(rows: Sequence[Measurement]) -> float | None:
    """The activation trace that the rows of step 0 recorded."""
    return next((row.value for row in rows if row.quantity == "activation_trace"), None)


def _row(quantity: str, value: float | Undefined, **where: object) -> Measurement:
    if isinstance(value, Undefined):
        return Measurement.model_validate({"quantity": quantity, "value": None, "reason": value.reason, **where})
    return measured(float(value), quantity=quantity, **where)


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
