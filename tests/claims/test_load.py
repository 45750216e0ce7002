"""A paper's files become claims with ids, or one line says which block and field is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.claims.load import errors_with_place, with_gaps
from repro.claims.papers import load_paper
from repro.errors import ManifestError

Written = Callable[..., tuple[Claim, ...]]
ONE = (
    "locator: §4.2\nmeasured_by: smoke\nquantity: q\nstatements:\n"
    "  - says: it was 0.6\n    claims: [{printed: '0.6', model: a}]\n"
)


def test_ids_say_where_and_what_and_repeats_are_numbered(written: Written) -> None:
    claims = written(
        "locator: Abstract\nmeasured_by: smoke\nquantity: x\nstatements:\n"
        "  - says: 0.6; 7 ± 1; 5%\n    claims: [{printed: '0.6'}, {printed: '0.6'}, "
        "{printed: '7 ± 1'}, {printed: '5%'}]\n"
    )
    assert [claim.id for claim in claims] == [
        "made/abstract/0.6",
        "made/abstract/0.6~2",
        "made/abstract/mean-7-+--1",
        "made/abstract/sd-7-+--1",
        "made/abstract/5pct",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "smoke",
            "smokee",
            "§4.2, 0.6: field measured_by: no manifest is called 'smokee'; nearest is smoke",
        ),
        ("measured_by: smoke\n", "", "§4.2, 0.6: neither measured_by nor unverifiable is given"),
        ("it was 0.6", "it was 0.65", "field printed: '0.6' is not in says, 'it was 0.65'"),
        ("model: a", "stepp: 1", "stepp: unknown; nearest is step"),
        ("model: a", "over: cup, statistic: mean", "no axis is called 'cup'"),
        ("locator: §4.2\n", "", "claims.yaml: block 1: field locator"),
        (
            "locator: §4.2\n",
            "locator: §4.2\ndraft: [why?, how?]\n",
            "field draft: found a draft with 2 questions",
        ),
        (
            "locator: §4.2\n",
            "locator: §4.2\ndraft: []\n",
            "field draft: found a draft, expected claims",
        ),
    ],
)
def test_a_slip_is_refused_with_its_file_its_block_and_the_fix(
    written: Written, old: str, new: str, words: str
) -> None:
    assert len(written(ONE)) == 1
    with pytest.raises(ManifestError) as refused:
        written(ONE.replace(old, new))
    assert words in str(refused.value)
    assert "claims.yaml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_sentence_is_held_to_the_papers_text(written: Written, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "text.md").write_text("In all runs it was 0.6 or so.")
    assert len(written(ONE, head="text: text.md")) == 1
    (tmp_path / "made" / "text.md").write_text("In all runs it was 0.7 or so.")
    with pytest.raises(
        ManifestError, match=r"field says: 'it was 0\.6' is not in the paper's text"
    ):
        load_paper(tmp_path / "made")


def test_a_comma_that_may_be_decimal_is_refused_where_others_are(written: Written) -> None:
    two = ONE.replace("it was 0.6", "it was 0,65 of 1,250").replace(
        "{printed: '0.6', model: a}", "{printed: '0,65'}, {printed: '1,250'}"
    )
    with pytest.raises(ManifestError, match=r"'1,250' may be read in two ways, since '0,65' has"):
        written(two)
    assert [claim.value for claim in written(two, head="decimal: comma")] == [0.65, 1.25]


def test_a_manifest_may_be_named_by_its_path(written: Written, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("id: mine\narms: []\n")
    (claim,) = written(ONE.replace("smoke", "../mine.yaml"))
    assert claim.measured_by == "mine"
    with pytest.raises(ManifestError, match=r"'\.\./other\.yaml' is no manifest; give its path"):
        written(ONE.replace("smoke", "../other.yaml"))


def test_a_summary_knows_the_cells_behind_it_that_are_printed_as_empty(written: Written) -> None:
    claims = written(
        "locator: Table 1\nquantity: q\nunverifiable: made up\nkeys: {Model: model}\n"
        "columns: {A: {seed: 0}, B: {seed: 1}, Mean: {statistic: mean, over: seed}}\n"
        "table: |\n  | Model | A | B | Mean |\n  |--|--|--|--|\n"
        "  | a | 1.0 | — | 1.0 |\n  | b | 1.0 | 3.0 | 2.0 |\n"
    )
    means = {claim.selector["model"]: claim for claim in claims if claim.statistic == "mean"}
    assert {model: mean.unprinted for model, mean in means.items()} == {
        "a": (("seed", 1),),
        "b": (),
    }
    named = means["b"].term.model_copy(update={"among": (0,)})
    chosen = means["b"].model_copy(update={"term": named})
    assert with_gaps(chosen, [("q", {"model": "b", "seed": 1})]) == chosen


@pytest.mark.parametrize("error", [ValueError("bad"), KeyError("bad"), RecursionError("bad")])
def test_an_error_of_a_badly_formed_field_becomes_one_line_with_its_place(error: Exception) -> None:
    with pytest.raises(ManifestError) as refused, errors_with_place("claims.yaml, §1"):
        raise error
    assert str(refused.value).startswith(
        f"claims.yaml, §1: a claim cannot be read ({type(error).__name__}: "
    )
    with pytest.raises(ManifestError, match=r"^as it is$"), errors_with_place("here"):
        raise ManifestError("as it is")
