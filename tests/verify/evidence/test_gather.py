"""Which runs of the store count as evidence: finished, newest, of the best grade, set up alike."""

from typing import Any

import pytest

from repro.geometry.undefined import Undefined
from repro.manifest.training import Optimizer, Training
from repro.verify.evidence.columns import Column
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.gather import OPERATIONAL, gather_evidence
from repro.verify.evidence.grade import RunKey
from repro.verify.verdict import Graded

EI = "entanglement_intensity"
WANTED = [("csr_lambda", EI, None)]
CELL = {"model": "m", "condition": "B3", "step": 5000}


def values(evidence: Evidence) -> list[float]:
    """The values of the one cell."""
    found = evidence.column("csr_lambda", EI, CELL)
    assert isinstance(found, Column)
    return found.values.tolist()


def trained(**fields: Any) -> dict[str, object]:
    """What a run's key says of its training."""
    return {"training": Training(**fields).model_dump(mode="json")}


def add(store: Any, seed: int, value: float, **more: Any) -> str:
    """A finished run with one value at the end."""
    run: str = store.run(seed=seed, experiment="csr_lambda", values={(EI, 5000): value}, **more)
    return run


def test_only_the_steps_asked_for_are_fetched(store: Any) -> None:
    store.run(experiment="csr_lambda", values={(EI, 0): 0.9, (EI, 500): 0.5, ("rank", 0): 8.0})
    evidence = gather_evidence(store.connection, [("csr_lambda", EI, 500)])
    assert evidence.levels("csr_lambda", EI, {"model": "m", "condition": "B3"}, "step") == (500,)
    assert ("csr_lambda", "rank", "default") not in evidence.rows


@pytest.mark.parametrize("status", ["partial", "superseded", "diverged"])
def test_runs_that_are_not_done_have_no_cells(store: Any, status: str) -> None:
    store.run(experiment="csr_lambda", values={(EI, 0): 0.9}, status=status)
    evidence = gather_evidence(store.connection, WANTED)
    assert isinstance(
        evidence.column("csr_lambda", EI, {"model": "m", "condition": "B3", "step": 0}), Undefined
    )


def test_base_values_are_gathered_from_every_set_they_were_measured_on(store: Any) -> None:
    run = store.run(condition="B0", seed=None, experiment="base_geometry", values={(EI, 0): 1.1})
    store.measure(run, {(EI, 0): 1.4}, probe_set="core_60")
    evidence = gather_evidence(store.connection, [], bases=[EI])
    found = {base.probe_set: base.value for base in evidence.base_models(EI, {"model": "m"})}
    assert found == {"factorial_48": 1.1, "core_60": 1.4}


def test_of_two_set_ups_the_newer_counts_and_the_others_runs_are_counted_as_set_aside(
    store: Any,
) -> None:
    for seed in (0, 1):
        add(store, seed, 0.1 + seed, key=trained(optimizer=Optimizer(learning_rate=0.5)))
    add(store, 2, 0.7)
    evidence = gather_evidence(store.connection, WANTED)
    assert values(evidence) == [0.7]
    assert evidence.set_aside["csr_lambda", "m", "B3"] == 2
    column = evidence.column("csr_lambda", EI, CELL)
    assert isinstance(column, Column)
    assert column.left_out == ("2 runs set up otherwise",)


@pytest.mark.parametrize("setting", OPERATIONAL)
def test_runs_that_differ_in_how_fast_they_compute_count_together(store: Any, setting: str) -> None:
    other = {"packing": "packed", "dequantise": "once", "gradient_checkpointing": False}
    add(store, 0, 0.1, key=trained(**{setting: other.get(setting, 7)}))
    add(store, 1, 0.2)
    assert values(gather_evidence(store.connection, WANTED)) == [0.1, 0.2]


def test_the_best_grade_counts_before_the_newest_set_up(store: Any) -> None:
    rate = trained(optimizer=Optimizer(learning_rate=0.5))
    add(store, 0, 0.1)
    add(store, 1, 0.2, key=rate)

    def grade(name: str, model: str, condition: str, key: RunKey | None) -> Graded:
        assert (name, model, condition) == ("csr_lambda", "m", "B3")
        other = key is not None and key["training"]["optimizer"]["learning_rate"] == 0.5
        return Graded(grade="other_settings" if other else "own")

    evidence = gather_evidence(store.connection, WANTED, grading=grade)
    assert values(evidence) == [0.1]
    assert evidence.graded["csr_lambda", "m", "B3"].grade == "own"
    assert values(gather_evidence(store.connection, WANTED)) == [0.2], "the control"


def test_only_runs_by_the_sources_that_are_asked_for_count(store: Any) -> None:
    """Of a seed that was run by both, the run of these sources, though the other is newer."""
    ours, theirs = add(store, 0, 0.1), add(store, 0, 0.2)
    for run, code in ((ours, "aaaa"), (theirs, "bbbb")):
        store.connection.execute(
            "INSERT INTO provenance (run_id, attempts, code, content) VALUES (?, 1, ?, '{}')",
            [run, code],
        )
    assert values(gather_evidence(store.connection, WANTED, code="aaaa")) == [0.1]
    assert values(gather_evidence(store.connection, WANTED)) == [0.2]


def test_an_undefined_value_is_a_gap_with_its_reason_and_runs_are_counted_by_status(
    store: Any,
) -> None:
    for seed, value in enumerate((None, 0.5)):
        store.run(seed=seed, experiment="csr_lambda", values={(EI, 5000): value})
    store.run(seed=2, experiment="csr_lambda", values={(EI, 5000): 0.9}, status="diverged")
    evidence = gather_evidence(store.connection, WANTED)
    column = evidence.column("csr_lambda", EI, CELL)
    assert isinstance(column, Column)
    assert (column.seeds.tolist(), column.values.tolist()) == ([1], [0.5])
    assert column.left_out == ("seed 0: no direction damages its own concept",)
    assert evidence.runs["csr_lambda"] == {("m", "B3", "done"): 2, ("m", "B3", "diverged"): 1}
    assert evidence.last == {("csr_lambda", "m", "B3"): 5000}


def test_a_run_that_goes_on_from_another_gives_no_base_model(store: Any) -> None:
    add(store, 0, 0.5, key={"parent": "0" * 64})
    store.measure("run00001", {(EI, 0): 0.3})
    evidence = gather_evidence(store.connection, WANTED, bases=[EI])
    assert not evidence.bases
    store.run(condition="B2", experiment="csr_lambda", values={(EI, 0): 0.8})
    again = gather_evidence(store.connection, WANTED, bases=[EI])
    assert [base.value for base in again.bases[EI, "m", None, None]] == [0.8]
