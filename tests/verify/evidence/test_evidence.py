"""How a claim's selector finds its cells in the store."""

import pytest

from repro.geometry.undefined import Undefined
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.verify.estimate.estimate import by_probe_set
from repro.verify.evidence.columns import Column
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.gather import gather_evidence
from repro.verify.evidence.trained import planned_conditions

EI = "entanglement_intensity"
WANTED = [("csr_lambda", EI, None)]


def values(column: Column | Undefined) -> list[float]:
    assert isinstance(column, Column)
    return column.values.tolist()


def test_a_strength_is_a_condition_of_its_own(store) -> None:
    for strength, value in ((0.03, 0.105), (0.1, 0.115), (0.3, 0.107)):
        store.run(
            condition=f"B4-{strength:g}",
            experiment="csr_lambda",
            values={(EI, 0): 0.6, (EI, 5000): value},
        )
    store.run(
        condition="B4-0.3-detached", experiment="csr_lambda", values={(EI, 0): 0.6, (EI, 5000): 0.9}
    )
    evidence = gather_evidence(store.connection, WANTED)
    selector = {"model": "m", "condition": "B4", "step": 5000}
    assert evidence.levels("csr_lambda", EI, selector, "lambda") == (0.03, 0.1, 0.3)
    assert values(evidence.column("csr_lambda", EI, {**selector, "lambda": 0.1})) == [0.115]
    assert values(evidence.column("csr_lambda", EI, {**selector, "lambda": 0.1, "step": 0})) == [
        0.6
    ]


def test_the_last_step_is_what_a_selector_without_step_means(store) -> None:
    store.run(experiment="csr_lambda", values={(EI, 0): 0.9, (EI, 500): 0.5, (EI, 1000): 0.2})
    evidence = gather_evidence(store.connection, WANTED)
    assert values(evidence.column("csr_lambda", EI, {"model": "m", "condition": "B3"})) == [0.2]
    assert evidence.levels("csr_lambda", EI, {"model": "m", "condition": "B3"}, "step") == (
        0,
        500,
        1000,
    )


def test_a_cell_that_names_no_model_where_several_were_measured_is_not_guessed(store) -> None:
    for model in ("a", "b"):
        store.run(model, experiment="csr_lambda", values={(EI, 5000): 0.9})
    found = gather_evidence(store.connection, WANTED).column(
        "csr_lambda", EI, {"condition": "B3", "step": 5000}
    )
    assert isinstance(found, Undefined)
    assert "names no model" in found.reason


def test_a_cell_is_the_runs_own_probe_set_unless_another_is_named(store) -> None:
    run = store.run(experiment="probe_validation", values={(EI, 5000): 0.1}, probe_set="core_60")
    store.measure(run, {(EI, 5000): 0.2}, probe_set="diverse_60")
    store.measure(run, {(EI, 5000): 0.3}, probe_set="real_132")
    evidence = gather_evidence(store.connection, [("probe_validation", EI, 5000)])
    cell = {"model": "m", "condition": "B3", "step": 5000}
    levels = evidence.levels("probe_validation", EI, cell, "probe_set")
    assert levels == ("core_60", "diverse_60", "real_132")
    values = [
        evidence.column("probe_validation", EI, {**cell, "probe_set": name}).mean for name in levels
    ]
    assert values == [0.1, 0.2, 0.3]
    assert evidence.column("probe_validation", EI, cell).values.tolist() == [0.1], (
        "no other set is mixed in"
    )
    assert evidence.levels("probe_validation", EI, {**cell, "probe_set": "real_132"}, "seed") == (
        0,
    )
    assert isinstance(
        evidence.column("probe_validation", EI, {**cell, "probe_set": "factorial_48"}), Undefined
    )


CONTINUED = {"parent": "0" * 64}
DETACHED = {"condition": {"csr": {"strength": 0.3, "gradient": "detached"}}, "parent": None}
FULL = {"training": {"adapter": {"kind": "full"}}}


def adapter(grouping: str) -> dict[str, object]:
    return {"training": {"adapter": {"kind": "block_diagonal", "grouping": grouping}}}


