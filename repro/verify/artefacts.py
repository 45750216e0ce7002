"""Tests that every verdict on an entanglement intensity carries: is it the geometry, or an artefact of measuring it?

health: runs that diverged or gave no value, and how far the activations' root mean square is from that of step 0.
scale: the same claim on the anchored twin, whose ridge follows the scale of the activations (docs/SCIENCE.md §5).
specifications: the share of all measured readings of the definition under which a statement holds. null: of the cells
behind the claim, how many lie inside 95 % of each null (§5), where recorded.
"""

from collections import Counter
from collections.abc import Hashable
from typing import Any

import numpy as np

from repro.manifest.claim import Claim, Term
from repro.verify.algebra import evaluate
from repro.verify.arrays import Arrays, NoSpreadError
from repro.verify.cells import Context
from repro.verify.columns import Array, Column
from repro.verify.estimate import estimate
from repro.verify.judge import judge
from repro.verify.measured import INTENSITY, Measured, Sample
from repro.verify.verdict import Estimate, Outcome

ANCHORED = "anchored"
NULLS = ("joint", "within_domain", "planted")
NULL_ENDS = ("null_q025", "null_q975")
RMS = "activation_rms"


def artefacts(claim: Claim, context: Context, found: Estimate, outcome: Outcome) -> dict[str, Any]:
    """Whatever artefact tests the store allows for a judged claim; empty for what no run was needed."""
    if claim.measured_by is None or found.state == "not_run" or not found.cells:
        return {}
    tests: dict[str, Any] = {"health": _health(claim, context, found)}
    if INTENSITY not in quantities(claim.term) or found.state != "measured":
        return tests
    measured = Measured(context.evidence, claim.measured_by)
    evaluate(claim.term, measured)
    if grown := _growth(measured):
        tests["health"]["activation_rms"] = {"least": min(grown), "most": max(grown)}
    if nulls := _nulls(measured):
        tests["null"] = nulls
    readings = _readings(claim, context)
    if ANCHORED in readings:
        twin = estimate(claim, context, ANCHORED)
        if twin.state == "measured":
            judged = judge(claim, twin).outcome
            tests["scale"] = {"outcome": judged, "estimate": twin.value, "agrees": judged == outcome}
    if claim.value is True and len(readings) > 1 and (share := _share(claim, measured, readings)) is not None:
        tests["specifications"] = {"share": share, "of": len(readings)}
    return tests


def quantities(term: Term) -> set[str]:
    """Every quantity a term rests on."""
    found = {term.quantity} if term.of is None else set()
    for inner in (term.of, term.against):
        if inner is not None:
            found |= quantities(inner)
    return found


def _health(claim: Claim, context: Context, found: Estimate) -> dict[str, Any]:
    statuses: Counter[str] = Counter()
    for (_, _, status), count in context.evidence.runs.get(claim.measured_by or "", {}).items():
        statuses[status] += count
    return {"runs": dict(statuses), "left_out": list(found.notes), "healthy": not found.notes}


def _growth(measured: Measured) -> list[float]:
    """Root mean square of the activations behind each EI after step 0, run by run, in units of the base model's (§9)."""
    found: list[float] = []
    for cell, _ in _intensities(measured) if (measured.experiment, RMS, "default") in measured.evidence.rows else ():
        if cell.selector.get("step") == 0 or cell.selector.get("condition") == "B0":
            continue
        base = {**cell.selector, "step": 0}
        own = measured.evidence.trained.get((measured.experiment, str(base.get("model")), str(base.get("condition"))))
        if own and own.continued:  # its own step 0 is where its predecessor ended
            base.pop("condition")
        after, before = (measured.evidence.column(measured.experiment, RMS, where) for where in (cell.selector, base))
        if isinstance(after, Column) and isinstance(before, Column) and before.mean:
            found += (after.values / before.mean).tolist()
    return found


def _intensities(measured: Measured) -> list[tuple[Term, Column]]:
    """The cells of EI behind the claim and their values; not those at each run's own collapse, which are no one step."""
    cells = [
        (sample.term if sample.term.of is None else sample.term.of, sample.column)
        for sample in measured.samples.values()
    ]
    return [
        (cell, column)
        for cell, column in cells
        if cell.quantity == INTENSITY and cell.selector.get("step") != "collapse"
    ]


def _nulls(measured: Measured) -> dict[str, dict[str, int]]:
    """Per kind of null: of the EI cells behind the claim, how many have their mean inside the null's 95 %."""
    recorded = [kind for kind in NULLS if (measured.experiment, NULL_ENDS[0], kind) in measured.evidence.rows]
    found: dict[str, dict[str, int]] = {}
    for cell, column in _intensities(measured) if recorded else ():
        for kind in recorded:
            ends = [measured.evidence.column(measured.experiment, end, cell.selector, kind) for end in NULL_ENDS]
            if all(isinstance(end, Column) for end in ends):
                low, high = (end.mean for end in ends if isinstance(end, Column))
                counted = found.setdefault(kind, {"cells": 0, "inside": 0})
                counted["cells"] += 1
                counted["inside"] += low <= column.mean <= high
    return found


def _readings(claim: Claim, context: Context) -> list[str]:
    """Every reading of the definition that was measured, the default among them."""
    return sorted(
        specification
        for experiment, quantity, specification in context.evidence.rows
        if experiment == claim.measured_by and quantity == INTENSITY
    )


def _share(claim: Claim, measured: Measured, readings: list[str]) -> float | None:
    """Share of the readings under which the statement holds, all of them evaluated at once; None where that fails."""
    known: dict[Hashable, Array] = {
        key: _by_reading(sample, measured, readings) for key, sample in measured.samples.items()
    }
    if not known:
        return None
    complete = ~np.any([np.isnan(values) for values in known.values()], axis=0)
    if not complete.any():
        return None
    try:
        holds = Arrays({key: values[complete] for key, values in known.items()}, measured).evaluate(claim.term)
    except NoSpreadError:
        return None
    return float(np.mean(holds == 1))


def _by_reading(sample: Sample, measured: Measured, readings: list[str]) -> Array:
    """A base value under each reading; NaN where it was not measured, the same everywhere for other quantities."""
    cell = sample.term if sample.term.of is None else sample.term.of
    if sample.statistic != "mean" or cell.of is not None or cell.quantity != INTENSITY:
        return np.full(len(readings), sample.value)
    columns = [measured.evidence.column(measured.experiment, INTENSITY, cell.selector, reading) for reading in readings]
    return np.array([column.mean if isinstance(column, Column) else np.nan for column in columns])
