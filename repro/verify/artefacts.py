"""Test whether an entanglement intensity may be an artefact of how it was measured.

Every verdict on one carries these tests. health: runs that diverged or gave no value, and how far
the activations' root mean square is from that of step 0. scale: the same claim on the anchored
twin, whose ridge follows the scale of the activations (docs/SCIENCE.md §5). specifications: the
share of all measured readings of the definition under which a statement holds. null: how many of
the cells behind the claim lie inside 95 % of each null (§5), where recorded. random: what Gaussian
matrices have in the place of a cell of entanglement (§12). cells: the measured cells behind the
claim, each with its interval.
"""

import math
from collections import Counter
from collections.abc import Hashable
from typing import Any

import numpy as np

from repro.claims.algebra.evaluate import evaluate, is_true
from repro.claims.claim import Claim, Term
from repro.claims.selector import is_untrained
from repro.geometry.undefined import Array
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.estimate.measured import INTENSITY, CellSample, Measured
from repro.verify.evidence.columns import Column
from repro.verify.judge import judge
from repro.verify.statistics import SIGNIFICANCE, t_quantile
from repro.verify.verdict import Estimate, Outcome

ANCHORED = "anchored"
_NULLS = ("joint", "within_domain", "planted")
NULL_ENDS = ("null_q025", "null_q975")
RMS = "activation_rms"
RANDOM = "gaussian"
"""The specification under which a run keeps what random matrices have."""


def artefacts(claim: Claim, context: Context, found: Estimate, outcome: Outcome) -> dict[str, Any]:
    """Return the artefact tests the store allows for a judged claim.

    Empty for a claim that needs no run.
    """
    if claim.measured_by is None or found.state == "not_run" or not found.cells:
        return {}
    tests: dict[str, Any] = {"health": _health(claim, context, found), "cells": _cells(found)}
    if random := _random(claim, context):
        tests["random"] = random
    if INTENSITY not in claim.term.quantities() or found.state != "measured":
        return tests
    measured = Measured(context.evidence, claim.measured_by)
    evaluate(claim.term, measured)
    if grown := _growth(measured, context):
        tests["health"]["activation_rms"] = {"least": min(grown), "most": max(grown)}
    if nulls := _nulls(measured):
        tests["null"] = nulls
    readings = _readings(claim, context)
    if ANCHORED in readings:
        twin = estimate(claim, context, ANCHORED)
        if twin.state == "measured":
            judged = judge(claim, twin).outcome
            judged = found.graded.at_best(judged) if found.graded else judged
            tests["scale"] = {
                "outcome": judged,
                "estimate": twin.value,
                "agrees": judged == outcome,
            }
    if (
        claim.value is True
        and len(readings) > 1
        and (share := _share(claim, measured, readings)) is not None
    ):
        tests["specifications"] = {"share": share, "of": len(readings)}
    return tests


def _random(claim: Claim, context: Context) -> dict[str, float]:
    """Return what random matrices of the same shape and rank have in the place of each cell behind
    the claim (§12).
    """
    rows = context.evidence.rows
    if not any(row[0] == claim.measured_by and row[2] == RANDOM for row in rows):
        return {}  # most manifests have none, and evaluating a term for nothing takes its time
    measured = Measured(context.evidence, claim.measured_by or "")
    evaluate(claim.term, measured)
    cells = [
        sample.term.operand
        for sample in measured.samples.values()
        if (measured.experiment, sample.term_quantity, RANDOM) in rows
    ]
    found = {
        cell.label: context.evidence.column(
            measured.experiment, cell.quantity, cell.selector, RANDOM
        )
        for cell in cells
    }
    return {cell: column.mean for cell, column in found.items() if isinstance(column, Column)}


def _cells(found: Estimate) -> dict[str, dict[str, float | int | None]]:
    """Return the mean of each cell behind the claim, its 95 % interval where runs show a spread,
    and the number of runs.
    """
    told: dict[str, dict[str, float | int | None]] = {}
    for cell in found.cells:
        half = None
        if cell.sd and cell.readings > 1:  # runs that all agree show no spread
            error = cell.sd / math.sqrt(cell.readings)
            half = t_quantile(1 - SIGNIFICANCE / 2, cell.readings - 1) * error
        low, high = (None, None) if half is None else (cell.mean - half, cell.mean + half)
        told[cell.name] = {"mean": cell.mean, "low": low, "high": high, "runs": cell.runs}
    return told


