"""Lend step 0 of one manifest's runs as another's base model, so that it is measured once.

Weights, probes and protocol must be equal. A manifest that plans a base model, and has no finished
run of its own that measured it, reads step 0 of a run that did (`repro.plan.base` decides when two
are the same). Where the lenders' numbers disagree, nothing is lent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from repro.errors import ManifestError
from repro.manifest.experiment import Experiment
from repro.manifest.load import load_models
from repro.manifest.model import Model
from repro.manifest.probes import declared
from repro.plan.base import base_of
from repro.plan.editions import Device
from repro.plan.named import SILENT_OF_CONDITION, inputs
from repro.verify.evidence.cell import Base, CellPlace
from repro.verify.evidence.columns import NO_SEED, MeasuredRow
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.grade import RunKey
from repro.verify.evidence.trained import Trained, trained_of
from repro.verify.facts.settings import manifest
from repro.verify.verdict import Graded

_DEVICES: tuple[Device, ...] = ("cpu", "cuda")
_OWN = "SELECT DISTINCT experiment, base FROM runs WHERE status = 'done' AND base IS NOT NULL"
_ROWS = """
WITH lenders AS (
    SELECT DISTINCT run_id, base, surroundings, finished, probe_hash, key->'also_probe_sets' AS also FROM runs
    WHERE status = 'done' AND base IN (SELECT unnest(?::VARCHAR[]))
          AND (?::VARCHAR IS NULL OR run_id IN (SELECT run_id FROM provenance WHERE code = ?))),
newest AS (SELECT base, arg_max(surroundings, (finished, run_id)) AS surroundings FROM lenders GROUP BY base),
cells AS (
    SELECT base, base || surroundings AS kind, quantity,
           CASE WHEN m.probe_set IS NULL THEN probe_hash ELSE also->>m.probe_set END AS probes, specification,
           concept, coalesce(direction, -1) AS direction,
           max_by({value: value, reason: reason, n: n, run: run_id}, (finished, run_id)) AS found,
           count(DISTINCT coalesce(value, 'nan'::DOUBLE)) AS different
    FROM lenders JOIN newest USING (base, surroundings) JOIN measurements m USING (run_id)
    WHERE step = 0 AND layer <> '' AND quantity IN (SELECT unnest(?::VARCHAR[]))
    GROUP BY ALL)
SELECT base, kind, probes, quantity, specification, concept, direction, found FROM cells WHERE different = 1
ORDER BY ALL
"""


@dataclass(frozen=True)
class Planned:
    """A base model that a manifest plans to measure."""

    model: str
    condition: str
    """The condition that reads it: one that trains nothing, if there is one."""
    bases: frozenset[str]
    """Its names in `repro.plan.base`, on either kind of device."""
    key: RunKey
    conditions: Mapping[str, Trained]
    """Properties of the manifest's conditions: one that continues another does not begin with a
    base model.
    """
    sets: Mapping[str, str]
    """Content of each probe set → its name; the runs' own set first."""


Plans = Callable[[str], Sequence[Planned]]
_Grading = Callable[[str, str, str, RunKey | None], Graded]


def planned_bases(name: str, given: Mapping[str, Experiment] | None = None) -> Sequence[Planned]:
    """Return the base models a manifest plans; none for an unknown manifest.

    `given`: manifests that were read from a path.
    """
    experiment = (given or {}).get(name)
    return _planned(experiment) if experiment else _planned_by_name(name)


@cache
def _planned_by_name(name: str) -> Sequence[Planned]:
    """Return the base models of a manifest known by name."""
    found = manifest(name)
    return _planned(found) if found else ()


def _planned(experiment: Experiment) -> Sequence[Planned]:
    """Return the base models a manifest plans; none where one of its probe sets is missing."""
    try:
        sets = {
            one.content_hash: one.id
            for one in map(declared, (experiment.probe_set, *experiment.also_probe_sets))
        }
    except ManifestError:  # A set whose texts are missing: no run measured it either.
        return ()
    conditions = {name: trained_of(_key(experiment, name)) for name in experiment.conditions}
    found: dict[tuple[str, str], Planned] = {}
    for arm in experiment.arms:
        first = dict.fromkeys(_start(experiment, name) for name in arm.conditions)
        for model in (load_models()[name] for name in arm.models if name in load_models()):
            for name in sorted(first, key=lambda name: experiment.conditions[name].steps > 0):
                on_cpu, on_cuda = (_base(experiment, model, name, device) for device in _DEVICES)
                key = {
                    **_key(experiment, name),
                    "model": {"id": model.id, **inputs(model, "model")},
                }
                # Conditions with one base model on a CPU may have several on a GPU: kernels differ
                # there.
                one = found.setdefault(
                    (model.id, on_cpu), Planned(model.id, name, frozenset(), key, conditions, sets)
                )
                found[model.id, on_cpu] = replace(one, bases=one.bases | {on_cpu, on_cuda})
    return tuple(found.values())


