"""What holds or fails by definition, without a run: architectures, labels, formulas; and what
nobody can verify.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.claims.term import Term
from repro.geometry.undefined import Undefined
from repro.machine.structures import Wanted, structures
from repro.plan.structure import BuiltAdapter, Structure
from repro.verify.assess import assess, prints_by_source
from repro.verify.facts.definition import Defined, settle
from repro.verify.facts.settings import settings_of
from repro.verify.facts.structure import Structures, structural_pairs

Claims = Callable[..., list[Claim]]


def structure_of(parameters: float) -> Structures:
    """What is known of one model of the ladder: its size."""
    built = Structure(
        parameters=round(parameters),
        linear_parameters=1,
        hidden_size=8,
        layers=1,
        heads=2,
        kv_heads=1,
        head_size=4,
        sliding_window=None,
        adapter=BuiltAdapter(modules={}, matrices=0, parameters=0, shapes={}),
    )
    return {("scale_ladder", "qwen2.5-coder-7b"): built}


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
    claims_of: Claims, cache: Path, fields: dict[str, Any], expected: str
) -> None:
    """Without a record of it nothing is known."""
    claims = claims_of({**fields, "model": "qwen2.5-coder-32b"})
    pairs = structural_pairs(claims, lambda _: None)
    assert ("scale_ladder", "qwen2.5-coder-32b") in pairs
    records = structures([Wanted(*pair) for pair in pairs.values()], cache, print)
    built = dict(zip(pairs, records, strict=True))
    assert assess(claims, None, built=built)[0].outcome == expected
    assert assess(claims, None)[0].outcome == "unverifiable"


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


def test_a_benchmark_has_the_problems_counted_in_its_file() -> None:
    known = Defined("scale_ladder", settings_of("scale_ladder"), {})
    assert known.base(
        Term(quantity="problems", selector={"benchmark": "humaneval_plus"})
    ) == Interval(164, 164)
    assert isinstance(
        known.base(Term(quantity="problems", selector={"benchmark": "another"})), Undefined
    )


def test_what_follows_from_other_prints_is_recomputed_from_them(claims_of: Claims) -> None:
    """Two shares that make a whole, and one that does not; nothing of it is measured."""
    share = {"quantity": "data_part", "kind": "protocol", "statistic": "single"}
    whole = {
        "statistic": "sum",
        "over": "dataset",
        "among": ["a", "b"],
        "quantity": "data_part",
        "kind": "by_construction",
    }
    claims = claims_of(
        {"printed": "0.25", "dataset": "a", **share},
        {"printed": "0.75", "dataset": "b", **share},
        {"printed": "1.00", **whole},
        {"printed": "0.90", **whole},
    )
    prints = prints_by_source(claims)
    found = [settle(claim, {}, prints) for claim in claims[2:]]
    assert [one.outcome for one in found] == ["holds", "fails"]
    assert [one.value for one in found] == [1.0, 1.0]
    assert found[1].reason == "data_part is 1"


def test_a_vendors_label_may_be_off_by_the_share_that_its_tolerance_declares(
    claims_of: Claims,
) -> None:
    size = {"quantity": "parameters", "kind": "vendor_label", "model": "qwen2.5-coder-7b"}
    (claim,) = claims_of({"printed": "7.00B", **size})
    allowed = claim.tolerance.parameters["relative"]
    built = structure_of(7_000_000_000 * (1 + allowed * 0.99))
    assert settle(claim, built, {}).outcome == "holds"
    off = settle(claim, structure_of(7_000_000_000 * (1 + allowed * 1.2)), {})
    assert off.outcome == "fails"
    assert f"{allowed:.0%} is allowed" in off.reason
