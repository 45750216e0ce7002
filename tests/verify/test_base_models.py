"""`--base`: a manifest's base models alone, measured where nothing can be trained, and judged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.evidence.asked import write_asked
from repro.evidence.measurement import Measurement
from repro.evidence.seals import seal_claims
from repro.execute.folders import place_runs, prepare
from repro.manifest.load import experiment_names, load_experiment
from repro.plan.base import base_of_run, base_runs, surroundings
from repro.plan.expand import expand, local_environment
from repro.store.database import connect
from repro.store.ingest import ingest
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

EI = "entanglement_intensity"
MANIFEST = """
id: trained
title: nothing but trained runs
image: local
probe_set: factorial_48
also_probe_sets: [core_60, diverse_60]
domains: {code: [standard_library], math: [grade_school]}
conditions:
  B1: {title: code, phases: [{steps: 6, mixture: {code: 1.0}}]}
  B3: {title: goes on, phases: [{steps: 6, mixture: {math: 1.0}}], continues: B1}
training: {lora: {rank: 4}, compute: float32, heldout: 4}
diagnostics: {every: 6, also: [similarity, update_entropy]}
arms: [{models: [tiny-llama], conditions: [B1, B3], seeds: [0, 1]}]
"""


@pytest.mark.parametrize("name", experiment_names())
def test_every_manifests_base_runs_are_the_base_models_of_its_runs(name: str) -> None:
    """By the rule that lends step 0: no more of them, and no fewer."""
    runs = expand(load_experiment(name), local_environment())
    bases = base_runs(runs)
    wanted = {(base_of_run(run), run.probe_hash) for run in runs if run.parent is None}
    assert {(base_of_run(run), run.probe_hash) for run in bases} == wanted
    assert len({run.id for run in bases}) == len(bases)
    assert not any(run.steps or run.training.heldout or run.domains for run in bases)
    assert len({surroundings(run.environment) for run in (*runs, *bases)}) == 1


def test_one_measurement_serves_the_manifests_that_start_from_it() -> None:
    """Under one name, whichever of them asked for it."""
    asked = {
        name: {
            run.model.id: run.id
            for run in base_runs(expand(load_experiment(name), local_environment()))
        }
        for name in ("base_geometry", "scale_ladder", "cross_architecture", "companions")
    }
    own = {
        run.model.id: run.id
        for run in expand(load_experiment("base_geometry"), local_environment())
    }
    assert asked.pop("base_geometry") == own
    for found in asked.values():
        assert found.items() <= own.items()


@pytest.fixture
def claims(claims_of: Callable[..., list[Claim]]) -> list[Claim]:
    cell = {"measured_by": "trained", "model": "tiny-llama", "condition": None, "step": 0}
    made = claims_of(
        {**cell, "printed": "0.90"},
        {**cell, "printed": "0.20"},
        {**cell, "printed": "0.90", "condition": "B1", "step": 6},
    )
    return [claim.model_copy(update={"evidence": "random"}) for claim in made]


def judged(
    results: Path, claims: list[Claim], folder: Path, sets: dict[str, float]
) -> list[Verdict]:
    """What `repro run trained --base` and `repro verify` do, with numbers of the test's own."""
    (folder / "trained.yaml").write_text(MANIFEST)
    path = str(folder / "trained.yaml")
    experiment = load_experiment(path)
    (run,) = base_runs(expand(experiment, local_environment()))
    seal = seal_claims(results, claims)
    write_asked(results, run.experiment, [run])
    made = prepare(place_runs([run], results)[0], seal)
    rows = [
        Measurement(
            step=0, quantity=EI, value=value, n=48, layer="post_norm",
            probe_set=None if name == run.probe_set else name,
        )
        for name, value in sets.items()
    ]  # fmt: skip
    made.append(0, rows)
    made.finish("done")
    assert ingest(results).refused == ()
    with connect(results) as connection:
        return list(assess(claims, connection, manifests={"trained": experiment}))


def test_a_base_models_claim_is_judged_and_at_best_consistent(
    tmp_path: Path, claims: list[Claim]
) -> None:
    """The printed value itself, on three probe sets; a value far away; and what was not trained."""
    sets = {"factorial_48": 0.90, "core_60": 0.89, "diverse_60": 0.91}
    near, far, trained = judged(tmp_path / "results", claims, tmp_path, sets)
    assert near.outcome == "consistent", near.reason
    assert far.outcome in ("contradicted", "inconclusive")
    assert trained.outcome == "not_run"


def test_on_one_probe_set_nothing_is_known_of_the_spread(
    tmp_path: Path, claims: list[Claim]
) -> None:
    near, *_ = judged(tmp_path / "results", claims, tmp_path, {"factorial_48": 0.90})
    assert near.outcome == "inconclusive"
    assert "one probe set" in near.reason
