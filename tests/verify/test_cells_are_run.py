"""A cell is measured only by runs that are that cell: model, condition, seed and step, read off
fields and not off names.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repro.claims.claim import Claim, Term
from repro.claims.papers import load_claims
from repro.manifest.load import experiment_names, load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.verify.assess import assess
from repro.verify.evidence.cell import CONCEPT_KEYS
from repro.verify.verdict import Verdict

ALL = load_claims()
MEASURED = {claim.id: claim for claim in ALL if claim.basis == "measured" and claim.measured_by}
BOUND = sorted({claim.measured_by for claim in MEASURED.values()} & set(experiment_names()))
FULL_SIZE = [name for name in BOUND if load_experiment(name).twin_of is None and name != "smoke"]
JUDGED = ("reproduced", "consistent", "contradicted")
Row = tuple[str, int, str | None, int | None, str | None]
"""Quantity, step, concept, direction, further probe set."""


@cache
def planned(name: str) -> tuple[Run, ...]:
    return expand(load_experiment(name), local_environment())


def bound(name: str) -> list[Claim]:
    return [claim for claim in ALL if claim.measured_by == name]


def rows(claim: Claim, run: Run) -> set[Row]:
    """What a run measures that some claim may ask for: everything it names, at every step."""
    found: set[Row] = set()
    for leaf in claim.term.leaves():
        quantities = {leaf.quantity, "entanglement_intensity"}
        concepts = {
            next((str(leaf.selector[key]) for key in CONCEPT_KEYS if key in leaf.selector), None)
        }
        axes = dict(axes_of(claim.term))
        concepts |= {str(level) for key in CONCEPT_KEYS for level in axes.get(key, ())}
        directions = {leaf.selector.get("direction"), *axes.get("direction", ())}
        sets = {None, *load_experiment(run.experiment).also_probe_sets}
        steps = {0, *run.measured_steps()}
        found |= {
            (quantity, step, concept, direction, probes)
            for quantity in quantities for step in steps for concept in concepts for direction in directions
            for probes in sets
        }  # fmt: skip
    return found


def axes_of(term: Term) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if term.over:
        yield term.over, term.among
    for inner in term.operands:
        yield from axes_of(inner)


def fill(store: Any, runs: list[Run], claim: Claim, salt: int, sealed: dict[str, str]) -> None:
    """Runs of a manifest as it plans them, each measuring numbers of its own."""
    for run in runs:
        content = sorted(rows(claim, run), key=str)
        made = store.run(
            run.model.id, run.condition_id, run.seed, experiment=run.experiment, key=run.key(), values={},
            claims=sealed, probe_set=run.probe_set,
        )  # fmt: skip
        numbers = [((hash((salt, run.slot, *map(str, row))) % 1000) / 1000) for row in content]
        store.connection.execute(
            "INSERT INTO measurements SELECT ?, unnest(?::INTEGER[]), unnest(?::VARCHAR[]), 'default', 'post_norm', "
            "unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), NULL, 48, unnest(?::VARCHAR[])",
            [made, [r[1] for r in content], [r[0] for r in content], [r[3] for r in content], [r[2] for r in content],
             numbers, [r[4] for r in content]],
        )  # fmt: skip


def is_a_cell_of(claim: Claim, run: Run) -> bool:
    """Whether a run is one of the cells that a claim speaks of; written anew, from the fields of
    run and claim.
    """
    axes = dict(axes_of(claim.term))
    return any(fits(leaf, axes, run) for leaf in claim.term.leaves())


def fits(leaf: Term, axes: dict[str, tuple[Any, ...]], run: Run) -> bool:
    selector, full = leaf.selector, run.training.trained.kind == "full"
    own: dict[str, Any] = {"model": run.model.id, "seed": run.seed}
    if selector.get("step") == 0:  # of the base model, which no seed was drawn for
        own.pop("seed")
    for axis, value in own.items():
        levels = (selector[axis],) if axis in selector else axes.get(axis, ())
        if levels and value not in levels and not (axis == "seed" and value is None):
            return False
    base = (
        0 in (selector.get("step"), *axes.get("step", ()))
        or "step" in axes
        or claim_needs_start(leaf)
    )
    if base and run.parent is None and not full:
        return True  # step 0: the base model under any condition
    named = selector.get("condition") or axes.get("condition") or ()
    names = (named,) if isinstance(named, str) else named
    strengths = (selector["lambda"],) if "lambda" in selector else axes.get("lambda", ())
    if "lambda" in selector or "lambda" in axes:
        csr = run.condition.csr
        detached = selector.get("gradient") == "detached"
        return (
            csr is not None
            and (csr.gradient == "detached") == detached
            and (not strengths or csr.strength in strengths)
        )
    return not names or run.condition_id in names or "adapter" in selector or "adapter" in axes


def claim_needs_start(leaf: Term) -> bool:
    """Judging a single value may look at where its run started, which is the run's own step 0 and
    the base model.
    """
    return leaf.selector.get("step") != 0


def said(verdict: Verdict) -> tuple[Any, ...]:
    return (
        verdict.outcome,
        verdict.estimate,
        verdict.low,
        verdict.high,
        verdict.n,
        verdict.p,
        verdict.grade,
        verdict.reason,
    )


def judge_on(store: Any, runs: list[Run], claim: Claim, salt: int) -> Verdict:
    store.connection.execute("DELETE FROM runs; DELETE FROM measurements")
    sealed = {one.id: one.digest for one in bound(claim.measured_by or "")}
    fill(store, runs, claim, salt, sealed)
    return assess([claim], store.connection, everything=bound(claim.measured_by or ""))[0]


@pytest.mark.worker
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_verdict_rests_on_a_run_of_another_cell(store: Any, data: st.DataObject) -> None:
    """Taking away every run that is no cell of the claim changes nothing of its verdict."""
    name = data.draw(st.sampled_from([name for name in BOUND if len(planned(name)) > 1]))
    claim = data.draw(
        st.sampled_from([claim for claim in bound(name) if claim.basis == "measured"])
    )
    chosen = data.draw(
        st.lists(st.sampled_from(planned(name)), min_size=1, unique_by=lambda run: run.slot)
    )
    salt = data.draw(st.integers(0, 5))
    kept = [run for run in chosen if is_a_cell_of(claim, run)]
    whole, part = (judge_on(store, runs, claim, salt) for runs in (chosen, kept))
    assert said(whole)[:-1] == said(part)[:-1]
    if not kept:
        assert whole.outcome in ("not_run", "unverifiable")
        assert whole.grade is None


def test_a_run_of_the_cell_does_change_a_verdict(store: Any) -> None:
    """The control: without its runs the same claim is not run, with others' numbers it is another
    value.
    """
    claim = MEASURED["consolidated/table-2/mean-qwen-7b-ei-after"]
    runs = [run for run in planned("scale_ladder") if run.model.id == "qwen2.5-coder-7b"]
    first, second = (judge_on(store, runs, claim, salt) for salt in (0, 1))
    assert first.grade == "own"
    assert first.n == 3
    assert first.estimate != second.estimate
    others = [run for run in planned("scale_ladder") if run.model.id != "qwen2.5-coder-7b"]
    assert judge_on(store, others, claim, 0).outcome == "not_run"


@pytest.mark.worker
@pytest.mark.parametrize("name", FULL_SIZE)
def test_a_run_of_random_weights_relabelled_as_a_papers_reproduces_nothing(
    store: Any, name: str
) -> None:
    """One finished run of the smoke manifest, put down as the first run of each manifest, sealed as
    if planned for it.
    """
    target, smoke = planned(name)[0], planned("smoke")[-1]
    sealed = {claim.id: claim.digest for claim in bound(name)}
    for key in (smoke.key(), None):
        store.connection.execute("DELETE FROM runs; DELETE FROM measurements")
        relabel(store, target, bound(name), key, sealed)
        verdicts = assess(bound(name), store.connection, everything=ALL)
        assert not [v.id for v in verdicts if v.outcome in JUDGED]
        read = [v for v in verdicts if v.grade is not None]
        assert {v.grade for v in read} <= {"random", "other_settings"}


@pytest.mark.worker
@pytest.mark.parametrize("name", FULL_SIZE)
def test_one_real_run_decides_nothing_about_cells_that_were_not_run(store: Any, name: str) -> None:
    """The same with the very run that the manifest plans: only claims whose every cell it is can be
    measured by it.
    """
    target = planned(name)[0]
    relabel(
        store, target, bound(name), target.key(), {claim.id: claim.digest for claim in bound(name)}
    )
    claims = {claim.id: claim for claim in bound(name)}
    verdicts = assess(list(claims.values()), store.connection, everything=ALL)
    for verdict in verdicts:
        if verdict.grade is not None:
            claim = claims[verdict.id]
            axes = dict(axes_of(claim.term))
            assert all(fits(leaf, axes, target) for leaf in claim.term.leaves()), verdict.id
            assert not unrun_levels(axes, name) or at_base(claim), verdict.id
    settings_told = [v.outcome for v in verdicts if v.basis == "setting"]
    assert "reproduced" not in settings_told


def unrun_levels(axes: dict[str, tuple[Any, ...]], name: str) -> set[Any]:
    """Levels of model and condition that a claim speaks of, listed or not, beside those of the
    first planned run.
    """
    target, runs = planned(name)[0], planned(name)
    every = {
        "model": {run.model.id for run in runs},
        "condition": {run.condition_id for run in runs},
    }
    own = {"model": target.model.id, "condition": target.condition_id}
    return {
        level for axis in own if axis in axes for level in set(axes[axis]) or every[axis]
    } - set(own.values())


def at_base(claim: Claim) -> bool:
    return all(leaf.selector.get("step") == 0 for leaf in claim.term.leaves())


def relabel(store: Any, target: Run, claims: list[Claim], key: Any, sealed: dict[str, str]) -> None:
    """One run under the name of `target`, with a number for everything that any of the claims may
    ask for.
    """
    made = store.run(
        target.model.id, target.condition_id, target.seed, experiment=target.experiment, key=key or {},
        keyed=key is not None, values={}, claims=sealed, probe_set=target.probe_set,
    )  # fmt: skip
    content = sorted({row for claim in claims for row in rows(claim, target)}, key=str)
    store.connection.execute(
        "INSERT INTO measurements SELECT ?, unnest(?::INTEGER[]), unnest(?::VARCHAR[]), 'default', 'post_norm', "
        "unnest(?::INTEGER[]), unnest(?::VARCHAR[]), 0.5, NULL, 48, unnest(?::VARCHAR[])",
        [made, [r[1] for r in content], [r[0] for r in content], [r[3] for r in content], [r[2] for r in content],
         [r[4] for r in content]],
    )  # fmt: skip


LADDER = ("qwen2.5-coder-7b", "qwen2.5-coder-14b", "qwen2.5-coder-32b")
EI = "entanglement_intensity"


@pytest.mark.parametrize(
    ("over", "fields", "places"),
    [
        ("model", {"condition": "B3"}, [(model, "B3") for model in LADDER]),
        ("condition", {"model": LADDER[2]}, [(LADDER[2], condition) for condition in ("B3", "B2")]),
    ],
)
def test_all_of_them_are_those_that_the_manifest_plans_and_not_those_that_happen_to_be_run(
    store: Any, claims_of: Any, over: str, fields: dict[str, Any], places: list[tuple[str, str]]
) -> None:
    claims = claims_of(
        {
            "printed": "all",
            "statistic": "all",
            "over": over,
            "where": {"below": 0.9},
            "step": 5000,
            **fields,
        }
    )
    sealed = {claim.id: claim.digest for claim in claims}
    for number, (model, condition) in enumerate(places):
        before = assess(claims, store.connection)[0]
        assert (before.outcome, before.grade) == ("not_run", None), (
            f"{number} of {len(places)} are run"
        )
        for seed in range(3):
            values = {(EI, 5000): 0.1 + seed / 100}
            store.run(model, condition, seed, values=values, claims=sealed)
    after = assess(claims, store.connection)[0]
    assert (after.estimate, after.grade) == (True, "own")


def test_a_claim_that_names_no_model_is_not_answered_by_the_one_that_was_run(
    store: Any, claims_of: Any
) -> None:
    claims = claims_of({"printed": "0.100 ± 0.010", "condition": "B3", "step": 5000})
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(LADDER[0], values={(EI, 5000): 0.1}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "not_run"
    assert verdict.reason == "the claim names no model, and scale_ladder has several"


def test_a_claim_that_names_its_seeds_counts_no_others(store: Any, claims_of: Any) -> None:
    named = {
        "statistic": "all",
        "over": "seed",
        "among": [0, 1],
        "where": {"below": 0.9},
        "model": LADDER[0],
    }
    claims = claims_of({"printed": "both", "condition": "B3", "step": 5000, **named})
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, value in ((7, 5.0), (0, 0.1), (1, 0.2)):
        store.run(LADDER[0], seed=seed, values={(EI, 5000): value}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert (verdict.estimate, verdict.n) == (True, 2)
