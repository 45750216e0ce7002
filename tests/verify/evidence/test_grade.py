"""Whose runs a verdict rests on, and that only the paper's own judge what it prints."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.audit import findings_by_claim
from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.manifest.load import experiment_names, load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.verify.assess import assess
from repro.verify.evidence.grade import Protocols, grade_run, weakest
from repro.verify.verdict import GRADES, OUTCOMES, Graded

EI = "entanglement_intensity"
AFTER = {"model": "qwen2.5-coder-7b", "condition": "B3", "step": 5000}
MEAN = {"printed": "0.641 ± 0.099", **AFTER}
SEEDS = {"printed": "3", "statistic": "count", **AFTER}
RANK = {"printed": "64", "quantity": "lora_rank", "kind": "protocol"}
ALL = load_claims()
Claims = Callable[..., list[Claim]]


@pytest.fixture(scope="module")
def printed() -> Protocols:
    return Protocols.of(ALL, findings_by_claim(ALL))


def planned(name: str) -> tuple[Run, ...]:
    return expand(load_experiment(name), local_environment())


@pytest.mark.parametrize("name", experiment_names())
def test_a_run_of_a_manifest_as_it_comes_has_the_grade_that_the_manifest_claims(
    name: str, printed: Protocols
) -> None:
    """Own of a full-size manifest: every printed setting that bears on one run is the paper's."""
    experiment = load_experiment(name)
    expected = "random" if name == "smoke" else "twin" if experiment.twin_of else "own"
    for run in planned(name):
        found = grade_run(name, run.model.id, run.condition_id, run.key(), printed)
        assert (found.grade, found.other) == (expected, ())


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("training", "lora", "rank"), 16, "lora_rank 16.0, printed 64"),
        (("training", "lora", "targets"), ["q_proj"], "targets q_proj, printed all linear"),
        (("training", "optimizer", "learning_rate"), 1e-3, "learning_rate 0.001"),
        (("training", "optimizer", "warmup"), 0.0, "warmup 0.0, printed 3%"),
        (("training", "accumulation"), 4, "accumulation 4.0, printed 16"),
        (("training", "quantisation", "format"), "none", "quantisation_format none"),
        (("training", "max_length"), 64, "max_length 64.0, printed 2048"),
        (("condition", "phases", 0, "steps"), 40, "steps 40.0, printed 5000"),
        (
            ("condition", "phases", 0, "mixture"),
            {"code": 0.5, "natural_language": 0.5},
            "data_share 50.0, printed 70%",
        ),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_run_under_another_printed_setting_says_which(
    path: tuple[str | int, ...], value: object, words: str, printed: Protocols
) -> None:
    key = changed(planned("scale_ladder")[0].key(), path, value)
    found = grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", key, printed)
    assert found.grade == "other_settings"
    assert any(line.startswith(words) for line in found.other), found.other


@pytest.mark.parametrize("field", ["weight_decay", "beta2"])
def test_what_the_paper_does_not_print_lowers_no_grade(field: str, printed: Protocols) -> None:
    key = changed(planned("scale_ladder")[0].key(), ("training", "optimizer", field), 0.5)
    assert grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", key, printed).grade == "own"


def test_unpublished_probe_texts_lower_no_grade(printed: Protocols) -> None:
    key = {**planned("scale_ladder")[0].key(), "probe_set": "core_60", "probe_hash": "0" * 64}
    assert grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", key, printed).grade == "own"


def test_the_usual_protocol_binds_manifests_it_was_not_printed_for_but_not_another_adapter(
    printed: Protocols,
) -> None:
    run = next(run for run in planned("companions") if run.condition_id == "B6")
    key = changed(run.key(), ("training", "lora", "dropout"), 0.5)
    found = grade_run("companions", run.model.id, "B6", key, printed)
    assert found.other == ("lora_dropout 0.5, printed 0.05",)
    light = planned("light_intervention")[-1]
    assert light.key()["training"]["lora"]["alpha"] != 128, "the light adapter's α is not printed"
    assert (
        grade_run(
            "light_intervention", light.model.id, light.condition_id, light.key(), printed
        ).grade
        == "own"
    )


def test_other_weights_under_the_papers_name_are_not_the_papers(printed: Protocols) -> None:
    key = planned("scale_ladder")[0].described()
    other = changed(key, ("model", "weights", "repository"), "someone/else")
    assert (
        "other weights"
        in grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", other, printed).other[0]
    )
    renamed = changed(key, ("model", "id"), "smollm2-135m")
    assert (
        "smollm2-135m"
        in grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", renamed, printed).other[0]
    )
    drawn = changed(key, ("model", "weights"), {"kind": "random"})
    assert grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", drawn, printed).grade == "random"
    assert (
        grade_run("scale_ladder", "qwen2.5-coder-7b", "B3", None, printed).grade == "other_settings"
    )


