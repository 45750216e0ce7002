"""What is written in a paper's YAML becomes claims; what cannot be meant is refused with its place
and the fix.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.claims.claim import Claim, Term
from repro.claims.papers import load_paper
from repro.errors import ManifestError


def paper(folder: Path, blocks: str, head: str = "{id: made, title: Made up}") -> tuple[Claim, ...]:
    home = folder / "made"
    home.mkdir(parents=True, exist_ok=True)
    (home / "paper.yaml").write_text(head)
    (home / "claims.yaml").write_text(blocks)
    return load_paper(home).claims


TABLE = """
locator: Table 1
condition: B3
measured_by: smoke
keys: {Model: model, Seed: seed}
columns:
  EI: {quantity: entanglement_intensity, step: 5000}
ignore: {Remark: prose}
table: |
  | Model | Seed | EI    | Remark |
  |-------|------|-------|--------|
  | a     | 0    | 0.641 | fine   |
  | a     | 1    | —     | broken |
"""


def test_a_table_gives_one_claim_per_filled_cell_with_the_keys_of_its_row(tmp_path: Path) -> None:
    (claim,) = paper(tmp_path, TABLE)
    assert claim.selector == {"condition": "B3", "model": "a", "seed": 0, "step": 5000}
    assert (claim.printed, claim.value, claim.low, claim.high, claim.kind) == (
        "0.641",
        0.641,
        0.6405,
        0.6415,
        "single_run",
    )
    assert claim.says == "a | 0 | 0.641 | fine"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ignore: {Remark: prose}", "", "column 'Remark' is in none of keys, columns, ignore"),
        ("EI: {", "EII: {", "column 'EI' is in none"),
        (
            "ignore: {Remark: prose}",
            "ignore: {Remark: prose}\nrows: {b: {seed: 1}}",
            "no row begins with 'b'",
        ),
        (
            "| Model | Seed | EI    | Remark |",
            "| Model | Seed | EI    | EI     |",
            "column 'EI' is there twice",
        ),
        ("step: 5000", "stepp: 5000", "stepp: unknown; nearest is step"),
        ("| 0.641 | fine   |", "| 0.641 |", "cells, expected"),
        ("0.641", "some", "no number can be read"),
        ("locator: Table 1", "", "field locator: missing"),
    ],
)
def test_a_slip_in_a_table_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        paper(tmp_path, TABLE.replace(old, new))


def statement(tmp_path: Path, claim: str, **shared: Any) -> tuple[Claim, ...]:
    given = "".join(f"\n{key}: {value}" for key, value in shared.items())
    says = json.dumps(
        "; ".join(each["printed"] for each in yaml.safe_load(f"[{claim}]")), ensure_ascii=False
    )
    block = (
        f"locator: Abstract\nmeasured_by: smoke{given}\nstatements:\n  - says: {says}\n    "
        f"claims: [{claim}]"
    )
    return paper(tmp_path, block)


def test_against_repeats_the_operand_but_for_what_it_names(tmp_path: Path) -> None:
    text = '{printed: "32%", statistic: relative_change, sign: -1, of: mean, against: {step: 0}}'
    (claim,) = statement(tmp_path, text, quantity="entanglement_intensity", model="a", step=5000)
    assert (claim.value, claim.low, claim.high) == (-32, -32.5, -31.5)
    mean = {"statistic": "mean", "over": "seed", "quantity": "entanglement_intensity"}
    assert claim.term.of == Term.model_validate({**mean, "selector": {"model": "a", "step": 5000}})
    assert claim.term.against == Term.model_validate(
        {**mean, "selector": {"model": "a", "step": 0}}
    )


def test_a_mean_with_its_spread_is_two_claims_and_a_range_is_two_extremes(tmp_path: Path) -> None:
    claims = statement(
        tmp_path, '{printed: "0.6 ± 0.1"}, {printed: "0.5–0.7"}', quantity="v_purity"
    )
    assert [claim.statistic for claim in claims] == ["mean", "sd", "min", "max"]
    assert [claim.kind for claim in claims] == ["seed_mean", "spread", "seed_mean", "seed_mean"]


AVERAGES = """
locator: Table 1
quantity: bleu
condition: B3
unverifiable: nobody
keys: {Model: model}
columns:
  Plain: {probe_set: plain}
  Other: {probe_set: other}
  Change: {statistic: difference, of: {probe_set: other}, against: {probe_set: plain}}
