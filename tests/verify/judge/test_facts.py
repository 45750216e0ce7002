"""What holds or does not, without statistics: settings, architectures, definitions, and what nobody
can verify.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.claims.claim import Claim
from repro.machine.structures import Wanted, structures
from repro.verify.assess import assess
from repro.verify.facts.structure import structural_pairs

Claims = Callable[..., list[Claim]]
Outcome = Callable[..., str]


@pytest.mark.parametrize(
    ("printed", "quantity", "expected"),
    [("64", "lora_rank", "as_printed"), ("32", "lora_rank", "differs"), ("3%", "warmup", "as_printed"),
     ("1×10^{-4}", "learning_rate", "as_printed"), ("5000", "steps", "as_printed"), ("3", "temperature", "not_set")],
)  # fmt: skip
def test_a_setting_is_compared_with_the_manifest_and_no_run_changes_that(
    outcome: Outcome, store: Any, claims_of: Claims, printed: str, quantity: str, expected: str
) -> None:
    (claim,) = claims_of({"printed": printed, "quantity": quantity, "kind": "protocol"})
    assert outcome(assess([claim], None)) == expected
    store.run(values={("loss", 1): 1.0}, claims={claim.id: claim.digest})
    verdict = assess([claim], store.connection)[0]
    assert (verdict.outcome, verdict.basis, verdict.grade) == (expected, "setting", None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"printed": "896", "quantity": "lora_matrices", "kind": "structural"}, "holds"),
     ({"printed": "895", "quantity": "lora_matrices", "kind": "structural"}, "fails"),
     ({"printed": "32.5B", "quantity": "parameters", "kind": "vendor_label"}, "holds"),
     ({"printed": "34B", "quantity": "parameters", "kind": "vendor_label"}, "fails"),
     ({"printed": "grouped-query", "quantity": "grouped_query_attention", "value": "yes", "kind": "structural"}, "holds"),
     ({"printed": "sliding-window attention", "quantity": "sliding_window", "value": "yes", "kind": "structural"}, "fails")],
)  # fmt: skip
def test_a_structural_number_is_compared_with_the_real_architecture(
    outcome: Outcome, claims_of: Claims, cache: Path, fields: dict[str, Any], expected: str
) -> None:
    """Without a record of it nothing is known."""
    claims = claims_of({**fields, "model": "qwen2.5-coder-32b"})
    pairs = structural_pairs(claims, lambda _: None)
    assert ("scale_ladder", "qwen2.5-coder-32b") in pairs
    records = structures([Wanted(*pair) for pair in pairs.values()], cache, print)
    assert outcome(assess(claims, None, built=dict(zip(pairs, records, strict=True)))) == expected
    assert outcome(assess(claims, None)) == "unverifiable"


def test_what_follows_from_the_definition_is_shown(claims_of: Claims) -> None:
    formula = {
        "printed": "48",
        "statistic": "formula",
        "formula": "3 * 4 * 4",
        "quantity": "probes",
        "kind": "by_construction",
    }
    bare = {"printed": "0.0", "kind": "by_construction"}
    noted = {**bare, "note": "no damage across concepts makes the numerator 0"}
    wrong = {**formula, "printed": "49"}
    verdicts = assess(claims_of(formula, bare, noted, wrong), None)
    assert [verdict.outcome for verdict in verdicts] == ["holds", "unverifiable", "holds", "fails"]
    assert {verdict.basis for verdict in verdicts} == {"definition"}


def test_what_cannot_be_verified_says_why(claims_of: Claims) -> None:
    claims = claims_of({"printed": "60×", "unverifiable": "about another paper's models"})
    verdict = assess(claims, None)[0]
    assert (verdict.outcome, verdict.reason) == ("unverifiable", "about another paper's models")
