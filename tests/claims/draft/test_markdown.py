"""Tables of a Markdown text: GitHub's, and those written as HTML between them."""

from repro.claims.draft.grid import DraftTable
from repro.claims.draft.markdown import markdown_tables

PIPES = "| a | b |\n|---|:-:|\n| **x** | 1 \\| 2 |\n"
HTML = "<table><tr><td>h<tr><td>5</table>\n"


def texts(table: DraftTable) -> list[list[str]]:
    """Return the characters at every place."""
    return [[place.text for place in row] for row in table.rows]


def test_cells_keep_their_marks_and_an_escaped_bar_is_a_bar() -> None:
    found = markdown_tables(f"Words.\n\n{PIPES}\nMore.\n")
    (table,) = found.tables
    assert texts(table) == [["a", "b"], ["**x**", "1 | 2"]]
    assert (table.line, table.headers, table.notes, found.problems) == (3, 1, (), [])


def test_tables_of_both_kinds_come_in_the_order_of_the_text() -> None:
    found = markdown_tables(f"{HTML}\n{PIPES}\n{HTML}")
    assert [table.line for table in found.tables] == [1, 3, 7]
    assert [texts(table)[0] for table in found.tables] == [["h"], ["a", "b"], ["h"]]


def test_what_stands_in_a_block_of_code_is_no_table() -> None:
    assert markdown_tables(f"```\n{PIPES}{HTML}```\n").tables == []


def test_cells_beyond_the_header_are_asked_about() -> None:
    (table,) = markdown_tables("| a | b |\n|---|---|\n| x | 1 | 2 |\n| y | 3 |\n").tables
    assert table.notes == ("line 3 has 3 cells, more than the header: what are the last?",)


def test_a_text_without_a_table_has_none() -> None:
    assert markdown_tables("| a\nb |\n").tables == markdown_tables("").tables == []
