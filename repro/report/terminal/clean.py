"""Disk use as a table: what can go, what stays and why."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from repro.machine.clean import DAMAGED, Item, ItemKind, total_bytes
from repro.plain import one_line
from repro.report.export.tables import TextTable, as_text
from repro.report.terminal.console import literal

_SHOWN = 20
GOES = {"evidence": "no", "leftover": "yes", "cache": "with --cache"}


def print_inventory(items: Sequence[Item], results: Path, cache: Path) -> None:
    """Print the largest items, and the sum of what stays."""
    table, told = Table(box=box.SIMPLE_HEAD, pad_edge=False), inventory_table(items)
    for column in told.columns:
        table.add_column(column, justify="right" if column == "MiB" else "left", overflow="fold")
    for row in told.rows[:_SHOWN]:
        table.add_row(*row)
    console = literal(240)
    console.print(table if items else f"nothing of this project lies in {results} and {cache}")
    if len(items) > _SHOWN:
        rest = sum(item.bytes for item in items[_SHOWN:])
        console.print(f"and {len(items) - _SHOWN} smaller ones, {_mebibytes(rest)} in all")
    for item in items:
        if item.why.startswith(DAMAGED):  # whole, in one line: the table folds it
            print(one_line(item.why))
    kept = total_bytes(items, "evidence")
    console.print(f"stays: {_mebibytes(kept)} that verdicts rest on or runs go on from")


def inventory_table(items: Sequence[Item]) -> TextTable:
    """Return a row for each item on disk: its size, whether it can go, and why."""
    return TextTable(
        "clean",
        ("MiB", "can go", "why", "path"),
        as_text((f"{x.bytes / 2**20:.1f}", GOES[x.kind], x.why, x.path) for x in items),
    )


def print_removed(items: Sequence[Item], removed: Sequence[ItemKind]) -> None:
    """Print what was freed, or how to free it."""
    freed = sum(total_bytes(items, kind) for kind in removed)
    if removed:
        print(f"removed: {_mebibytes(freed)}")
    ways: dict[ItemKind, str] = {
        "leftover": "repro clean --yes",
        "cache": "repro clean --yes --cache; fetched again when needed",
    }
    for kind, way in ways.items():
        if kind not in removed and total_bytes(items, kind):
            print(f"can go: {_mebibytes(total_bytes(items, kind))} of {kind} ({way})")


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