rows: {Average: {statistic: mean, over: model}}
table: |
  | Model   | Plain | Other | Change |
  |---------|-------|-------|--------|
  | a       | 2.0   | 3.0   | 1.0    |
  | b       | 4.0   | 7.0   | 3.0    |
  | Average | 3.0   | 5.0   | 2.0    |
"""
DIFFERENCE = """
cells:
  Average:
    Change: {statistic: difference, over: null, model: null,
      of: {statistic: mean, over: model, probe_set: other}, against: {probe_set: plain}}
"""


def test_an_average_of_a_column_of_differences_is_asked_what_it_is(tmp_path: Path) -> None:
    """Its row says mean and its column says difference: taken together they would be another number."""
    with pytest.raises(ManifestError, match=r"Average Change: field against: .*say under `cells`"):
        paper(tmp_path, AVERAGES)
    change = paper(tmp_path, AVERAGES + DIFFERENCE)[-1]
    assert (change.printed, change.statistic) == ("2.0", "difference")
    assert [side.statistic for side in change.term.operands] == ["mean", "mean"]
    assert [side.over for side in change.term.operands] == ["model", "model"]


def test_a_field_given_as_null_is_not_inherited(tmp_path: Path) -> None:
    kept, dropped = statement(
        tmp_path, '{printed: "1"}, {printed: "2", model: null}', quantity="rank", model="a"
    )
    assert kept.selector == {"model": "a"}
    assert dropped.selector == {}


def test_unverifiable_takes_the_place_of_the_manifest(tmp_path: Path) -> None:
    (claim,) = statement(
        tmp_path,
        '{printed: "3", measured_by: null, unverifiable: a count of words}',
        quantity="words",
    )
    assert (claim.measured_by, claim.unverifiable) == (None, "a count of words")


def test_an_axis_of_its_own_is_declared_by_the_paper(tmp_path: Path) -> None:
    block = (
        'locator: "§1"\nunverifiable: made up\nstatements: [{says: "1", claims: [{printed: "1", '
        "quantity: heat, cup: 1}]}]"
    )
    with pytest.raises(ManifestError, match="declare a new axis"):
        paper(tmp_path, block)
    (tmp_path / "made" / "paper.yaml").write_text("{id: made, title: Made up, axes: [cup]}")
    assert load_paper(tmp_path / "made").claims[0].selector == {"cup": 1}


def test_aliases_name_levels_in_operands_and_among_too(tmp_path: Path) -> None:
    head = "{id: made, title: T, aliases: {model: {7B: big, 1B: small}}}"
    text = (
        "{says: lowest above, claims: [{printed: lowest, statistic: lowest, over: model, "
        "which: 1B, among: [1B, 7B]}, "
    )
    text += "{printed: above, statistic: above, of: {model: 7B}, against: {model: 1B}}]}"
    first, second = paper(
        tmp_path, f"locator: '§1'\nmeasured_by: smoke\nquantity: q\nstatements: [{text}]", head
    )
    assert (first.term.which, first.term.among) == ("small", ("small", "big"))
    assert second.term.of is not None
    assert second.term.of.selector == {"model": "big"}


def test_a_direction_is_a_cell_and_a_trend_is_an_order(tmp_path: Path) -> None:
    (claim,) = statement(tmp_path, '{printed: "0.01", direction: 0}', quantity="singular_value")
    assert claim.selector == {"direction": 0}
    (tmp_path / "second").mkdir()
    with pytest.raises(ManifestError, match="a trend is `order`"):
        statement(
            tmp_path / "second",
            "{printed: falls, statistic: monotone, direction: decreasing, over: step}",
            quantity="loss",
        )


def test_at_step_0_there_is_one_base_model_whatever_the_condition() -> None:
    at = {
        step: [
            Term(quantity="q", selector={"condition": c, "step": step}).key for c in ("B2", "B3")
        ]
        for step in (0, 500)
    }
    assert at[0][0] == at[0][1]
    assert at[500][0] != at[500][1]
