"""Which claim each number of a cell makes: by its words, by what is declared, by `parts`."""

from typing import Any

import pytest

from repro.claims.parts import claim_parts, inherit, is_selector, rename_levels
from repro.errors import ManifestError


def statistics(printed: str, **fields: Any) -> list[tuple[str, float]]:
    """Return the statistic and the value of each claim of a cell."""
    given = {"printed": printed, "quantity": "score", "measured_by": "smoke", **fields}
    return [
        (own.get("statistic", "single"), part.value) for own, part in claim_parts(given, "here")
    ]


@pytest.mark.parametrize(
    ("printed", "fields", "expected"),
    [
        ("0.6", {}, [("single", 0.6)]),
        ("0.6", {"over": "seed"}, [("mean", 0.6)]),
        ("0.6", {"over": "seed", "seed": 1}, [("single", 0.6)]),
        ("0.6 ± 0.1", {}, [("mean", 0.6), ("sd", 0.1)]),
        ("0.6 ± 0.1", {"spread": "se"}, [("mean", 0.6), ("se", 0.1)]),
        ("0.6 ± 0.1", {"spread": "range"}, [("mean", 0.6), ("half_range", 0.1)]),
        ("0.6 ± 0.1", {"spread": {"kind": "iqr"}}, [("median", 0.6), ("iqr", 0.1)]),
        ("0.6 (SD 0.1)", {"spread": "se"}, [("mean", 0.6), ("sd", 0.1)]),
        ("0.5–0.7", {}, [("min", 0.5), ("max", 0.7)]),
        ("0.5–0.7", {"spread": "ci"}, [("ci_low", 0.5), ("ci_high", 0.7)]),
        (
            "0.6 (0.5–0.7)",
            {},
            [("single", 0.6), ("in_brackets_low", 0.5), ("in_brackets_high", 0.7)],
        ),
    ],
)
def test_a_number_has_the_statistic_that_its_cell_or_its_declaration_says(
    printed: str, fields: dict[str, Any], expected: list[tuple[str, float]]
) -> None:
    assert statistics(printed, **fields) == expected


def test_parts_say_what_several_numbers_are_and_which_are_no_claims() -> None:
    parts = [{"quantity": "rouge1"}, {"quantity": "rouge2"}, "the third is not used"]
    given = {"printed": "52.0/28.0/44.5", "quantity": "x", "parts": parts}
    found = [(own["quantity"], part.value) for own, part in claim_parts(given, "here")]
    assert found == [("rouge1", 52.0), ("rouge2", 28.0)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"printed": "1.0/2.0"}, r"here: '1.0/2.0' holds several numbers \(1, 2\); say what each"),
        ({"printed": "1.0", "parts": [{}, {}]}, "field parts: found 2, expected 1, one for each"),
        ({"printed": "0.5–0.7", "spread": "sd"}, "field spread: found sd, which is one number"),
        ({"printed": "OOM"}, r"here: .*say `nothing: \[\"OOM\"\]` on the block"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        list(claim_parts(fields, "here"))


def test_a_spread_that_depends_on_the_number_of_runs_is_left_to_the_audit() -> None:
    (_, mean), (own, _) = (
        (own, part)
        for own, part in claim_parts(
            {"printed": "0.6 ± 0.1 (SE)", "quantity": "q", "measured_by": "smoke"}, "here"
        )
    )
    assert mean.value == 0.6
    assert "measured_by" not in own
    assert "depends on the number of runs" in own["unverifiable"]


def test_a_declared_level_is_kept_unless_it_is_the_usual_one() -> None:
    cell = {"printed": "0.5–0.7", "quantity": "q"}
    found = {
        level: next(claim_parts({**cell, "spread": {"kind": "ci", "level": level}}, "here"))[0]
        for level in (90, 95)
    }
    assert found[90]["confidence"] == 90
    assert "confidence" not in found[95]


def test_a_spread_shared_by_a_row_belongs_to_a_number_without_one() -> None:
    assert statistics("0.6", shared_spread="3.4 ± 0.2", spread={"kind": "sd", "shared": "row"}) == [
        ("mean", 0.6),
        ("sd", 0.2),
    ]


def test_a_field_given_as_null_is_not_inherited_and_a_manifest_ends_unverifiable() -> None:
    assert inherit({"a": 1, "b": 2}, {"a": None, "c": 3}) == {"b": 2, "c": 3}
    assert inherit({"unverifiable": "why"}, {"measured_by": "m"}) == {"measured_by": "m"}
    assert inherit({"measured_by": "m"}, {"unverifiable": "why"}) == {"unverifiable": "why"}


def test_levels_are_renamed_in_operands_and_lists_too() -> None:
    aliases = {"model": {"7B": "big", "1B": "small"}}
    fields = {
        "over": "model",
        "among": ["7B", "x"],
        "which": "1B",
        "of": {"model": "7B"},
        "step": 1,
    }
    assert rename_levels(fields, aliases) == {
        "over": "model",
        "among": ["big", "x"],
        "which": "small",
        "of": {"model": "big"},
        "step": 1,
    }
    assert [key for key in (*fields, "model", "says") if is_selector(key)] == ["step", "model"]
