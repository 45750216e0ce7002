"""Tests that every verdict on an entanglement intensity carries: is it the geometry, or an artefact of measuring it?

health: runs that diverged or gave no value. scale: the same claim on the anchored twin, whose ridge follows the scale
of the activations (docs/SCIENCE.md §5). specifications: the share of all measured readings that give the same outcome.
Nulls are of one model's activations and have no rows in the store: `repro measure` gives them.
"""

from collections import Counter
from typing import Any

from repro.manifest.claim import Claim, Term
from repro.verify.cells import Context
from repro.verify.estimate import estimate
from repro.verify.judge import judge
from repro.verify.measured import INTENSITY
from repro.verify.verdict import Estimate, Outcome

ANCHORED = "anchored"


def artefacts(claim: Claim, context: Context, found: Estimate, outcome: Outcome) -> dict[str, Any]:
    """Whatever artefact tests the store allows for a judged claim; empty for what no run was needed."""
    if claim.measured_by is None or found.state == "not_run" or not found.cells:
        return {}
    tests: dict[str, Any] = {"health": _health(claim, context, found)}
    if INTENSITY not in quantities(claim.term) or found.state != "measured":
        return tests
    readings = _readings(claim, context)
    if ANCHORED in readings:
        tests["scale"] = {**readings[ANCHORED], "agrees": readings[ANCHORED]["outcome"] == outcome}
    if readings:
        same = sum(reading["outcome"] == outcome for reading in readings.values())
        tests["specifications"] = {"share": (1 + same) / (1 + len(readings)), "of": 1 + len(readings)}
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


def _readings(claim: Claim, context: Context) -> dict[str, dict[str, Any]]:
    """Outcome and estimate of the claim under every other reading of the definition that was measured."""
    specifications = {
        specification
        for experiment, quantity, specification in context.evidence.rows
        if experiment == claim.measured_by and quantity == INTENSITY and specification != "default"
    }
    readings = {}
    for specification in sorted(specifications):
        other = estimate(claim, context, specification)
        if other.state == "measured":
            readings[specification] = {"outcome": judge(claim, other).outcome, "estimate": other.value}
    return readings