def _health(claim: Claim, context: Context, found: Estimate) -> dict[str, Any]:
    """Return the runs by status, what the estimate left out, and whether it left out nothing."""
    statuses: Counter[str] = Counter()
    for (_, _, status), count in context.evidence.runs.get(claim.measured_by or "", {}).items():
        statuses[status] += count
    return {"runs": dict(statuses), "left_out": list(found.notes), "healthy": not found.notes}


def _growth(measured: Measured, context: Context) -> list[float]:
    """Return the least and most of the activations' root mean square at each EI, relative to the
    base model's (§9); step 0 itself is skipped.
    """
    if (measured.experiment, RMS, "default") not in measured.evidence.rows:
        return []
    found: list[float] = []
    for cell, _ in _intensities(measured):
        # The same cells stand behind many claims.
        key = measured.experiment, cell.base_key
        if key not in context.growth:
            context.growth[key] = _grown(measured, cell)
        found += context.growth[key]
    return found


def _grown(measured: Measured, cell: Term) -> tuple[float, ...]:
    """Return the least and most growth among one cell's runs; nothing where it is not known."""
    if is_untrained(cell.selector):
        return ()
    base = {**cell.selector, "step": 0}
    own = measured.evidence.trained.get(
        (measured.experiment, str(base.get("model")), str(base.get("condition")))
    )
    # Its own step 0 is where its parent ended: compare with the base model's.
    if own and own.continued:
        base.pop("condition")
    after, before = (
        measured.evidence.column(measured.experiment, RMS, where) for where in (cell.selector, base)
    )
    if not isinstance(after, Column) or not isinstance(before, Column) or not before.mean:
        return ()
    return float(after.values.min()) / before.mean, float(after.values.max()) / before.mean


def _intensities(measured: Measured) -> list[tuple[Term, Column]]:
    """Return the EI cells behind the claim and their values.

    Skip cells at a run's own collapse step: they belong to different steps.
    """
    cells = [(sample.term.operand, sample.column) for sample in measured.samples.values()]
    return [
        (cell, column)
        for cell, column in cells
        if cell.quantity == INTENSITY and cell.selector.get("step") != "collapse"
    ]


def _nulls(measured: Measured) -> dict[str, dict[str, int]]:
    """Return for each kind of null the claim's EI cells, and how many lie inside its 95 %.

    A cell counts by its mean.
    """
    recorded = [
        kind
        for kind in _NULLS
        if (measured.experiment, NULL_ENDS[0], kind) in measured.evidence.rows
    ]
    found: dict[str, dict[str, int]] = {}
    for cell, column in _intensities(measured) if recorded else ():
        for kind in recorded:
            ends = [
                measured.evidence.column(measured.experiment, end, cell.selector, kind)
                for end in NULL_ENDS
            ]
            if all(isinstance(end, Column) for end in ends):
                low, high = (end.mean for end in ends if isinstance(end, Column))
                counted = found.setdefault(kind, {"cells": 0, "inside": 0})
                counted["cells"] += 1
                counted["inside"] += low <= column.mean <= high
    return found


def _readings(claim: Claim, context: Context) -> list[str]:
    """Return every measured reading of the definition, including the default."""
    return sorted(
        specification
        for experiment, quantity, specification in context.evidence.rows
        if experiment == claim.measured_by and quantity == INTENSITY
    )


def _share(claim: Claim, measured: Measured, readings: list[str]) -> float | None:
    """Return the share of readings under which the statement holds.

    None where it cannot be evaluated under any.
    """
    known: dict[Hashable, Array] = {
        key: _by_reading(sample, measured, readings) for key, sample in measured.samples.items()
    }
    if not known:
        return None
    # Only the readings under which every value was measured.
    complete = ~np.any([np.isnan(values) for values in known.values()], axis=0)
    if not complete.any():
        return None
    measurable = {key: values[complete] for key, values in known.items()}
    verdicts = [is_true(value) for value in measured.each(claim.term, measurable)]
    decided = [verdict for verdict in verdicts if verdict is not None]
    return sum(decided) / len(decided) if decided else None


def _by_reading(sample: CellSample, measured: Measured, readings: list[str]) -> Array:
    """Return a base value under each reading; NaN where it was not measured.

    Only EI has readings: another quantity has the same value under each.
    """
    cell = sample.term.operand
    if sample.statistic != "mean" or cell.of is not None or cell.quantity != INTENSITY:
        return np.full(len(readings), sample.value)
    columns = [
        measured.evidence.column(measured.experiment, INTENSITY, cell.selector, reading)
        for reading in readings
    ]
    return np.array([column.mean if isinstance(column, Column) else np.nan for column in columns])