def bases(evidence: Evidence, selector: dict[str, object]) -> dict[str, float]:
    return by_probe_set(evidence.base_models(EI, selector))


def test_step_0_of_a_continued_run_is_no_base_model(store) -> None:
    store.run(experiment="reversibility", values={(EI, 0): 0.8, (EI, 5000): 0.3})
    store.run(
        condition="B3-B2",
        experiment="reversibility",
        values={(EI, 0): 0.3, (EI, 1500): 0.1},
        key=CONTINUED,
    )
    evidence = gather_evidence(store.connection, [("reversibility", EI, None)], [EI])
    assert values(evidence.column("reversibility", EI, {"model": "m", "step": 0})) == [0.8]
    assert bases(evidence, {"model": "m"}) == {"factorial_48": 0.8}


def test_the_same_run_started_from_the_base_model_does_count_as_one(store) -> None:
    store.run(experiment="reversibility", values={(EI, 0): 0.8, (EI, 5000): 0.3})
    store.run(condition="B3-B2", experiment="reversibility", values={(EI, 0): 0.3, (EI, 1500): 0.1})
    evidence = gather_evidence(store.connection, [("reversibility", EI, None)], [EI])
    assert values(evidence.column("reversibility", EI, {"model": "m", "step": 0})) == pytest.approx(
        [0.55]
    )
    assert bases(evidence, {"model": "m"}) == pytest.approx({"factorial_48": 0.55})


def test_a_continued_trajectory_starts_where_its_run_started(store) -> None:
    store.run(experiment="reversibility", values={(EI, 0): 0.8, (EI, 5000): 0.0})
    store.run(
        condition="B3-B2",
        experiment="reversibility",
        values={(EI, 0): 0.0, (EI, 1500): 0.0},
        key=CONTINUED,
    )
    evidence = gather_evidence(store.connection, [("reversibility", EI, None)])
    selector = {"model": "m", "condition": "B3-B2"}
    assert values(evidence.trajectory("reversibility", EI, selector, "collapse_step")) == [0]
    assert values(
        evidence.trajectory("reversibility", EI, {**selector, "condition": "B3"}, "collapse_step")
    ) == [5000]


def test_a_detached_penalty_counts_only_where_it_is_asked_for(store) -> None:
    for strength in (0.03, 0.3):
        store.run(
            condition=f"B4-{strength:g}",
            experiment="csr_lambda",
            values={(EI, 0): 0.6, (EI, 5000): strength},
        )
        store.run(
            condition=f"B4-{strength:g}-detached",
            experiment="csr_lambda",
            values={(EI, 0): 0.6, (EI, 5000): 0.9},
            key=DETACHED,
        )
    evidence = gather_evidence(store.connection, WANTED)
    selector = {"model": "m", "condition": "B4", "step": 5000}
    detached = {**selector, "gradient": "detached"}
    assert values(evidence.column("csr_lambda", EI, {**selector, "lambda": 0.3})) == [0.3]
    assert values(evidence.column("csr_lambda", EI, {**detached, "lambda": 0.3})) == [0.9]
    assert evidence.levels("csr_lambda", EI, {"model": "m", "step": 5000}, "condition") == (
        "B4-0.03",
        "B4-0.3",
    )
    assert evidence.levels("csr_lambda", EI, selector, "lambda") == (0.03, 0.3)
    assert evidence.levels("csr_lambda", EI, detached, "lambda") == (0.03, 0.3)
    assert values(
        evidence.column("csr_lambda", EI, {"model": "m", "condition": "B4-0.3-detached"})
    ) == [0.9]


