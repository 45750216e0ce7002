"""State what measuring a claim would take: runs and GPU-hours, or what else is needed."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

from repro.claims.claim import Claim, Term
from repro.claims.selector import BASE, Scalar
from repro.cost.hours import total_hours
from repro.manifest.benchmark import load_benchmarks
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.verify.evidence.distances import TO_FULL
from repro.verify.evidence.recorded import unrecorded_quantities
from repro.verify.evidence.trained import name_condition, planned_conditions
from repro.verify.facts.settings import manifest, not_here

_AXES = ("model", "condition", "seed", "adapter")
_UNTRAINED: frozenset[Scalar] = frozenset([BASE])
CellLevels = Mapping[str, frozenset[Scalar]]
"""Axis → the levels a cell allows. An absent axis allows all."""


def needs(claim: Claim) -> str:
    """Return "needs 3 of the 22 runs of scale_ladder, 12–80 GPU-hours".

    Empty where running the manifest is not enough.
    """
    if claim.measured_by is None or instead(claim):
        return ""
    return _words(
        claim.measured_by, frozenset(map(partial(_cell, claim.measured_by), claim.term.paths()))
    )


def instead(claim: Claim) -> str:
    """Return what would decide a claim that running its manifest cannot.

    Empty where running it is enough.
    """
    name = claim.measured_by
    if name is None or manifest(name) is None:
        return "A manifest that measures it" + (f": {not_here(name)}." if name else ".")
    if claim.basis != "measured":
        return ""
    absent = unrecorded_quantities(claim)
    known = load_benchmarks()
    if unknown := [quantity for quantity in absent if quantity not in known]:
        return (
            f"Not a run as they are: none measures {', '.join(unknown)}. A diagnostic would have "
            "to be added first."
        )
    if absent:
        asked = ", ".join(dict.fromkeys(known[quantity].id for quantity in absent))
        return (
            f"Not a run of {name} as it is: it asks for no {asked}. `evaluation: "
            f"{{benchmarks: [{asked}]}}` in it has its "
            "runs complete and score the problems; finished ones keep their names "
            "(docs/benchmarks.md)."
        )
    return ""


def _cell(experiment: str, path: tuple[Term, ...]) -> frozenset[tuple[str, frozenset[Scalar]]]:
    """Return the levels of a cell.

    It has what it selects, within the axes that it and the terms around it run along.
    """
    along = {term.over: frozenset(term.among) for term in path if term.over in _AXES and term.among}
    selector = name_condition(experiment, path[-1].selector)
    chosen = {axis: frozenset([selector[axis]]) for axis in _AXES if axis in selector}
    # Distances to full fine-tuning need the runs that every weight was trained in, as well.
    if selector.get("scope") == TO_FULL:
        chosen.pop("condition", None)
    # The base model: every condition measures it, and the cheapest one trains nothing.
    if path[-1].selector.get("step") == 0:
        chosen["condition"] = frozenset([BASE])
        chosen.pop("seed", None)
    return frozenset({**along, **chosen}.items())


@cache
def _words(name: str, cells: frozenset[frozenset[tuple[str, frozenset[Scalar]]]]) -> str:
    """Return the needed runs and their cost in words."""
    runs = planned_runs(name)
    wanted = _wanted(runs, [dict(cell) for cell in cells]) or list(runs)
    took = total_hours(wanted)
    words = (
        "under 0.1 GPU-hours" if took.high < 0.1 else f"{took.low:.3g} to {took.high:.3g} GPU-hours"
    )
    return f"needs {len(wanted)} of the {len(runs)} runs of {name}, {words}"


def _wanted(runs: Sequence[Run], cells: Sequence[CellLevels]) -> list[Run]:
    """Return the runs that measure these cells, in the manifest's order.

    Where no condition trains nothing, any run that starts from a base model measures it: one that
    is wanted anyway, or else the cheapest.
    """
    found = {run.id for run in runs if any(_fits(run, cell) for cell in cells)}
    for cell in cells:
        if cell.get("condition") != _UNTRAINED or any(_fits(run, cell) for run in runs):
            continue
        anywhere = {axis: levels for axis, levels in cell.items() if axis != "condition"}
        by_model: dict[str, list[Run]] = {}
        for run in runs:
            if run.parent is None and run.training.trained.base_is_frozen and _fits(run, anywhere):
                by_model.setdefault(run.model.id, []).append(run)
        for same in by_model.values():
            if not any(run.id in found for run in same):
                found.add(min(same, key=lambda run: total_hours([run]).high).id)
    return [run for run in runs if run.id in found]


def _fits(run: Run, cell: CellLevels) -> bool:
    """Return whether a run has the levels that a cell selects."""
    own: dict[str, Scalar | None] = {
        "model": run.model.id,
        "condition": run.condition_id,
        "seed": run.seed,
        "adapter": planned_conditions(run.experiment)[run.condition_id].adapter,
    }
    return all(axis not in cell or not cell[axis] or own[axis] in cell[axis] for axis in _AXES)


@cache
def planned_runs(name: str) -> tuple[Run, ...]:
    """Return the manifest's runs, expanded once; none of a manifest that is not known."""
    experiment = manifest(name)
    return expand(experiment, local_environment()) if experiment else ()
