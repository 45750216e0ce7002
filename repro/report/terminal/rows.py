"""Rows of a query as a table, CSV or JSON: what a strict reader takes, with nothing lost."""

import datetime as dt
import json
import math
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from repro.report.export.tables import FORMATS, TextTable, as_text, print_table

ROWS_SHOWN = 1_000
"""Rows that a table shows."""
MOST_ROWS = 1_000_000
"""Rows that CSV and JSON hold."""
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters of texts that a spreadsheet takes for a formula."""
_Rows = Sequence[Sequence[Any]]
_NARROWEST = 20
"""Characters that a folded column keeps at the least; a table with less is printed row by row."""
_BETWEEN = 3
"""Blanks from one column of a table to the next."""


def print_rows(columns: Sequence[str], rows: _Rows, form: str, safe: bool = False) -> None:
    """Print to standard output: a table, CSV with a header line, Markdown, LaTeX, or JSON, a list
    of objects.

    Columns of one name are told apart: n, n_2. `safe`: CSV cells that a spreadsheet would run begin
    with a quote.
    """
    names = told_apart(columns)
    if form == "csv":
        for row in (names, *rows):
            sys.stdout.write(",".join(_csv_cell(value, safe) for value in row) + "\r\n")
    elif form in FORMATS:
        texts = as_text([_text(value) for value in row] for row in rows)
        print_table(TextTable("rows", tuple(names), texts), form)
    elif form == "json":
        content = [
            {name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows
        ]
        print(json.dumps(content, indent=1, allow_nan=False))
    else:
        _table(names, rows)


def told_apart(columns: Sequence[str]) -> list[str]:
    """Return the names of the columns, a second n as n_2."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names or (number > 1 and name in columns):
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON lacks (NaN, dates, some decimals) is text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _number(value)
        case Decimal():
            return (
                float(value)
                if value.is_finite() and Decimal(repr(float(value))) == value
                else str(value)
            )
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case Mapping():
            return {
                key if isinstance(key, str) else str(_plain(key)): _plain(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _text(value: Any) -> str | None:
    """Return a value as a document shows it: all its digits, nothing for NULL."""
    simple = _plain(value)
    if simple is None or isinstance(simple, str):
        return simple
    return json.dumps(simple, ensure_ascii=False, allow_nan=False)


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _csv_cell(value: Any, safe: bool) -> str:
    """Write one cell: NULL is empty, an empty text is "", numbers are whole, the rest is JSON."""
    if value is None:
        return ""
    simple = _plain(value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return str(simple) if not isinstance(value, Decimal) else str(value)
    text = (
        simple
        if isinstance(simple, str)
        else json.dumps(simple, ensure_ascii=False, allow_nan=False)
    )
    if safe and text.startswith(RUN_BY_SPREADSHEETS):
        text = "'" + text
    if text and not any(sign in text for sign in ',"\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _table(columns: Sequence[str], rows: _Rows) -> None:
    from rich import box
    from rich.table import Table

    from repro.report.terminal.console import literal

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown = rows[:ROWS_SHOWN]
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | Decimal | None) for row in shown)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    cells = [[_cell(value) for value in row] for row in shown]
    for line in cells:
        table.add_row(*line)
    console = literal(200)
    if _fits([columns, *cells], console.width):
        console.print(table)
    elif not cells:
        console.print(f"columns: {', '.join(columns)}")
    else:
        _blocks(console, columns, cells)
        console.print(
            f"the columns have no room side by side in {console.width}: a row is a block; name "
            "fewer columns for a table",
            style="dim",
        )
    if len(rows) > ROWS_SHOWN:
        console.print(
            f"the first {ROWS_SHOWN:,} rows; more with --format csv or json, or a LIMIT",
            style="dim",
        )
    else:
        console.print("1 row" if len(rows) == 1 else f"{len(rows)} rows", style="dim")


def _fits(lines: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether a table of these lines keeps its columns readable, the widest of them folded."""
    widest = [max(map(len, column)) for column in zip(*lines, strict=True)]
    folded = sum(min(size, _NARROWEST) for size in widest)
    return sum(widest) + _BETWEEN * len(widest) <= width or (
        folded + _BETWEEN * len(widest) <= width
    )


def _blocks(console: Any, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Print each row as lines of a column's name and its value."""
    most = max(map(len, columns))
    for line in cells:
        for name, value in zip(columns, line, strict=True):
            console.print(f" {name:<{most}}  {value}", soft_wrap=True)
        console.print()


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
