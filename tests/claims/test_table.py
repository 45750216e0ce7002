"""A table drawn with bars is read back cell by cell, and what is odd about it is told."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.table import Table, draw_table, parse_table
from repro.errors import ManifestError

BLOCK = """
keys: {Model: model, Seed: seed}
columns: {EI: {quantity: ei}, CSR: {quantity: csr}}
ignore: {Remark: prose}
rows: {b: {step: 500}}
cells: {b: {CSR: {unit: percent}}}
table: |
  | Model | Seed | EI  | CSR  | Remark |
  |-------|------|-----|------|--------|
  | a     | 0    | 0.6 | —    | fine   |
  | b     | 1    | 0.7 | 12.0 | late   |
"""


def table(**changes: Any) -> Table:
    """Return the table of a block whose fields are changed."""
    block = {**yaml.safe_load(BLOCK), **changes}
    return Table(block, {"condition": "B1"}, {"model": {"a": "alpha"}}, "here")


text = st.text("abé数0.5±—|\\*$<", min_size=1, max_size=6)


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(text, min_size=width, max_size=width),
            min_size=1,
            max_size=5,
        )
    )
)
def test_what_is_drawn_is_read_back(rows: list[list[str]]) -> None:
    rows[0] = [f"{i} {name}" for i, name in enumerate(rows[0])]
    drawn = draw_table(rows)
    assert parse_table(drawn, "here") == (rows[0], rows[1:])


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        ("", "here: field table: found no row, expected a header and rows"),
        ("| a | a |\n|--|--|\n| 1 | 2 |", "here: column 'a' is there twice; give each column"),
        ("| a | b |\n|--|--|\n| 1 |", "here: row '1' has 1 cells, expected 2; mend the table"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(drawn: str, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        parse_table(drawn, "here")


def test_the_rule_may_be_missing_and_a_row_of_single_signs_holds_cells() -> None:
    assert parse_table("| a | b |\n| - | 1 |\n| - | - |", "x") == (
        ["a", "b"],
        [["-", "1"], ["-", "-"]],
    )
    assert parse_table("| a \\| b | c |\n|---|---|\n| 1 | 2 |", "x")[0] == ["a | b", "c"]


@pytest.mark.parametrize("cell", ["two\nlines", "---", " blank before"])
def test_a_cell_that_no_drawn_table_gives_back_is_refused(cell: str) -> None:
    with pytest.raises(ManifestError, match="a cell that no drawn table can hold"):
        draw_table([["a"], ["x"], [cell]])


def test_each_filled_cell_is_a_claim_with_the_fields_of_its_row_and_its_own() -> None:
    found = {place: (name, fields) for place, name, fields in table().claims()}
    assert set(found) == {(0, "EI"), (1, "EI"), (1, "CSR")}
    name, fields = found[0, "EI"]
    assert name == "a 0 EI"
    assert fields == {
        "condition": "B1",
        "model": "alpha",
        "seed": 0,
        "quantity": "ei",
        "printed": "0.6",
        "says": "a | 0 | 0.6 | — | fine",
    }
    assert found[1, "EI"][1]["step"] == 500
    assert "unit" not in found[1, "EI"][1]
    assert found[1, "CSR"][1]["unit"] == "percent"


def test_empty_cells_are_known_and_more_of_them_may_be_declared() -> None:
    assert [fields["quantity"] for fields in table().empty()] == ["csr"]
    more = table(nothing=["0.7"])
    assert [(f["quantity"], f["model"]) for f in more.empty()] == [("csr", "alpha"), ("ei", "b")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ignore": {}}, "column 'Remark' is in none of keys, columns, ignore; say what it holds"),
        ({"ignore": {"Remark": "x", "EI": "y"}}, "column 'EI' is in two of keys, columns, ignore"),
        (
            {"ignore": {"Remark": "x", "Remarks": "y"}},
            "'Remarks' is not in the table; nearest is Remark",
        ),
        ({"rows": {"c": {}}}, "field rows: no row begins with 'c'; there are a, b"),
        ({"cells": {"b": {"Seed": {}}}}, "field cells: 'Seed' is no column that holds numbers"),
    ],
)
def test_a_name_that_is_not_the_tables_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        table(**changes)


def test_a_spread_printed_once_for_a_row_is_shared_where_the_block_says_so() -> None:
    drawn = (
        "| Model | Seed | EI | CSR | Remark |\n|--|--|--|--|--|\n| a | 0 | 0.6 | 1.0 ± 0.2 | x |"
    )
    kept = {
        fields["quantity"]: fields
        for _, _, fields in table(table=drawn, rows={}, cells={}).claims()
    }
    assert "shared_spread" not in kept["ei"]
    columns = {
        "EI": {"quantity": "ei"},
        "CSR": {"quantity": "csr", "spread": {"kind": "sd", "shared": "row"}},
    }
    claims = table(table=drawn, rows={}, cells={}, columns=columns).claims()
    shared = {fields["quantity"]: fields for _, _, fields in claims}
    assert shared["ei"]["shared_spread"] == "1.0 ± 0.2"
    assert "shared_spread" not in shared["csr"]


def test_a_printed_table_knows_the_claims_of_its_cells() -> None:
    printed = table().printed("Table 1", {(1, "EI"): ["paper/x"]})
    assert printed.header == ("Model", "Seed", "EI", "CSR", "Remark")
    assert printed.rows[1] == ("b", "1", "0.7", "12.0", "late")
    assert printed.claims == ((1, "EI", ("paper/x",)),)
