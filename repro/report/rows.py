"""Rows of a query as a table, CSV or JSON: what a strict reader takes, with nothing lost."""

import datetime as dt
import json
import math
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

SHOWN = 1_000
"""Rows that a table shows."""
MOST = 1_000_000
"""Rows that CSV and JSON hold."""
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters of texts that a spreadsheet takes for a formula."""
Rows = Sequence[Sequence[Any]]


def print_rows(columns: Sequence[str], rows: Rows, form: str, safe: bool = False) -> None:
    """Print to standard output: a table, CSV with a header line, or JSON, a list of objects.

    Columns of one name are told apart: n, n_2. `safe`: CSV cells that a spreadsheet would run begin with a quote.
    """
    names = told_apart(columns)
    if form == "csv":
        for row in (names, *rows):
            sys.stdout.write(",".join(_csv_cell(value, safe) for value in row) + "\r\n")
    elif form == "json":
        content = [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows]
        print(json.dumps(content, indent=1, allow_nan=False))
    else:
        _table(names, rows)


def told_apart(columns: Sequence[str]) -> list[str]:
    """The names of the columns, a second n as n_2."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names or (number > 1 and name in columns):
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names


def _plain(value: Any) -> Any:
    """A value as JSON has it: what JSON lacks (NaN, dates, decimals that no double holds) is text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _number(value)
        case Decimal():
            return float(value) if value.is_finite() and Decimal(repr(float(value))) == value else str(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case Mapping():
            return {key if isinstance(key, str) else str(_plain(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _csv_cell(value: Any, safe: bool) -> str:
    """One cell: NULL is empty, an empty text is "", numbers are whole, nested values are JSON."""
    if value is None:
        return ""
    simple = _plain(value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return str(simple) if not isinstance(value, Decimal) else str(value)
    text = simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False, allow_nan=False)
    if safe and text.startswith(RUN_BY_SPREADSHEETS):
        text = "'" + text
    if text and not any(sign in text for sign in ',"\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _table(columns: Sequence[str], rows: Rows) -> None:
    from rich import box
    from rich.table import Table

    from repro.report.console import literal

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown = rows[:SHOWN]
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | Decimal | None) for row in shown)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in shown:
        table.add_row(*(_cell(value) for value in row))
    console = literal(200)
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"the first {SHOWN:,} rows; more with --format csv or json, or a LIMIT", style="dim")
    else:
        console.print("1 row" if len(rows) == 1 else f"{len(rows)} rows", style="dim")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
