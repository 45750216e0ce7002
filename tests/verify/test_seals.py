"""Tolerances are fixed before the evidence."""

import json
from hashlib import sha256

import pytest

from repro.errors import EvidenceError
from repro.evidence.asked import write_asked
from repro.evidence.measurement import Measurement
from repro.evidence.seals import seal_claims
from repro.execute.folders import place_runs, prepare
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.shipped import ROOT
from repro.store.database import connect
from repro.store.ingest import ingest
from repro.verify.assess import assess

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
CLAIM = {"printed": "0.641 ± 0.099", **AFTER}
SEEDS = {"printed": "3", "statistic": "count", **AFTER}


def test_a_tolerance_changed_after_the_evidence_is_refused_by_name(store, claims_of) -> None:
    wider = {"rule": "prediction_interval", "parameters": {"margin": 9.0}, "reason": "wider"}
    before, after = claims_of(CLAIM, SEEDS), claims_of({**CLAIM, "tolerance": wider}, SEEDS)
    store.run(values={(EI, 5000): 0.9}, claims={claim.id: claim.digest for claim in before})
    assert assess(before, store.connection)[0].outcome != "not_run", "unchanged claims are judged"
    with pytest.raises(EvidenceError, match=r"changed after their evidence was planned: paper/c0"):
        assess(after, store.connection)


def test_a_changed_print_is_refused_as_well(store, claims_of) -> None:
    before, after = claims_of(CLAIM, SEEDS), claims_of({**CLAIM, "printed": "0.900 ± 0.099"}, SEEDS)
    store.run(values={(EI, 5000): 0.9}, claims={claim.id: claim.digest for claim in before})
    with pytest.raises(EvidenceError, match="restore them, or run the manifest again"):
        assess(after, store.connection)


def test_a_reason_may_be_reworded(store, claims_of) -> None:
    claims = claims_of(CLAIM, SEEDS)
    store.run(values={(EI, 5000): 0.64}, claims={claim.id: claim.digest for claim in claims})
    reworded = [
        claim.model_copy(
            update={"tolerance": claim.tolerance.model_copy(update={"reason": "said otherwise"})}
        )
        for claim in claims
    ]
    assert [v.outcome for v in assess(reworded, store.connection)] == [
        v.outcome for v in assess(claims, store.connection)
    ]


@pytest.mark.parametrize("value", [0.64, 3.0])
def test_a_claim_stated_after_the_evidence_is_at_best_inconclusive(
    store, claims_of, value: float
) -> None:
    claims = claims_of(
        {**CLAIM, "printed": "0.641 ± 0.009"}, SEEDS, {"printed": "0.945", "model": "m", "step": 0}
    )
    for seed in range(4):
        store.run(seed=seed, values={(EI, 5000): value}, claims={})
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert verdict.reason.startswith("stated after the evidence")


def test_a_level_that_no_rule_honours_is_refused(store, claims_of) -> None:
    from repro.errors import ManifestError

    loose = {
        **CLAIM,
        "tolerance": {
            "rule": "prediction_interval",
            "parameters": {"level": 0.5},
            "reason": "loose",
        },
    }
    claims = claims_of(loose, SEEDS)
    store.run(values={(EI, 5000): 0.64}, claims={claim.id: claim.digest for claim in claims})
    with pytest.raises(
        ManifestError, match=r"tolerance.parameters.level: found 0.5, expected 0.05"
    ):
        assess(claims, store.connection)


def of_five_seeds():
    """Runs of the smoke manifest under B1, with more seeds than it has: two decide nothing."""
    manifest = load_experiment("smoke")
    arm = manifest.arms[0].model_copy(
        update={"models": ("tiny-qwen2",), "conditions": ("B1",), "seeds": tuple(range(5))}
    )
    return list(expand(manifest.model_copy(update={"arms": (arm,)}), local_environment()))


@pytest.fixture
def smoke(tmp_path):
    """Carry out the smoke manifest's B1 runs under the newest seal, with known numbers; the results
    folder.
    """

    def made(seal):
        runs = of_five_seeds()
        write_asked(tmp_path, "smoke", runs)
        for one in place_runs(runs, tmp_path):
            folder = prepare(one, seal)
            for step, value in ((0, 0.9), (6, 0.5 + 0.001 * one.run.seed)):
                folder.append(
                    step,
                    [Measurement(step=step, quantity=EI, value=value, n=48, layer="post_norm")],
                )
            folder.finish("done")
        return tmp_path

    return made


def judged(results, claims):
    """The verdict of the first claim by a store that is made anew."""
    assert ingest(results).refused == ()
    with connect(results) as connection:
        return assess(claims, connection)[0]


