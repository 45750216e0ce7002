"""Tables of a page, however little of it is closed."""

import html as escapes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.draft.grid import DraftTable
from repro.claims.draft.html import html_tables


def only(text: str) -> DraftTable:
    """Return the only table of a page."""
    found = html_tables(text)
    assert found.problems == []
    (table,) = found.tables
    return table


def texts(table: DraftTable) -> list[list[str]]:
    """Return the characters at every place."""
    return [[place.text for place in row] for row in table.rows]


WORD = st.text("ab1.±é<&", min_size=1, max_size=4).map(escapes.escape)


@given(st.lists(st.lists(WORD, min_size=2, max_size=2), min_size=2, max_size=4), st.booleans())
def test_cells_keep_their_signs_closed_or_not(rows: list[list[str]], closed: bool) -> None:
    td, tr = ("</td>", "</tr>") if closed else ("", "")
    body = "".join("<tr>" + "".join(f"<td>{cell}{td}" for cell in row) + tr for row in rows)
    assert texts(only(f"<p>before<table>{body}</table>after")) == rows


@pytest.mark.parametrize(
    ("page", "headers"),
    [
        ("<table><thead><tr><td>a<tr><td>b</thead><tr><td>1</table>", 2),
        ("<table><tr><th>a<th>b<tr><th>x<td>1</table>", 1),
        ("<table><tr><td>a<tr><td>1</table>", 1),
    ],
)
def test_rows_of_headers_alone_are_headers(page: str, headers: int) -> None:
    assert only(page).headers == headers


def test_a_table_knows_its_line_and_its_caption() -> None:
    table = only("<p>\n\n<table><caption>All\n of it.</caption><tr><td>a<tr><td>1</table>")
    assert (table.line, table.caption) == (3, "All of it.")


def test_a_table_inside_a_cell_is_a_table_of_its_own_and_stays_in_its_cell() -> None:
    inner = "<table><tr><td>x<tr><td>y</table>"
    first, second = html_tables(f"<table><tr><td>a<tr><td>{inner}</table>").tables
    assert texts(first) == [["x"], ["y"]]
    assert texts(second) == [["a"], [inner]]


@pytest.mark.parametrize(
    ("span", "width"), [("3", 3), ("0", 1), ("-2", 1), ("many", 1), ("99999999999", 1)]
)
def test_a_span_is_read_as_browsers_read_it(span: str, width: int) -> None:
    page = f"<table><tr><td colspan='{span}'>a<tr><td>1</table>"
    assert len(only(page).rows[0]) == width


@pytest.mark.parametrize("page", ["", "<p>no table</p>", "<table></table>", "<td>1</td></table>"])
def test_a_page_without_a_table_has_none(page: str) -> None:
    found = html_tables(page)
    assert (found.tables, found.problems) == ([], [])
