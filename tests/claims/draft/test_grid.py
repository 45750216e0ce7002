"""Cells stand where they reach, as browsers and LaTeX put them, and one table has a bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.draft.grid import MOST_CELLS, DraftTable, Found, GridCell, one_space


def placed(*rows: list[GridCell], headers: int = 1) -> DraftTable:
    """Return the only table that these rows make."""
    found = Found()
    found.add(rows, headers, 7, "All of it.", "odd")
    assert found.problems == []
    (table,) = found.tables
    return table


def texts(table: DraftTable) -> list[list[str]]:
    """Return the characters at every place, a star behind those that are there by a span."""
    return [[place.text + "*" * place.copied for place in row] for row in table.rows]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=2, max_size=5))
def test_rows_of_plain_cells_stand_as_they_are_and_are_filled_to_the_widest(
    rows: list[list[str]],
) -> None:
    width = max(map(len, rows))
    table = placed(*([GridCell(text) for text in row] for row in rows))
    assert texts(table) == [row + [""] * (width - len(row)) for row in rows]
    assert (table.headers, table.line, table.caption, table.notes) == (1, 7, "All of it.", ("odd",))


def test_a_cell_of_html_moves_what_stands_in_its_rows_to_the_right() -> None:
    table = placed(
        [GridCell("Name", rows=2), GridCell("Set", columns=2)],
        [GridCell("A"), GridCell("B")],
        [GridCell("x"), GridCell("1"), GridCell("2")],
    )
    assert texts(table) == [["Name", "Set", "Set*"], ["Name*", "A", "B"], ["x", "1", "2"]]
    assert table.headers == 2, "a header reaches down into the second row"


def test_a_cell_of_latex_fills_the_empty_places_that_it_reaches_up_or_down() -> None:
    def cell(text: str, rows: int = 1) -> GridCell:
        return GridCell(text, rows=rows, reserves=False)

    down = placed([cell("h"), cell("k")], [cell("a", 2), cell("1")], [cell(""), cell("2")])
    up = placed([cell("h"), cell("k")], [cell(""), cell("1")], [cell("a", -2), cell("2")])
    assert texts(down) == [["h", "k"], ["a", "1"], ["a*", "2"]]
    assert texts(up) == [["h", "k"], ["a*", "1"], ["a", "2"]]


def test_a_span_that_says_too_much_moves_nothing_in_a_whole_row() -> None:
    table = placed(
        [GridCell("Name", rows=3), GridCell("A")],
        [GridCell("x"), GridCell("1")],
        [GridCell("y"), GridCell("2")],
    )
    assert texts(table) == [["Name", "A"], ["x", "1"], ["y", "2"]]


def test_a_single_row_is_no_table_and_empty_rows_are_none() -> None:
    found = Found()
    found.add([[GridCell("a")], [GridCell("")]], 1, 1)
    assert found.tables == []
    table = placed([GridCell("")], [GridCell("h")], [GridCell("1")], headers=2)
    assert (texts(table), table.headers) == ([["h"], ["1"]], 1)


@pytest.mark.parametrize(
    "cell",
    [
        GridCell("1", columns=301),
        GridCell("1", columns=MOST_CELLS + 1),
        GridCell("1", columns=300, rows=100),
    ],
)
def test_a_table_beyond_the_bound_is_a_problem_with_its_line(cell: GridCell) -> None:
    found = Found()
    found.add([[cell], *([GridCell("x")] for _ in range(99))], 1, 7)
    assert found.tables == []
    (problem,) = found.problems
    assert problem.startswith("line 7: a table of more than ")
    assert problem.endswith("give a file with smaller ones")


def test_white_space_is_one_space() -> None:
    assert one_space(" a\n\t b  ") == "a b"
