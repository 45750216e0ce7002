"""The base model of a manifest that has not run it: step 0 of another's runs, and of none that
measured something else.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.evidence.asked import write_asked
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.evidence.seals import seal_claims
from repro.execute.folders import place_run, prepare
from repro.manifest.experiment import Experiment
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.store.database import connect
from repro.store.ingest import ingest
from repro.verify.assess import assess
from repro.verify.evidence.lending import planned_bases
from repro.verify.verdict import Verdict

EI = "entanglement_intensity"
MANIFEST = """
id: {name}
title: one manifest
image: local
probe_set: {probes}
domains: {{code: [standard_library], math: [grade_school]}}
conditions:
  B0: {{title: untrained}}
  B1: {{title: code, phases: [{{steps: 6, mixture: {{code: 1.0}}}}]}}
  B2: {{title: both, phases: [{{steps: 6, mixture: {{code: 0.5, math: 0.5}}}}], continues: B1}}
training: {{quantisation: {quantisation}, lora: {{rank: {rank}}}, compute: {compute}}}
diagnostics: {{every: 6, layer: {layer}}}
threads: {threads}
arms: [{{models: [{model}], conditions: {conditions}, seeds: [0, 1]}}]
"""
USUAL = {
    "model": "tiny-llama", "probes": "factorial_48", "quantisation": "{format: nf4}", "rank": 4, "compute": "float32",
    "layer": "post_norm", "threads": 1, "conditions": "[B1]",
}  # fmt: skip
Manifest = Callable[..., Experiment]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A manifest by its name, with some fields changed."""

    def made(name: str, **fields: object) -> Experiment:
        path = tmp_path / f"{name}.yaml"
        path.write_text(MANIFEST.format(name=name, **(USUAL | fields)))
        return load_experiment(str(path))

    return made


def carry_out(runs: Sequence[Run], results: Path, seal: str | None, start: float = 0.9) -> None:
    """Finish runs with numbers of step 0 that do not depend on the seed, as nothing is trained yet."""
    for run in runs:
        folder = prepare(place_run(run, results), seal)
        for step in run.measured_steps():
            row = Measurement(
                step=step,
                quantity=EI,
                value=start if step == 0 else 0.1 + (run.seed or 0),
                n=48,
                layer="post_norm",
            )
            folder.append(step, [row])
        folder.finish("done")


def runs_of(experiment: Experiment, *conditions: str) -> list[Run]:
    return [
        run
        for run in expand(experiment, local_environment())
        if run.condition_id in (conditions or ("B1",))
    ]


@pytest.fixture
def claims(claims_of: Callable[..., list[Claim]]) -> list[Claim]:
    """What is printed of the manifest "asking": its base model twice, and what becomes of it."""
    cell = {"measured_by": "asking", "model": "tiny-llama"}
    base = {**cell, "printed": "0.900", "tolerance": {"rule": "exact", "reason": "r"}}
    made = claims_of(
        {**base, "condition": "B0"},
        {**base, "condition": "B1", "step": 0},
        {**cell, "printed": "0.600", "condition": "B1", "step": 6},
        {**cell, "printed": "0.900", "condition": "B2", "step": 0},
    )
    return [claim.model_copy(update={"evidence": "random"}) for claim in made]


def judged(results: Path, asking: Experiment, claims: Sequence[Claim]) -> list[Verdict]:
    assert ingest(results).refused == ()
    with connect(results) as connection:
        return assess(claims, connection, manifests={asking.id: asking})


def test_step_0_of_another_manifests_run_is_the_base_model_and_nothing_later_is(
    tmp_path: Path, manifest: Manifest, claims: list[Claim]
) -> None:
    """Of a condition that goes on from another, step 0 is no base model: it stays not run."""
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]", rank=16)
    carry_out(runs_of(manifest("lending")), results, seal_claims(tmp_path / "results", claims))
    found = judged(results, asking, claims)
    assert [verdict.outcome == "not_run" for verdict in found] == [False, False, True, True]
    assert [verdict.estimate for verdict in found[:2]] == [0.9, 0.9]
    assert found[0].artefacts["step_0_of_runs"]
    assert found[0].grade == "random"
    assert found[0].artefacts["sealed"]["first"] == "claim"


