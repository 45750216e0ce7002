"""Disk use as a table: what can go, what stays and why."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from repro.execute.clean import Item, Kind, total
from repro.report.console import literal

SHOWN = 20
GOES = {"evidence": "no", "leftover": "yes", "cache": "with --cache"}


def print_inventory(items: Sequence[Item], results: Path, cache: Path) -> None:
    """The largest items, and the sum of each kind."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("MiB", "can go", "why", "path"):
        table.add_column(column, justify="right" if column == "MiB" else "left", overflow="fold")
    for item in items[:SHOWN]:
        table.add_row(f"{item.bytes / 2**20:.1f}", GOES[item.kind], item.why, str(item.path))
    console = literal(240)
    console.print(table if items else f"nothing of this project lies in {results} and {cache}")
    if len(items) > SHOWN:
        rest = sum(item.bytes for item in items[SHOWN:])
        console.print(f"and {len(items) - SHOWN} smaller ones, {_mebibytes(rest)} in all")
    kept = total(items, "evidence")
    console.print(f"stays: {_mebibytes(kept)} that verdicts rest on or runs go on from")


def print_removed(items: Sequence[Item], removed: Sequence[Kind]) -> None:
    """What was freed, or how to free it."""
    freed = sum(total(items, kind) for kind in removed)
    if removed:
        print(f"removed: {_mebibytes(freed)}")
    ways: dict[Kind, str] = {
        "leftover": "repro clean --yes",
        "cache": "repro clean --yes --cache; fetched again when needed",
    }
    for kind, way in ways.items():
        if kind not in removed and total(items, kind):
            print(f"can go: {_mebibytes(total(items, kind))} of {kind} ({way})")


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