def _start(experiment: Experiment, name: str) -> str:
    """Return the condition at the start of a chain of continued conditions.

    Often the condition itself.
    """
    before = experiment.conditions[name].continues
    return _start(experiment, before) if before else name


def _key(experiment: Experiment, name: str) -> dict[str, Any]:
    """Return the part of a run's future key that describes its set-up, without the model."""
    condition = experiment.conditions[name]
    return {
        "training": experiment.training.under(condition).model_dump(mode="json"),
        "condition": condition.model_dump(mode="json", exclude=SILENT_OF_CONDITION),
        "diagnostics": experiment.diagnostics.model_dump(mode="json"),
        "parent": condition.continues,
        "probe_set": experiment.probe_set,
    }


def _base(experiment: Experiment, model: Model, name: str, device: Device) -> str:
    """Return the name of a condition's base model on a device."""
    condition = experiment.conditions[name]
    training, trained = experiment.training.under(condition), condition.steps > 0
    return base_of(model, training, experiment.diagnostics, experiment.threads, device, trained)


def lend(
    evidence: Evidence, connection: Any, quantities: Mapping[str, set[str]], plans: Plans, grading: _Grading,
    code: str | None, bases: Sequence[str] = (),
) -> None:  # fmt: skip
    """Add base models that manifests plan and lack, from step 0 of other manifests' runs.

    `quantities`: those wanted at step 0, by manifest; `bases`: those whose values on every
    probe set are compared.
    """
    own = set(connection.execute(_OWN).fetchall())
    wanting: dict[str, list[tuple[str, Planned]]] = {}
    for experiment in quantities if own else ():
        for one in plans(experiment):
            # Lend nothing to a manifest that has measured this base model itself.
            measured = any((experiment, base) in own for base in one.bases)
            for base in one.bases if not measured else ():
                wanting.setdefault(base, []).append((experiment, one))
    names = sorted({name for wanted in quantities.values() for name in wanted})
    rows = (
        connection.execute(_ROWS, [sorted(wanting), code, code, names]).fetchall()
        if wanting
        else ()
    )
    for base, kind, probes, quantity, specification, concept, direction, found in rows:
        for experiment, one in wanting[base]:
            if quantity not in quantities[experiment] or probes not in one.sets:
                continue
            place = _introduce(evidence, experiment, one, grading)
            own_set, named = evidence.sets[experiment], one.sets[probes]
            part = (
                concept,
                None if direction < 0 else direction,
                None if named == own_set else named,
            )
            row = _row(found, evidence.graded[place])
            evidence.lent[experiment, quantity, specification][part].setdefault(place[1:], {})[
                0
            ] = row
            if quantity in bases and specification == "default" and found["value"] is not None:
                lent = Base(*place, named, found["value"], 1, kind, found["run"])
                evidence.bases[quantity, one.model, concept, part[1]].append(lent)


def _introduce(evidence: Evidence, experiment: str, one: Planned, grading: _Grading) -> CellPlace:
    """Add a manifest's conditions to the evidence, in case none of its runs exists.

    Return the base model's place.
    """
    place = experiment, one.model, one.condition
    if place not in evidence.graded:
        evidence.graded[place] = grading(*place, one.key)
    for name, trained in one.conditions.items():
        evidence.trained.setdefault((experiment, one.model, name), trained)
    evidence.sets.setdefault(experiment, next(iter(one.sets.values())))
    return place


def _row(found: Mapping[str, Any], graded: Graded) -> MeasuredRow:
    """Return a lender's measurement as that of a run that trains nothing."""
    value = np.array([np.nan if found["value"] is None else found["value"]], dtype=np.float64)
    return MeasuredRow(
        np.array([NO_SEED]), value, found["reason"], found["n"], graded, lent_by=found["run"]
    )