@pytest.mark.worker
@pytest.mark.parametrize(
    "fields",
    [{"model": "tiny-qwen2"}, {"probes": "core_60"}, {"quantisation": "{format: none, double: false}"},
     {"compute": "bfloat16"}, {"layer": "pre_norm"}, {"threads": 2}],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_a_run_that_measured_anything_else_lends_nothing(
    tmp_path: Path, manifest: Manifest, claims: list[Claim], fields: dict[str, object]
) -> None:
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]")
    carry_out(runs_of(manifest("lending", **fields)), results, seal_claims(results, claims))
    assert {verdict.outcome for verdict in judged(results, asking, claims)} == {"not_run"}


def test_a_run_that_goes_on_from_another_lends_nothing(
    tmp_path: Path, manifest: Manifest, claims: list[Claim]
) -> None:
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]")
    lending = manifest("lending", conditions="[B1, B2]")
    carry_out(runs_of(lending, "B1"), results, seal_claims(results, claims))
    for path in (results / "runs" / "lending").iterdir():
        (path / "adapter").mkdir()
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            (path / "adapter" / name).write_text(name)
        RunFolder(path).finish("done")
    carry_out(runs_of(lending, "B2"), results, seal_claims(results, claims))
    # those that did begin with the base model are not here
    for path in (results / "runs" / "lending").glob("*-B1-*"):
        path.rename(tmp_path / path.name)
    assert {verdict.outcome for verdict in judged(results, asking, claims)} == {"not_run"}


def test_where_only_the_very_sources_count_only_their_runs_lend(
    tmp_path: Path, manifest: Manifest, claims: list[Claim]
) -> None:
    """These runs say nothing of their sources; the control is the first test."""
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]")
    carry_out(runs_of(manifest("lending")), results, seal_claims(results, claims))
    assert ingest(results).refused == ()
    with connect(results) as connection:
        found = assess(claims, connection, manifests={asking.id: asking}, code="c" * 64)
    assert {verdict.outcome for verdict in found} == {"not_run"}


def test_a_manifest_that_only_goes_on_from_a_condition_plans_the_base_model_of_that_one(
    manifest: Manifest,
) -> None:
    (planned,) = planned_bases("asking", {"asking": manifest("asking", conditions="[B2]")})
    assert planned.condition == "B1"
    assert [one.condition for one in planned_bases("reversibility_laptop")] == ["B3"]


def test_its_own_measurement_comes_first(
    tmp_path: Path, manifest: Manifest, claims: list[Claim]
) -> None:
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]")
    seal = seal_claims(results, claims)
    carry_out(runs_of(manifest("lending")), results, seal)
    own = runs_of(asking, "B0")
    write_asked(results, "asking", own)
    carry_out(own, results, seal, start=0.7)
    found = judged(results, asking, claims)
    assert [verdict.estimate for verdict in found[:2]] == [0.7, 0.7]
    assert "step_0_of_runs" not in found[0].artefacts


def test_lenders_that_disagree_lend_nothing(
    tmp_path: Path, manifest: Manifest, claims: list[Claim]
) -> None:
    """One name for two numbers means that one of them is not what it says."""
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]")
    first, second = runs_of(manifest("lending"))
    seal = seal_claims(results, claims)
    carry_out([first], results, seal)
    carry_out([second], results, seal, start=0.9 + 2**-50)
    assert {verdict.outcome for verdict in judged(results, asking, claims)} == {"not_run"}


def test_a_claim_that_was_sealed_after_the_lender_began_is_at_best_inconclusive(
    tmp_path: Path, manifest: Manifest, claims: list[Claim]
) -> None:
    """The seal that counts is the lender's own, whoever asks."""
    results, asking = tmp_path / "results", manifest("asking", conditions="[B0, B1, B2]")
    carry_out(runs_of(manifest("lending")), results, seal_claims(results, claims[2:]))
    seal_claims(results, claims)
    found = judged(results, asking, claims)[0]
    assert found.outcome == "inconclusive"
    assert "stated after the evidence it would be judged by" in found.reason
    assert found.artefacts["sealed"]["first"] == "evidence"
