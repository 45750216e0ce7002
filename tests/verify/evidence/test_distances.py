"""Cells of entanglement: parts of matrices, conditions by rank, and distances of profiles between
runs.
"""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from repro.claims.papers import load_claims
from repro.evidence.part import part_name
from repro.geometry.undefined import Undefined
from repro.manifest.load import load_experiment
from repro.manifest.training import Training
from repro.report.terminal.explain import explanation
from repro.verify.assess import assess
from repro.verify.evidence.columns import Column
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.gather import gather_evidence
from repro.verify.wanted import wanted_cells

NAME, S, DEPTH = "artificial_entanglement_laptop", "entanglement_entropy", "valley_depth"
WANTED = [(NAME, S, None), (NAME, DEPTH, None)]
SHAPE = (3, 2, 5)
"""Layers, modules and cuts of a made profile."""


def key(condition: str) -> dict[str, Any]:
    """What a run of the manifest says of itself."""
    experiment = load_experiment(NAME)
    given = experiment.conditions[condition]
    return {
        "training": experiment.training.under(given).model_dump(mode="json"),
        "condition": given.model_dump(mode="json", exclude={"title", "adapter", "continues"}),
    }


def drawn(*seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SHAPE)


def add(
    store: Any, condition: str, seed: int, profile: np.ndarray, depth: float = 0.0, **more: Any
) -> None:
    """A run with a profile for every layer and module, and a valley's depth."""
    values: dict[Any, float] = {}
    for layer, module, cut in np.ndindex(*SHAPE):
        where = part_name(matrix="update", module=("q_proj", "v_proj")[module], layer=layer)
        values[S, 30, where, cut] = float(profile[layer, module, cut])
    values[S, 30, part_name(matrix="update", layer=0, head=1)] = 99.0
    values[DEPTH, 30, part_name(matrix="update", module="q_proj")] = depth
    values[DEPTH, 30, part_name(matrix="update")] = depth + 1
    store.run(
        "smollm2-135m", condition, seed, experiment=NAME, key=key(condition), values=values, **more
    )


def column(evidence: Evidence, quantity: str, **selector: Any) -> list[float]:
    found = evidence.column(NAME, quantity, {"model": "smollm2-135m", "step": 30, **selector})
    assert isinstance(found, Column), found
    return found.values.tolist()


def rms(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(((one - other) ** 2).mean()))


def test_matrix_module_and_scope_name_one_cell(store: Any) -> None:
    for seed in (0, 1):
        add(store, "lora-16", seed, drawn(seed), depth=0.5 + seed)
    evidence = gather_evidence(store.connection, WANTED)
    assert column(evidence, DEPTH, condition="lora-16", matrix="update", module="q_proj") == [
        0.5,
        1.5,
    ]
    assert column(evidence, DEPTH, condition="lora-16", matrix="update") == [1.5, 2.5]
    absent = evidence.column(
        NAME, DEPTH, {"model": "smollm2-135m", "condition": "lora-16", "matrix": "attention"}
    )
    assert isinstance(absent, Undefined)
    selector = {"model": "smollm2-135m", "condition": "lora-16", "matrix": "update"}
    assert evidence.levels(NAME, DEPTH, selector, "module") == ("q_proj",)
    assert evidence.levels(NAME, DEPTH, {**selector, "module": "q_proj"}, "matrix") == ("update",)
    assert evidence.levels(NAME, DEPTH, {**selector, "module": "q_proj"}, "seed") == (0, 1)


def test_the_lowest_and_the_highest_rank_are_conditions(store: Any) -> None:
    for condition, depth in (
        ("lora-4", 0.1),
        ("lora-16", 0.2),
        ("lora-64", 0.3),
        ("full", 0.4),
        ("mps", 0.5),
    ):
        add(store, condition, 0, drawn(0), depth)
    evidence = gather_evidence(store.connection, WANTED)
    assert column(evidence, DEPTH, scope="lowest rank", matrix="update", module="q_proj") == [0.1]
    assert column(evidence, DEPTH, scope="highest rank", matrix="update", module="q_proj") == [0.3]
    one = evidence.column(
        NAME, DEPTH, {"model": "smollm2-135m", "scope": "lowest rank", "adapter": "mps"}
    )
    assert isinstance(one, Undefined)
    assert "two ranks or more" in one.reason


def test_distances_are_over_layers_modules_and_cuts_and_pair_seeds(store: Any) -> None:
    lora, full = (
        {seed: drawn(1, seed) for seed in range(4)},
        {seed: drawn(2, seed) for seed in range(3)},
    )
    for seed, profile in lora.items():
        add(store, "lora-16", seed, profile)
    for seed, profile in full.items():
        add(store, "full", seed, profile)
    evidence = gather_evidence(store.connection, WANTED)
    chosen = {"condition": "lora-16", "matrix": "update"}
    between = column(evidence, "profile_distance", **chosen, scope="lora to full")
    assert between == pytest.approx([rms(lora[seed], full[seed]) for seed in range(3)])
    apart = column(evidence, "profile_distance", **chosen, scope="seed to seed")
    assert apart == pytest.approx([rms(lora[seed], lora[(seed + 1) % 4]) for seed in range(4)])
    other = evidence.column(
        NAME, "profile_distance", {"model": "smollm2-135m", **chosen, "scope": "far"}
    )
    assert isinstance(other, Undefined)
    assert "not of far" in other.reason


