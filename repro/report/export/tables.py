"""A table as CSV, Markdown or LaTeX: the same cells, each format's own signs escaped."""

import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pylatexenc.latexencode import UnicodeToLatexEncoder

from repro.errors import InputError
from repro.plain import one_line

_TEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip
_LETTERS = UnicodeToLatexEncoder(
    non_ascii_only=True,
    replacement_latex_protection="braces",
    unknown_char_policy="keep",
    unknown_char_warning=False,
)
"""Spells ±, −, λ and their like, which not every LaTeX takes as they are."""


@dataclass(frozen=True)
class TextTable:
    """Named columns and rows of text."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_csv(table: TextTable) -> str:
    """Return the table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([table.columns, *table.rows])
    return out.getvalue()


def as_markdown(table: TextTable) -> str:
    """Return the table as Markdown; no cell can end its column or begin a tag."""
    lines = [
        table.columns,
        ["---"] * len(table.columns),
        *([_marked(cell) for cell in row] for row in table.rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_latex(table: TextTable) -> str:
    """Return the table as a LaTeX longtable as wide as the line, which may break between pages.

    It needs the packages longtable, amsmath and textcomp.
    """
    width = rf"\dimexpr{1 / len(table.columns):.4f}\linewidth-2\tabcolsep\relax"
    head = (
        rf"\begin{{longtable}}{{{'p{' + width + '}'}"
        + ("p{" + width + "}") * (len(table.columns) - 1)
        + "}"
    )
    return "\n".join(
        [
            head,
            _row(table.columns) + r" \hline \endhead",
            *map(_row, table.rows),
            r"\end{longtable}",
            "",
        ]
    )


def tex(text: str) -> str:
    """Return text with LaTeX's own signs escaped, and those beyond ASCII spelled out."""
    escaped = re.sub(r"[\\~^&%$#_{}]", lambda sign: _TEX[sign[0]], one_line(text))
    spelled: str = _LETTERS.unicode_to_latex(escaped)
    return spelled


def _row(cells: Iterable[str]) -> str:
    return " & ".join(map(tex, cells)) + r" \\"


def _marked(cell: str) -> str:
    return one_line(cell).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def as_text(rows: Iterable[Sequence[object]]) -> tuple[tuple[str, ...], ...]:
    """Return cells as text; what is not there is empty."""
    return tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)


FORMATS = {"csv": as_csv, "markdown": as_markdown, "latex": as_latex}
"""Format, as `--format` takes it → its writer."""


def print_table(table: TextTable, form: str) -> None:
    """Print a table to standard output in one of the FORMATS."""
    sys.stdout.write(FORMATS[form](table))


def print_tables(tables: Sequence[TextTable], form: str) -> None:
    """Print several tables, each under its name; `table` draws them for a terminal.

    Raises InputError for several as CSV, which holds one.
    """
    if form == "csv" and len(tables) > 1:
        raise InputError(
            f"--format csv holds one table, found {len(tables)}: "
            f"{'; '.join(table.name for table in tables)}; name one of them"
        )
    for number, table in enumerate(tables):
        gap = "\n" if number else ""
        match form:
            case "csv":
                sys.stdout.write(as_csv(table))
            case "latex":
                sys.stdout.write(f"{gap}% {one_line(table.name)}\n{as_latex(table)}")
            case "markdown":
                sys.stdout.write(f"{gap}**{_marked(table.name)}**\n\n{as_markdown(table)}")
            case _:
                _draw(table)


def _draw(table: TextTable) -> None:
    from rich import box
    from rich.table import Table

    from repro.report.terminal.console import literal

    drawn = Table(
        *table.columns, box=box.SIMPLE_HEAD, pad_edge=False, title=table.name, title_justify="left"
    )
    for row in table.rows:
        drawn.add_row(*row)
    literal(200).print(drawn)
