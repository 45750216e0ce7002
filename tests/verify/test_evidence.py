"""How a claim's selector finds its cells in the store."""

import pytest

from repro.verify.columns import Absent, Column
from repro.verify.gather import gather

EI = "entanglement_intensity"
WANTED = [("csr_lambda", EI, None)]


def values(column: Column | Absent) -> list[float]:
    assert isinstance(column, Column)
    return column.values.tolist()


def test_a_strength_is_a_condition_of_its_own(store):
    for strength, value in ((0.03, 0.105), (0.1, 0.115), (0.3, 0.107)):
        store.run(condition=f"B4-{strength:g}", experiment="csr_lambda", values={(EI, 0): 0.6, (EI, 5000): value})
    store.run(condition="B4-0.3-detached", experiment="csr_lambda", values={(EI, 0): 0.6, (EI, 5000): 0.9})
    evidence = gather(store.connection, WANTED)
    selector = {"model": "m", "condition": "B4", "step": 5000}
    assert evidence.levels("csr_lambda", EI, selector, "lambda") == (0.03, 0.1, 0.3)
    assert values(evidence.column("csr_lambda", EI, {**selector, "lambda": 0.1})) == [0.115]
    assert values(evidence.column("csr_lambda", EI, {**selector, "lambda": 0.1, "step": 0})) == [0.6]


def test_the_last_step_is_what_a_selector_without_step_means(store):
    store.run(experiment="csr_lambda", values={(EI, 0): 0.9, (EI, 500): 0.5, (EI, 1000): 0.2})
    evidence = gather(store.connection, WANTED)
    assert values(evidence.column("csr_lambda", EI, {"model": "m", "condition": "B3"})) == [0.2]
    assert evidence.levels("csr_lambda", EI, {"model": "m", "condition": "B3"}, "step") == (0, 500, 1000)


def test_only_the_steps_asked_for_are_fetched(store):
    store.run(experiment="csr_lambda", values={(EI, 0): 0.9, (EI, 500): 0.5, ("rank", 0): 8.0})
    evidence = gather(store.connection, [("csr_lambda", EI, 500)])
    assert evidence.levels("csr_lambda", EI, {"model": "m", "condition": "B3"}, "step") == (500,)
    assert ("csr_lambda", "rank", "default") not in evidence.rows


@pytest.mark.parametrize("status", ["partial", "superseded", "diverged"])
def test_runs_that_are_not_done_have_no_cells(store, status: str):
    store.run(experiment="csr_lambda", values={(EI, 0): 0.9}, status=status)
    evidence = gather(store.connection, WANTED)
    assert isinstance(evidence.column("csr_lambda", EI, {"model": "m", "condition": "B3", "step": 0}), Absent)


def test_a_cell_that_names_no_model_where_several_were_measured_is_not_guessed(store):
    for model in ("a", "b"):
        store.run(model, experiment="csr_lambda", values={(EI, 5000): 0.9})
    found = gather(store.connection, WANTED).column("csr_lambda", EI, {"condition": "B3", "step": 5000})
    assert isinstance(found, Absent)
    assert "names no model" in found.reason


def test_a_cell_is_the_runs_own_probe_set_unless_another_is_named(store) -> None:
    run = store.run(experiment="probe_validation", values={(EI, 5000): 0.1}, probe_set="core_60")
    store.measure(run, {(EI, 5000): 0.2}, probe_set="diverse_60")
    store.measure(run, {(EI, 5000): 0.3}, probe_set="real_132")
    evidence = gather(store.connection, [("probe_validation", EI, 5000)])
    cell = {"model": "m", "condition": "B3", "step": 5000}
    levels = evidence.levels("probe_validation", EI, cell, "probe_set")
    assert levels == ("core_60", "diverse_60", "real_132")
    values = [evidence.column("probe_validation", EI, {**cell, "probe_set": name}).mean for name in levels]
    assert values == [0.1, 0.2, 0.3]
    assert evidence.column("probe_validation", EI, cell).values.tolist() == [0.1], "no other set is mixed in"
    assert evidence.levels("probe_validation", EI, {**cell, "probe_set": "real_132"}, "seed") == (0,)
    assert isinstance(evidence.column("probe_validation", EI, {**cell, "probe_set": "factorial_48"}), Absent)


def test_base_values_are_gathered_from_every_set_they_were_measured_on(store) -> None:
    run = store.run(condition="B0", seed=None, experiment="base_geometry", values={(EI, 0): 1.1})
    store.measure(run, {(EI, 0): 1.4}, probe_set="core_60")
    found = gather(store.connection, [], bases=[EI]).base_models(EI, {"model": "m"})
    assert found == {"factorial_48": 1.1, "core_60": 1.4}
