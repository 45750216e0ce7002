"""Rows of a query as a table, CSV or JSON."""

import csv
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], form: str) -> None:
    """Print to standard output; JSON is a list of objects, CSV has a header line."""
    if form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(rows)
    elif form == "json":
        print(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_plain, indent=1))
    else:
        _table(columns, rows)


def _plain(value: Any) -> float | str:
    """SQL's exact decimals become JSON numbers; dates and the like become text."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich import box
    from rich.table import Table

    from repro.report.console import literal

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | Decimal | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = literal(200)
    console.print(table)
    console.print("1 row" if len(rows) == 1 else f"{len(rows)} rows", style="dim")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
