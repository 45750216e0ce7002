"""What measuring a claim would take: which runs of its manifest and how many GPU-hours, or what else where no run would do."""

from collections.abc import Iterator, Mapping
from functools import cache

from repro.manifest.claim import Claim, Scalar, Term
from repro.manifest.experiment import Experiment
from repro.manifest.load import load_models
from repro.manifest.training import BlockDiagonal
from repro.plan.budget import total
from repro.plan.run import Run
from repro.verify.benchmarks import PROBLEMS
from repro.verify.evidence import resolved
from repro.verify.recorded import unrecorded
from repro.verify.settings import manifest

AXES = ("model", "condition", "seed", "adapter")
Levels = Mapping[str, frozenset[Scalar]]
"""Axis → the levels a cell allows; an axis that is absent allows all."""


def needs(claim: Claim) -> str:
    """ "needs 3 of the 22 runs of scale_ladder, 12–80 GPU-hours"; empty where running its manifest would not do."""
    if claim.measured_by is None or instead(claim):
        return ""
    return _words(claim.measured_by, frozenset(_cells(claim.term, {})))


def instead(claim: Claim) -> str:
    """What would decide a claim that running its manifest cannot; empty where running it would."""
    name = claim.measured_by
    if name is None or manifest(name) is None:
        return "A manifest that measures it" + (f": {name} is announced, not yet written." if name else ".")
    if claim.basis != "measured":
        return ""
    absent = unrecorded(claim)
    if set(absent) & PROBLEMS.keys():
        return (
            "Not a run: none writes or scores code. The adapters that runs keep (for B0 the base model) would have to "
            "be evaluated elsewhere (docs/SCIENCE.md §10), and nothing here reads such results yet."
        )
    if absent:
        return f"Not a run as they are: none measures {', '.join(absent)}. A diagnostic would have to be added first."
    return ""


def _cells(term: Term, outer: Mapping[str, frozenset[Scalar]]) -> Iterator[frozenset[tuple[str, frozenset[Scalar]]]]:
    """The levels of each cell a term rests on: what it selects, within the axes that the terms around it run along."""
    along = {**outer, term.over: frozenset(term.among)} if term.over in AXES and term.among else dict(outer)
    inner = [operand for operand in (term.of, term.against) if operand is not None]
    for operand in inner:
        yield from _cells(operand, along)
    if not inner:
        selector = resolved(term.selector)
        chosen = {axis: frozenset([selector[axis]]) for axis in AXES if axis in selector}
        if term.selector.get("step") == 0:  # the base model: any condition holds it, the cheapest trains nothing
            chosen["condition"] = frozenset(["B0"])
            chosen.pop("seed", None)
        yield frozenset({**along, **chosen}.items())


@cache
def _words(name: str, cells: frozenset[frozenset[tuple[str, frozenset[Scalar]]]]) -> str:
    runs = _runs(name)
    wanted = [run for run in runs if any(_fits(run, dict(cell)) for cell in cells)]
    if not wanted:
        wanted = list(runs)
    cost = total(wanted)
    hours = "under 0.1 GPU-hours" if cost.high < 0.1 else f"{cost.low:.3g} to {cost.high:.3g} GPU-hours"
    return f"needs {len(wanted)} of the {len(runs)} runs of {name}, {hours}"


def _fits(run: Run, cell: Levels) -> bool:
    trained = run.training.trained
    own: dict[str, Scalar | None] = {
        "model": run.model.id,
        "condition": run.condition_id,
        "seed": run.seed,
        "adapter": trained.grouping if isinstance(trained, BlockDiagonal) else trained.kind,
    }
    return all(axis not in cell or not cell[axis] or own[axis] in cell[axis] for axis in AXES)


@cache
def _runs(name: str) -> tuple[Run, ...]:
    """The manifest's runs as far as cost depends on them; their names would take reading all of the worker's code."""
    experiment, models = manifest(name), load_models()
    if experiment is None:
        return ()
    cells = {
        (model, name, seed if experiment.conditions[name].steps else None): None
        for arm in experiment.arms
        for model in arm.models
        for condition in arm.conditions
        for seed in arm.seeds
        for name in _chain(experiment, condition)
    }
    return tuple(
        Run.model_construct(
            experiment=name,
            model=models[model],
            condition_id=condition,
            condition=experiment.conditions[condition],
            seed=seed,
            training=experiment.training.under(experiment.conditions[condition]),
            diagnostics=experiment.diagnostics,
            domains={},
            probe_set="",
            probe_hash="",
            code={},
            environment={},
        )
        for model, condition, seed in cells
    )


def _chain(experiment: Experiment, condition: str) -> list[str]:
    """A condition after every condition it goes on from."""
    before = experiment.conditions[condition].continues
    return [*(_chain(experiment, before) if before else []), condition]