def test_a_value_has_the_weakest_grade_of_what_it_rests_on() -> None:
    own, twin = Graded(grade="own"), Graded(grade="twin")
    others = [Graded(grade="other_settings", other=(words,)) for words in ("a", "b")]
    assert weakest([own, *others]) == Graded(grade="other_settings", other=("a", "b"))
    assert weakest([own, twin, *others]) == twin
    assert weakest([]) is None
    assert (
        GRADES.index("own")
        > GRADES.index("other_settings")
        > GRADES.index("twin")
        > GRADES.index("random")
    )


def test_evidence_of_other_settings_decides_nothing_and_says_what_it_would_have(
    store: Any, claims_of: Claims
) -> None:
    claims = claims_of(MEAN, SEEDS, RANK)
    sealed = {claim.id: claim.digest for claim in claims}
    lighter = planned("scale_ladder")[0].key()["training"]
    key = {"training": {**lighter, "lora": {**lighter["lora"], "rank": 16}}}
    for seed, value in enumerate([3.0, 3.01, 2.99]):
        store.run("qwen2.5-coder-7b", seed=seed, values={(EI, 5000): value}, claims=sealed, key=key)
    verdict = assess(claims, store.connection)[0]
    assert (verdict.outcome, verdict.grade, verdict.estimate) == (
        "inconclusive",
        "other_settings",
        pytest.approx(3.0),
    )
    assert "lora_rank 16.0, printed 64" in verdict.reason
    assert "contradicted" in verdict.reason


def test_the_same_evidence_under_the_papers_settings_decides(store: Any, claims_of: Claims) -> None:
    claims = claims_of(MEAN, SEEDS, RANK)
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, value in enumerate([3.0, 3.01, 2.99]):
        store.run("qwen2.5-coder-7b", seed=seed, values={(EI, 5000): value}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert (verdict.outcome, verdict.grade) == ("contradicted", "own")


def test_runs_of_the_best_grade_count_alone_and_the_others_are_named(
    store: Any, claims_of: Claims
) -> None:
    claims = claims_of(MEAN, SEEDS, RANK)
    sealed = {claim.id: claim.digest for claim in claims}
    lighter = planned("scale_ladder")[0].key()["training"]
    key = {"training": {**lighter, "lora": {**lighter["lora"], "rank": 16}}}
    store.run("qwen2.5-coder-7b", seed=0, values={(EI, 5000): 0.64}, claims=sealed)
    store.run("qwen2.5-coder-7b", seed=1, values={(EI, 5000): 9.0}, claims=sealed, key=key)
    verdict = assess(claims, store.connection)[0]
    assert (verdict.estimate, verdict.n, verdict.grade) == (0.64, 1, "own")
    assert verdict.artefacts["health"]["left_out"] == ["1 runs set up otherwise"]


def test_a_twin_judges_its_own_claims_and_no_paper(store: Any) -> None:
    """The same runs, the same numbers: bound to a paper they would decide nothing."""
    own = [
        claim
        for claim in ALL
        if claim.id.startswith("laptop/learning/") and claim.measured_by == "laptop"
    ]
    papers = [claim.model_copy(update={"evidence": "own"}) for claim in own]
    runs = {run.condition_id: run for run in planned("laptop") if run.seed in (0, None)}
    for claims, expected in ((own, "reproduced"), (papers, "inconclusive")):
        sealed = {claim.id: claim.digest for claim in claims}
        store.connection.execute("DELETE FROM runs; DELETE FROM measurements")
        for condition, run in runs.items():
            for seed in (0, 1, 2):
                values = {("heldout_loss", step, domain): 9.0 - step / 10 - seed / 1000 - (domain in condition)
                          for step in (0, 40) for domain in ("code", "math", "natural_language")}  # fmt: skip
                store.run(
                    "smollm2-135m",
                    condition,
                    seed,
                    experiment="laptop",
                    values=values,
                    claims=sealed,
                    key=run.key(),
                )
        found = {verdict.id: verdict for verdict in assess(claims, store.connection)}
        falls = found["laptop/learning/falls"]
        assert (falls.outcome, falls.grade) == (expected, "twin"), falls.reason


def test_words_of_measurements_are_said_of_nothing_else() -> None:
    """Of all claims, with and without the structures, nothing unmeasured is called reproduced."""
    for verdict in assess(ALL, None, everything=ALL):
        assert verdict.outcome in OUTCOMES[verdict.basis]
        assert verdict.outcome in ("not_run", "unverifiable") or verdict.basis != "measured"
        assert verdict.grade is None


def changed(key: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A key with one field changed."""
    import copy

    found = copy.deepcopy(key)
    inner: Any = found
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return found
