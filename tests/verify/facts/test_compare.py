"""A printed setting is held against what the manifest sets; no run is needed, and none helps."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.claims.claim import Claim
from repro.manifest.adapters import Lora
from repro.manifest.load import load_experiment
from repro.verify.assess import assess
from repro.verify.facts.compare import compare_setting, differing_settings
from repro.verify.facts.settings import settings_of

LADDER = settings_of("scale_ladder")
Claims = Callable[..., list[Claim]]


@pytest.mark.parametrize(
    ("printed", "quantity", "expected"),
    [("64", "lora_rank", "as_printed"), ("32", "lora_rank", "differs"), ("3%", "warmup", "as_printed"),
     ("1×10^{-4}", "learning_rate", "as_printed"), ("5000", "steps", "as_printed"), ("3", "temperature", "not_set")],
)  # fmt: skip
def test_a_setting_is_compared_with_the_manifest_and_no_run_changes_that(
    store: Any, claims_of: Claims, printed: str, quantity: str, expected: str
) -> None:
    (claim,) = claims_of({"printed": printed, "quantity": quantity, "kind": "protocol"})
    assert assess([claim], None)[0].outcome == expected
    store.run(values={("loss", 1): 1.0}, claims={claim.id: claim.digest})
    verdict = assess([claim], store.connection)[0]
    assert (verdict.outcome, verdict.basis, verdict.grade) == (expected, "setting", None)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"printed": "64", "quantity": "lora_rank"}, "scale_ladder sets lora_rank to 64"),
        ({"printed": "1e-4", "quantity": "learning_rate", "value": 0.0001}, "scale_ladder sets learning_rate to 0.0001"),
        ({"printed": "3%", "quantity": "warmup"}, "scale_ladder sets warmup to 3 %"),
        ({"printed": "8", "statistic": "count", "model": "qwen2.5-coder-32b", "quantity": "x"}, "scale_ladder has 8 seeds"),
        ({"printed": "1", "statistic": "count", "over": "probe_set", "quantity": "x"}, "scale_ladder has 1 probe set"),
        ({"printed": "4", "statistic": "count", "over": "class", "concept": "shape", "quantity": "x"}, "scale_ladder has 4 classes"),
        ({"printed": "s", "statistic": "levels", "over": "seed", "model": "qwen2.5-coder-7b", "value": [42], "quantity": "x"},
         "scale_ladder has the seeds 42, 0, 1"),
        ({"printed": "48", "quantity": "probes", "statistic": "formula", "formula": "3 * 4 * 4"},
         "scale_ladder has 48 probes (3 * 4 * 4)"),
    ],
)  # fmt: skip
def test_what_a_manifest_sets_is_put_in_words(
    claims_of: Claims, written: dict[str, object], expected: str
) -> None:
    (claim,) = claims_of({"kind": "protocol", **written})
    found = compare_setting(claim, LADDER)
    assert (found.outcome, found.reason) == ("as_printed", expected)


def test_a_manifest_read_from_a_path_is_the_one_that_is_compared(claims_of: Claims) -> None:
    (claim,) = claims_of({"printed": "64", "kind": "protocol", "quantity": "lora_rank"})
    found = load_experiment("scale_ladder")
    smaller = found.model_copy(
        update={"training": found.training.model_copy(update={"lora": Lora(rank=16)})}
    )
    verdicts = assess([claim], None, manifests={"scale_ladder": smaller})
    assert (verdicts[0].outcome, verdicts[0].reason) == (
        "differs",
        "scale_ladder sets lora_rank to 16",
    )
    assert assess([claim], None)[0].outcome == "as_printed"


def test_what_the_manifest_does_not_set_is_told_and_so_is_what_nobody_can_verify(
    claims_of: Claims,
) -> None:
    absent, unknown = claims_of(
        {"printed": "0.7", "kind": "protocol", "quantity": "temperature"},
        {"printed": "8", "kind": "protocol", "quantity": "gpus", "unverifiable": "their machine"},
    )
    found = compare_setting(absent, LADDER)
    assert (found.outcome, found.value) == ("not_set", None)
    assert found.reason == "the manifest scale_ladder sets no temperature"
    told = compare_setting(unknown, LADDER)
    assert (told.outcome, told.reason) == ("unverifiable", "their machine")


def test_a_setting_that_differs_is_named_once_with_every_place_that_prints_it(
    claims_of: Claims,
) -> None:
    """One that agrees, one that is not set and a measured one are not among them."""
    rank = {"kind": "protocol", "quantity": "lora_rank"}
    claims = claims_of(
        {"printed": "32", **rank},
        {"printed": "64", **rank},
        {"printed": "16", **rank},
        {"printed": "0.7", "kind": "protocol", "quantity": "temperature"},
        {"printed": "0.641", "model": "m", "condition": "B3", "step": 5000},
    )
    assert differing_settings(claims, LADDER) == {
        "scale_ladder sets lora_rank to 64": "'32' in paper Table 1 and '16' in paper Table 1"
    }
    assert differing_settings(claims[1:2], LADDER) == {}
