"""What an EI has to be read against, as rows of evidence: interval, nulls, scale sweep, other readings (docs/SCIENCE.md §5–8).

A manifest chooses which (`diagnostics.also`). Names of quantities are built so that none is mistaken for the EI itself,
but for the specification curve, whose rows are EIs under other specifications.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from repro.diagnose.rows import Row
from repro.geometry import Geometry, Labels, Undefined
from repro.geometry.crosstalk import companions, crosstalk
from repro.geometry.interval import bootstrap_interval
from repro.geometry.null import (
    joint_permutations,
    permuted_values,
    planted_values,
    summary,
    within_domain_permutations,
)
from repro.geometry.ridge import spectrum
from repro.geometry.similarity import similarity, subspace_dimension
from repro.geometry.specification import Specification, specification_curve
from repro.geometry.sweep import scale_sweep
from repro.measurement import Measurement

Array = npt.NDArray[np.float64]
DRAWS, NULL_DRAWS = 2000, 1000
PRIMARY = "code"
"""The domain whose companions are ranked; a set without it has its first domain's ranked."""


def further(name: str, X: Array, labels: Labels, geometry: Geometry, anchor: float, row: Row) -> Iterator[Measurement]:
    """The rows of one further diagnostic of activations X (N × D)."""
    if name == "specification":
        yield from _specification(X, labels, anchor, row)
    else:
        yield from CHOICES[name](X, labels, geometry, row)


def _interval(X: Array, labels: Labels, _: Geometry, row: Row) -> Iterator[Measurement]:
    found = bootstrap_interval(spectrum(X), labels, draws=DRAWS)
    for end in ("low", "median", "high"):
        value = found if isinstance(found, Undefined) else getattr(found, end)
        yield row(quantity=f"interval_{end}", value=value)


def _nulls(X: Array, labels: Labels, geometry: Geometry, row: Row) -> Iterator[Measurement]:
    rows, rng = spectrum(X), np.random.default_rng(0)
    accuracy = np.array(list(geometry.accuracy.values()))
    draws = {
        "joint": permuted_values(rows, labels, joint_permutations(labels, NULL_DRAWS, rng), 1.0),
        "within_domain": permuted_values(rows, labels, within_domain_permutations(labels, NULL_DRAWS, rng), 1.0),
        "planted": planted_values(rows, labels, accuracy, NULL_DRAWS, rng, 1.0),
    }
    for kind, values in draws.items():
        found = summary(values, geometry.entanglement_intensity)
        for part in ("q025", "median", "q975", "p", "undefined"):
            yield row(quantity=f"null_{part}", value=getattr(found, part), specification=kind)


def _scale_sweep(X: Array, labels: Labels, _: Geometry, row: Row) -> Iterator[Measurement]:
    for point in scale_sweep(spectrum(X), labels):
        where = {"specification": f"scale={point.scale:.6g}"}
        yield row(quantity="sweep_entanglement_intensity", value=point.entanglement_intensity, **where)
        yield row(quantity="sweep_v_purity", value=point.v_purity, **where)
        yield row(quantity="sweep_singular_value", value=point.sigma_1, **where)
        for concept, accuracy in point.accuracy.items():
            yield row(quantity="sweep_accuracy", value=accuracy, concept=concept, **where)


def _specification(X: Array, labels: Labels, anchor: float, row: Row) -> Iterator[Measurement]:
    default = asdict(Specification(capture="given"))
    for reading in specification_curve({"given": X}, labels, anchors={"given": anchor}):
        differing = {key: value for key, value in asdict(reading.specification).items() if value != default[key]}
        name = ",".join(f"{key}={value}" for key, value in differing.items())
        if name and name != "alpha=anchored":  # these two are recorded at every checkpoint
            yield row(quantity="entanglement_intensity", value=reading.value, specification=name)


def _similarity(X: Array, labels: Labels, _: Geometry, row: Row) -> Iterator[Measurement]:
    found = similarity(X, labels)
    for name in ("centroid_cosine", "subspace_overlap", "binary_accuracy", "cosine_within", "cosine_between"):
        yield row(quantity=name, value=getattr(found, name))
    for item in found.pairs:
        for name in ("centroid_cosine", "subspace_overlap", "binary_accuracy", "cosine_between"):
            yield row(quantity=name, value=getattr(item, name), concept=f"{item.first}~{item.second}")


def _crosstalk(X: Array, labels: Labels, _: Geometry, row: Row) -> Iterator[Measurement]:
    """Every directed damage; the three measures for the primary domain with each companion."""
    found = crosstalk(X, labels)
    for a, first in enumerate(found.domains):
        yield row(quantity="domain_directions", value=found.counts[a], concept=first)
        for b, second in enumerate(found.domains):
            yield row(quantity="directed_damage", value=float(found.damage[a, b]), concept=f"{first} to {second}")
    for item in companions(found, _primary(found.domains)):
        for name in ("crosstalk", "block_diagonal_ratio", "asymmetry"):
            yield row(quantity=name, value=getattr(item, name), concept=item.companion)


def _subspace(X: Array, labels: Labels, _: Geometry, row: Row) -> Iterator[Measurement]:
    domains = labels.classes[labels.stratum]
    rows = labels.codes[:, labels.stratum] == domains.index(_primary(domains))
    yield row(quantity="subspace_dimension", value=subspace_dimension(X[rows]), n=int(rows.sum()))


def _primary(domains: Sequence[str]) -> str:
    return PRIMARY if PRIMARY in domains else domains[0]


Diagnostic = Callable[[Array, Labels, Geometry, Row], Iterator[Measurement]]
CHOICES: dict[str, Diagnostic] = {
    "interval": _interval,
    "nulls": _nulls,
    "scale_sweep": _scale_sweep,
    "similarity": _similarity,
    "crosstalk": _crosstalk,
    "subspace": _subspace,
}