def test_adapters_are_told_apart_and_a_condition_alone_means_lora(store) -> None:
    store.run(experiment="frontier", values={(EI, 0): 0.6, (EI, 5000): 0.1})
    for number, grouping in enumerate(("aligned", "isolated"), start=2):
        content = {(EI, 0): 0.6, (EI, 5000): number / 10}
        store.run(
            condition=f"B3-{grouping}", experiment="frontier", values=content, key=adapter(grouping)
        )
    evidence = gather_evidence(store.connection, [("frontier", EI, None)])
    cell = {"model": "m", "step": 5000}
    assert values(evidence.column("frontier", EI, {**cell, "condition": "B3"})) == [0.1]
    assert values(evidence.column("frontier", EI, cell)) == [0.1]
    assert values(evidence.column("frontier", EI, {**cell, "adapter": "aligned"})) == [0.2]
    assert values(
        evidence.column("frontier", EI, {**cell, "condition": "B3", "adapter": "isolated"})
    ) == [0.3]
    assert values(
        evidence.column("frontier", EI, {**cell, "condition": "B3", "adapter": "lora"})
    ) == [0.1]
    assert isinstance(
        evidence.column("frontier", EI, {**cell, "condition": "B2", "adapter": "isolated"}),
        Undefined,
    )
    assert isinstance(evidence.column("frontier", EI, {**cell, "adapter": "mps"}), Undefined)


def test_a_model_whose_every_weight_is_trained_has_a_base_of_its_own(store) -> None:
    store.run(experiment="frontier", values={(EI, 0): 0.6, (EI, 5000): 0.1})
    store.run(
        condition="B3-full", experiment="frontier", values={(EI, 0): 0.7, (EI, 5000): 0.2}, key=FULL
    )
    evidence = gather_evidence(store.connection, [("frontier", EI, None)])
    assert values(evidence.column("frontier", EI, {"model": "m", "step": 0})) == [0.6]
    assert values(
        evidence.column("frontier", EI, {"model": "m", "step": 0, "condition": "B3-full"})
    ) == [0.7]
    assert values(
        evidence.column("frontier", EI, {"model": "m", "step": 0, "adapter": "full"})
    ) == [0.7]
    assert values(
        evidence.column("frontier", EI, {"model": "m", "step": 5000, "adapter": "full"})
    ) == [0.2]


def test_a_cell_at_another_layer_is_not_the_one_that_was_measured(store) -> None:
    store.run(
        experiment="frontier", values={(EI, 5000): 0.1}, key={"diagnostics": {"layer": "pre_norm"}}
    )
    evidence = gather_evidence(store.connection, [("frontier", EI, None)])
    cell = {"model": "m", "condition": "B3", "step": 5000}
    assert values(evidence.column("frontier", EI, cell)) == [0.1]
    assert values(evidence.column("frontier", EI, {**cell, "layer": "pre_norm"})) == [0.1]
    assert isinstance(evidence.column("frontier", EI, {**cell, "layer": "post_norm"}), Undefined)


def test_what_a_run_is_is_read_off_the_key_that_real_plans_write(store) -> None:
    """The JSON paths are those of a run's key, not of this file."""
    for name in ("frontier", "csr_lambda"):
        for run in expand(load_experiment(name), local_environment()):
            store.run(
                run.model.id,
                run.condition_id,
                run.seed,
                experiment=name,
                values={(EI, 0): 1.0},
                key=run.key(),
            )
    found = {
        place[::2]: trained
        for place, trained in gather_evidence(store.connection, []).trained.items()
    }
    assert found["frontier", "B2-aligned"].adapter == "aligned"
    assert found["frontier", "B2-isolated"].adapter == "isolated"
    assert found["frontier", "B3-B2"].continued
    assert found["csr_lambda", "B4-0.3-detached"].gradient == "detached"
    assert (found["csr_lambda", "B4-0.3"].gradient, found["csr_lambda", "B4-0.3"].strength) == (
        "attached",
        0.3,
    )
    assert (
        found["frontier", "B2-aligned"].data
        == found["frontier", "B2-isolated"].data
        != found["frontier", "B3"].data
    )
    for name in ("frontier", "csr_lambda"):
        for condition, planned in planned_conditions(name).items():
            assert found.get((name, condition), planned) == planned, (
                "what is planned is what is run"
            )
    full = load_experiment("dynamics_laptop")
    run = next(run for run in expand(full, local_environment()) if run.condition_id == "B3-full")
    store.run(
        run.model.id, run.condition_id, 0, experiment="x", values={(EI, 0): 1.0}, key=run.key()
    )
    of_all = gather_evidence(store.connection, []).trained["x", run.model.id, "B3-full"]
    assert of_all.adapter == "full"
    assert of_all.base != found["frontier", "B3"].base, "its base model is not in 4 bits"
