"""Disk use as a table: what can go, what stays and why."""

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from repro.execute.clean import Item, total

SHOWN = 20


def print_inventory(items: Sequence[Item], removed: bool) -> None:
    """The largest items, the sums, and how to free the rest."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("MiB", "can go", "why", "path"):
        table.add_column(column, justify="right" if column == "MiB" else "left", overflow="fold")
    for item in items[:SHOWN]:
        table.add_row(f"{item.bytes / 2**20:.1f}", "yes" if item.removable else "no", item.why, str(item.path))
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)
    if len(items) > SHOWN:
        console.print(f"and {len(items) - SHOWN} smaller ones")
    free, kept = total(items, True) / 2**20, total(items, False) / 2**20
    what = "removed" if removed else "can go: repro clean --yes removes them"
    console.print(f"{free:.0f} MiB {what}; {kept:.0f} MiB of evidence stay")
