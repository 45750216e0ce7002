"""Tables and macros as files: what is written is read back by another reader."""

import csv
import io
import re

import pytest

from repro.report.export.macros import macro_key, macros
from repro.report.export.tables import TextTable, as_csv, as_latex, as_markdown
from repro.report.page.claims import ClaimLine

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


def line(name: str, measured: str, grade: str) -> ClaimLine:
    return ClaimLine(
        name,
        "n",
        "s",
        "50%",
        measured,
        "reproduced",
        "✓",
        "reproduced",
        grade,
        "measured",
        "r",
        (),
        False,
        "p",
        "l",
    )


def test_a_number_has_a_macro_only_where_it_was_measured() -> None:
    text = macros(
        [
            line("p/table-2/δ-ei~2", "0.5 [0.4, 0.6]", "own"),
            line("p/b", "80", ""),
            line("p/β%b", "1", "own"),
            line("p/betab", "2", "own"),
        ]
    )
    assert r"\repro@set{measured}{p/table-2/delta-ei:2}{0.5 [0.4, 0.6]}" in text
    assert r"\repro@set{published}{p/b}{50\%}" in text
    assert "{measured}{p/b}" not in text
    keys = re.findall(r"repro@set\{measured\}\{([^}]+)\}", text)
    assert len(keys) == len(set(keys)) == 3


@pytest.mark.parametrize(
    ("claim", "key"), [("p/32pct~2", "p/32pct:2"), ("p/σ₁", "p/sigma1"), ("p/é_#{x}", "p/ex")]
)
def test_a_key_means_nothing_to_latex(claim: str, key: str) -> None:
    assert macro_key(claim) == key
