"""A table in each format: what is written is read back by another reader."""

import csv
import io
import re

import pytest
from pylatexenc.latex2text import LatexNodes2Text

from repro.errors import InputError
from repro.report.export.tables import (
    TextTable,
    as_csv,
    as_latex,
    as_markdown,
    as_text,
    print_tables,
)

ODD = 'a|b, "c" <b>& 50% $x_1$ \\ {~^#}\nd'


def test_a_table_is_read_back_from_csv() -> None:
    table = TextTable("t", ("one", "two"), ((ODD, "1"), ("", "−2")))
    assert [tuple(row) for row in csv.reader(io.StringIO(as_csv(table)))] == [
        table.columns,
        *table.rows,
    ]


def test_markdown_keeps_every_cell_in_its_column() -> None:
    lines = as_markdown(TextTable("t", ("one", "two"), ((ODD, "1"),))).splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3, 3, 3]
    assert "<b>" not in lines[2]


def test_latex_has_no_sign_of_its_own_left() -> None:
    row = as_latex(TextTable("t", ("one", "two"), ((ODD, "1"),))).splitlines()[2]
    bare = re.sub(r"\\text\w+\{\}|\\[&%$#_{}]| \\\\$", "", row)
    assert not re.search(r"[%$#_{}~^\\]", bare)
    assert bare.count("&") == 1


def test_latex_is_read_back_by_another_reader() -> None:
    table = TextTable("t", ("σ₁ & more", "b"), (("0.5 ± 0.1 ≥ λ", "50% of $x_1$ é"),))
    text = as_latex(table)
    assert text.isascii()
    cells = text.splitlines()[2].removesuffix(r" \\").split(" & ")
    assert [LatexNodes2Text().latex_to_text(cell) for cell in cells] == ["0.5 ± 0.1 ≥ λ", "50% of $x_1$ é"]  # fmt: skip


def test_csv_holds_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (TextTable(name, ("a",), (("1",),)) for name in ("one", "two"))
    print_tables([one], "csv")
    assert capsys.readouterr().out == "a\n1\n"
    print_tables([one, two], "markdown")
    assert capsys.readouterr().out.count("| 1 |") == 2
    with pytest.raises(InputError, match="holds one table, found 2: one; two"):
        print_tables([one, two], "csv")


def test_several_tables_stand_each_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A name of somebody else's cannot begin a tag."""
    tables = [TextTable(name, ("a",), (("1",),)) for name in ("one", "<b>two")]
    print_tables(tables, "markdown")
    assert capsys.readouterr().out.split("\n\n")[::2] == ["**one**", "**&lt;b>two**"]
    print_tables(tables, "latex")
    names = [line for line in capsys.readouterr().out.splitlines() if line.startswith("%")]
    assert names == ["% one", "% <b>two"]
    print_tables(tables, "table")
    drawn = capsys.readouterr().out
    assert drawn.index("one") < drawn.index("two")


def test_what_is_not_there_is_empty_and_what_is_0_is_not() -> None:
    assert as_text([(None, 0, False, 0.5), ("", None, "a", 1)]) == (
        ("", "0", "False", "0.5"),
        ("", "", "a", "1"),
    )