def test_two_seeds_are_one_pair_and_one_seed_is_none(store: Any) -> None:
    add(store, "lora-16", 0, drawn(0))
    alone = gather_evidence(store.connection, WANTED).column(
        NAME, "profile_distance",
        {"model": "smollm2-135m", "step": 30, "condition": "lora-16", "matrix": "update", "scope": "seed to seed"},
    )  # fmt: skip
    assert isinstance(alone, Undefined)
    add(store, "lora-16", 1, drawn(1))
    evidence = gather_evidence(store.connection, WANTED)
    found = column(
        evidence, "profile_distance", condition="lora-16", matrix="update", scope="seed to seed"
    )
    assert found == pytest.approx([rms(drawn(0), drawn(1))])


@pytest.mark.parametrize(("apart", "outcome"), [(3.0, "reproduced"), (0.0, "contradicted")])
def test_a_twins_statement_on_distances_is_judged(store: Any, apart: float, outcome: str) -> None:
    """Full fine-tuning far from LoRA, and at LoRA's own place: the same claim, both ways."""
    claim = next(
        one
        for one in load_claims()
        if one.id.endswith("profiles-of-updates-in-30-steps/further-apart")
    )
    assert (NAME, S, 30) in wanted_cells([claim])
    sealed = {claim.id: claim.digest}
    for seed in range(3):
        ours = drawn(1) + 0.1 * drawn(1, seed)
        add(store, "lora-16", seed, ours, claims=sealed)
        add(store, "full", seed, ours + apart + 0.001 * drawn(2, seed), claims=sealed)
    (verdict,) = assess([claim], store.connection)
    assert verdict.outcome == outcome, verdict.reason


def test_an_adapters_rank_is_read_off_its_run() -> None:
    from repro.verify.evidence.trained import planned_conditions, trained_of

    ranks = {name: one.rank for name, one in planned_conditions(NAME).items()}
    assert ranks == {
        "lora-4": 4,
        "lora-16": 16,
        "lora-64": 64,
        "lora-16-alpha": 16,
        "full": None,
        "mps": 16,
    }
    assert (
        trained_of(
            {"training": Training().model_dump(mode="json"), "condition": {"phases": []}}
        ).rank
        is None
    )


def test_a_verdict_shows_what_random_matrices_have(store: Any) -> None:
    claim = next(
        one for one in load_claims() if one.id.endswith("profiles-of-updates-in-30-steps/valley")
    )
    for seed in range(3):
        add(store, "lora-16", seed, drawn(seed), depth=1.0 + 0.01 * seed)
    runs = [run for (run,) in store.connection.execute("SELECT run_id FROM runs").fetchall()]
    for run in runs:
        values = {
            (DEPTH, 30, part_name(matrix="update", module=module)): 0.9
            for module in ("q_proj", "v_proj")
        }
        store.measure(run, values, specification="gaussian")
        store.measure(run, {(DEPTH, 30, part_name(matrix="update", module="v_proj")): 1.1})
    (verdict,) = assess([claim], store.connection)
    assert sorted(verdict.artefacts["random"].values()) == [0.9, 0.9]
    assert any("v_proj" in cell for cell in verdict.artefacts["random"])


def test_every_cell_behind_a_verdict_stands_beside_it_with_its_interval(store: Any) -> None:
    """Runs that all agree show no spread, so no interval; a comparison names both its sides."""
    claim = next(
        one
        for one in load_claims()
        if one.id.endswith("profiles-of-updates-in-30-steps/sensitive-to-the-rank")
    )
    low, high = (1.0, 1.1, 1.3), (0.5, 0.5, 0.5)
    for seed in range(3):
        add(store, "lora-4", seed, drawn(seed), depth=low[seed] - 1)
        add(store, "lora-64", seed, drawn(seed), depth=high[seed] - 1)
    (verdict,) = assess([claim], store.connection)
    cells = list(verdict.artefacts["cells"].values())
    ends = stats.t.interval(0.95, 2, np.mean(low), stats.sem(low))
    assert cells[0] == pytest.approx(
        {"mean": np.mean(low), "low": ends[0], "high": ends[1], "runs": 3}
    )
    assert cells[1] == {"mean": pytest.approx(0.5), "low": None, "high": None, "runs": 3}
    told = explanation(claim, verdict)
    assert f"gave 1.133 [{ends[0]:.4g}, {ends[1]:.4g}], their mean (SD 0.15)." in told
    assert "gave 0.5, their mean" in told
    assert "scope lowest rank) against valley_depth (model" in told
