"""A drafted block: columns that select and that hold numbers, and what only a person can say."""

from collections.abc import Sequence

import pytest

from repro.claims.draft.block import LONG, Block, draft_table
from repro.claims.draft.grid import Found, GridCell
from repro.claims.table import parse_table
from repro.errors import ManifestError


def drafted(*rows: Sequence[str | GridCell], headers: int = 1, caption: str = "") -> Block:
    """Return the draft of a table of these cells."""
    found = Found()
    cells = [[one if isinstance(one, GridCell) else GridCell(one) for one in row] for row in rows]
    found.add(cells, headers, 1, caption)
    (table,) = found.tables
    return draft_table(table, 3)


def test_columns_of_numbers_are_claims_and_columns_of_words_select() -> None:
    block = drafted(["Model", "Set (v2)", "Acc."], ["a", "old", "0.5"], ["b", "new", "—"])
    assert block.locator == "Table 3"
    assert block.keys == {"Model": "model", "Set (v2)": "set_v2"}
    assert block.columns == {"Acc.": {"column": "Acc."}}
    assert block.ignore == {}
    assert parse_table(block.table, "x") == (
        ["Model", "Set (v2)", "Acc."],
        [["a", "old", "0.5"], ["b", "new", "—"]],
    )


def test_an_axis_is_never_named_like_a_field_or_without_a_letter() -> None:
    block = drafted(["Value", "2nd", "§", "C"], ["a", "b", "c", "1.0"])
    assert block.keys == {"Value": "row_value", "2nd": "row_2nd", "§": "row_3"}


def test_a_column_of_long_different_texts_is_prose() -> None:
    texts = [f"{letter}" * LONG for letter in "xyz"]
    rows = [[name, text, "1.5"] for name, text in zip("abc", texts, strict=True)]
    block = drafted(["Group", "Remark", "Size"], *rows)
    assert list(block.ignore) == ["Remark"]
    assert any(one.startswith("Remark: long texts") for one in block.questions)
    same = [[name, texts[0], "1.5"] for name in "abc"]
    assert drafted(["Group", "Remark", "Size"], *same).ignore == {}


def test_tiers_of_headers_are_levels_and_a_number_that_spans_stands_once() -> None:
    block = drafted(
        [GridCell("Name", rows=2), GridCell("VLCS", columns=2)],
        ["C", "L"],
        ["x", GridCell("5.0", columns=2)],
        ["y", "1.0", "2.0"],
        headers=2,
    )
    assert block.columns == {
        "VLCS / C": {"tier": "VLCS", "column": "C"},
        "VLCS / L": {"tier": "VLCS", "column": "L"},
    }
    assert parse_table(block.table, "x")[1] == [["x", "5.0", ""], ["y", "1.0", "2.0"]]
    assert any("printed once for several rows or columns" in one for one in block.questions)


def test_a_heading_across_the_table_becomes_a_column() -> None:
    block = drafted(
        ["Name", "A", "B"], [GridCell("ours", columns=3)], ["x", "1.0", "2.0"],
        [GridCell("theirs", columns=3)], ["y", "3.0", "4.0"],
    )  # fmt: skip
    header, rows = parse_table(block.table, "x")
    assert (header[0], [row[0] for row in rows]) == ("group", ["ours", "theirs"])
    assert any(one.startswith("ours, theirs: headings across") for one in block.questions)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["M", "C"], ["a", "1.0 ± 0.1"]], "spread: what stands behind ±"),
        ([["M", "C", "Avg."], ["a", "1.0", "1.0"]], "Avg.: a mean of the others?"),
        ([["M", "C"], ["a", "1.0"], ["Mean", "1.0"]], "row Mean: a mean of the rows above?"),
        ([["M", "C"], ["a", "1.0/2.0"]], "parts: what is each number of 1.0/2.0?"),
        ([["M", "C"], ["a", "1.0"], ["", "2.0"]], "row 2: no name in the first cell"),
        ([["M", ""], ["a", "1.0"]], "column 2: no name of the paper's"),
        ([["M", "C", "C"], ["a", "1.0", "2.0"]], "C (2): no name of the paper's"),
        ([["M", "C"], ["a", "1.0"], ["b", "1.0 OOM 2"]], "cells that are not read"),
    ],
)
def test_what_only_a_person_can_say_is_asked(rows: list[list[str]], words: str) -> None:
    plain = " ".join(drafted(["M", "C"], ["a", "1.0"]).questions)
    assert words.split(":")[0] not in plain
    assert any(words in one for one in drafted(*rows).questions)


def test_every_draft_asks_for_its_place_its_quantity_and_who_measures_it() -> None:
    asked = drafted(["M", "C"], ["a", "1.0"], caption="All of it.").questions
    assert [one.split(":")[0] for one in asked[:4]] == [
        "locator",
        "quantity",
        "measured_by",
        "keys, columns",
    ]
    assert "'All of it.'" in asked[0]


def test_a_table_of_headers_alone_is_refused() -> None:
    with pytest.raises(ManifestError, match="a table of headers alone"):
        drafted(["a", "b"], ["c", "d"], headers=2)
