"""Measure what an EI must be compared with (docs/SCIENCE.md §5–8).

These are its interval, nulls, scale sweep and other readings. A manifest chooses which
(`diagnostics.also`). Quantities are named so that none is mistaken for the EI itself, except in the
specification curve, whose rows are EIs under other specifications.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np

from repro.evidence.measurement import Measurement, measured
from repro.geometry.crosstalk import companions, crosstalk
from repro.geometry.diagnosis import Geometry
from repro.geometry.interval import bootstrap_interval
from repro.geometry.labels import Labels
from repro.geometry.null import (
    nulls,
)
from repro.geometry.ridge import spectrum
from repro.geometry.similarity import similarity, subspace_dimension
from repro.geometry.specification import Specification, specification_curve
from repro.geometry.sweep import scale_sweep
from repro.geometry.undefined import Array, Undefined

WriteRow = Callable[..., Measurement]
"""row(quantity=…, value=number or Undefined, specification=…, direction=…, concept=…)"""


def rows_of(step: int, layer: str, n: int, probe_set: str | None = None) -> WriteRow:
    """Return the function that writes a checkpoint's rows."""
    return partial(_row, step=step, layer=layer, n=n, probe_set=probe_set)


def _row(quantity: str, value: float | Undefined, **where: object) -> Measurement:
    """Return a measurement; an undefined value keeps its reason."""
    if isinstance(value, Undefined):
        return Measurement.model_validate(
            {"quantity": quantity, "value": None, "reason": value.reason, **where}
        )
    return measured(float(value), quantity=quantity, **where)


_DRAWS, NULL_DRAWS = 2000, 1000
PRIMARY = "code"
"""The domain whose companions are ranked; in a set without it, the first domain."""


def further(
    name: str, X: Array, labels: Labels, geometry: Geometry, anchor: float, row: WriteRow
) -> Iterator[Measurement]:
    """Yield the rows of one further diagnostic of activations X (N × D)."""
    if name == "specification":
        yield from _specification(X, labels, anchor, row)
    else:
        yield from CHOICES[name](X, labels, geometry, row)


def _interval(X: Array, labels: Labels, _: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the ends and the median of the EI's bootstrap interval."""
    found = bootstrap_interval(spectrum(X), labels, draws=_DRAWS)
    for end in ("low", "median", "high"):
        value = found if isinstance(found, Undefined) else getattr(found, end)
        yield row(quantity=f"interval_{end}", value=value)


def _nulls(X: Array, labels: Labels, geometry: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the quantiles and p of each null."""
    accuracy, observed = np.array(list(geometry.accuracy.values())), geometry.entanglement_intensity
    for kind, found in nulls(spectrum(X), labels, accuracy, observed, NULL_DRAWS, 1.0).items():
        for part in ("q025", "median", "q975", "p", "undefined"):
            yield row(quantity=f"null_{part}", value=getattr(found, part), specification=kind)


def _scale_sweep(X: Array, labels: Labels, _: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the EI and what it depends on at each scale of the activations."""
    for point in scale_sweep(spectrum(X), labels):
        where = {"specification": f"scale={point.scale:.6g}"}
        yield row(
            quantity="sweep_entanglement_intensity", value=point.entanglement_intensity, **where
        )
        yield row(quantity="sweep_v_purity", value=point.v_purity, **where)
        yield row(quantity="sweep_singular_value", value=point.sigma_1, **where)
        for concept, accuracy in point.accuracy.items():
            yield row(quantity="sweep_accuracy", value=accuracy, concept=concept, **where)


def _specification(X: Array, labels: Labels, anchor: float, row: WriteRow) -> Iterator[Measurement]:
    """Yield the EI under every other reading of the definition."""
    default = asdict(Specification(capture="given"))
    for reading in specification_curve({"given": X}, labels, anchors={"given": anchor}):
        differing = {
            key: value
            for key, value in asdict(reading.specification).items()
            if value != default[key]
        }
        name = ",".join(f"{key}={value}" for key, value in differing.items())
        if name and name != "alpha=anchored":  # these two are recorded at every checkpoint
            yield row(quantity="entanglement_intensity", value=reading.value, specification=name)


def _similarity(X: Array, labels: Labels, _: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the similarities between domains, overall and by pair."""
    found = similarity(X, labels)
    for name in (
        "centroid_cosine",
        "subspace_overlap",
        "binary_accuracy",
        "cosine_within",
        "cosine_between",
    ):
        yield row(quantity=name, value=getattr(found, name))
    for item in found.pairs:
        for name in ("centroid_cosine", "subspace_overlap", "binary_accuracy", "cosine_between"):
            yield row(
                quantity=name, value=getattr(item, name), concept=f"{item.first}~{item.second}"
            )


def _crosstalk(X: Array, labels: Labels, _: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield every directed damage, and the primary domain's measures with each companion.

    There are three measures.
    """
    found = crosstalk(X, labels)
    for a, first in enumerate(found.domains):
        yield row(quantity="domain_directions", value=found.counts[a], concept=first)
        for b, second in enumerate(found.domains):
            yield row(
                quantity="directed_damage",
                value=float(found.damage[a, b]),
                concept=f"{first} to {second}",
            )
    for item in companions(found, _primary(found.domains)):
        for name in ("crosstalk", "block_diagonal_ratio", "asymmetry"):
            yield row(quantity=name, value=getattr(item, name), concept=item.companion)


def _subspace(X: Array, labels: Labels, _: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the dimension of the primary domain's subspace."""
    domains = labels.classes[labels.stratum]
    rows = labels.codes[:, labels.stratum] == domains.index(_primary(domains))
    yield row(quantity="subspace_dimension", value=subspace_dimension(X[rows]), n=int(rows.sum()))


def _primary(domains: Sequence[str]) -> str:
    """Return the domain whose companions are ranked."""
    return PRIMARY if PRIMARY in domains else domains[0]


Diagnostic = Callable[[Array, Labels, Geometry, WriteRow], Iterator[Measurement]]
CHOICES: dict[str, Diagnostic] = {
    "interval": _interval,
    "nulls": _nulls,
    "scale_sweep": _scale_sweep,
    "similarity": _similarity,
    "crosstalk": _crosstalk,
    "subspace": _subspace,
}