@pytest.fixture
def measured(claims_of):
    """A claim that smoke's evidence may judge; `fields` change it."""

    def made(**fields):
        cell = {
            "printed": "0.500 ± 0.009",
            "measured_by": "smoke",
            "model": "tiny-qwen2",
            "condition": "B1",
            "step": 6,
        }
        count = {
            "printed": "5",
            "statistic": "count",
            **{key: cell[key] for key in ("measured_by", *AFTER)},
            "step": 6,
        }
        base = {**count, "printed": "0.900", "statistic": "mean", "step": 0}
        made = claims_of(
            {**cell, **fields},
            {**count, **fields, "printed": "5"},
            {**base, "measured_by": fields.get("measured_by", "smoke")},
        )
        return [claim.model_copy(update={"evidence": "random"}) for claim in made]

    return made


@pytest.mark.worker
def test_a_tolerance_that_is_sealed_again_after_the_evidence_caps_the_verdict(
    smoke, measured, tmp_path
) -> None:
    """Widened: refused; sealed again: at best inconclusive, and both times are told; put back:
    judged as before.
    """
    wider = {"rule": "prediction_interval", "parameters": {"margin": 9.0}, "reason": "wider"}
    before, after = measured(), measured(tolerance=wider)
    results = smoke(seal_claims(tmp_path, before))
    first = judged(results, before)
    assert first.outcome in ("reproduced", "consistent", "contradicted")
    with pytest.raises(EvidenceError, match="claims changed after their evidence was planned"):
        judged(results, after)
    seal_claims(results, after)
    verdict = judged(results, after)
    assert verdict.outcome == "inconclusive"
    assert "the claim was sealed 20" in verdict.reason
    assert (first.artefacts["sealed"]["first"], verdict.artefacts["sealed"]["first"]) == (
        "claim",
        "evidence",
    )
    seal_claims(results, before)
    assert judged(results, before).outcome == first.outcome


def test_a_claim_of_another_manifest_that_was_sealed_before_a_shared_run_is_judged_by_it(
    smoke, measured, tmp_path
) -> None:
    """Every manifest's claims are sealed at once; one that is stated after the run says so."""
    early, late = (
        measured(measured_by="later"),
        measured(measured_by="later", printed="0.400 ± 0.009"),
    )
    results = smoke(seal_claims(tmp_path, early))
    write_asked(results, "later", of_five_seeds())
    assert judged(results, early).outcome in ("reproduced", "consistent", "contradicted")
    seal_claims(
        results, [*early, *(claim.model_copy(update={"id": "paper/new"}) for claim in late)]
    )
    verdict = judged(results, [claim.model_copy(update={"id": "paper/new"}) for claim in late])
    assert verdict.outcome == "inconclusive"
    assert "stated after the evidence it would be judged by" in verdict.reason


def test_a_run_whose_seal_is_gone_or_was_edited_judges_nothing(smoke, measured, tmp_path) -> None:
    """The seal's time cannot be put back, nor a claim into it: then no claim is known to be older
    than the run.
    """
    claims = measured()
    results = smoke(seal_claims(tmp_path, claims))
    (path,) = (results / "seals").iterdir()
    path.write_text(path.read_text().replace("T", "t", 1))
    verdict = judged(results, claims)
    assert verdict.outcome == "inconclusive"
    assert verdict.reason.startswith("stated after the evidence")


def rewrite(results, change) -> None:
    """Change every run.json, and renew its digest in the marker, as somebody does who may write
    there.
    """
    for path in (results / "runs").glob("*/*/run.json"):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        marker = json.loads(path.with_name("done.json").read_text())
        marker["files"]["run.json"] = sha256(path.read_bytes()).hexdigest()
        path.with_name("done.json").write_text(json.dumps(marker))


def test_claims_that_are_written_into_runs_are_no_seal(smoke, measured, tmp_path) -> None:
    """The seal lies outside of the run: one that says something of claims is no run of ours, and is
    left out by name.
    """
    wider = measured(
        tolerance={"rule": "prediction_interval", "parameters": {"margin": 9.0}, "reason": "wider"}
    )
    results = smoke(seal_claims(tmp_path, measured()))
    rewrite(results, lambda run: run.update(claims={claim.id: claim.digest for claim in wider}))
    refused = ingest(results).refused
    assert len(refused) == 5
    assert all("run.json: field claims" in line for line in refused)


def test_whoever_rewrites_a_run_and_its_marker_names_another_seal_and_docs_say_so(
    smoke, measured, tmp_path
) -> None:
    """What no seal can tell without signatures; the control is the same seal, made at the same
    time, left alone.
    """
    wider = measured(
        tolerance={"rule": "prediction_interval", "parameters": {"margin": 9.0}, "reason": "wider"}
    )
    results = smoke(seal_claims(tmp_path, measured()))
    later = seal_claims(results, wider)
    assert judged(results, wider).outcome == "inconclusive"
    rewrite(results, lambda run: run.update(seal=later))
    assert judged(results, wider).outcome != "inconclusive"
    page = " ".join((ROOT / "docs" / "evidence.md").read_text().split())
    assert "`run.json` rewritten with its marker" in page
