"""What this machine can run, as a table: what was found, and what would help where something is missing."""

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from repro.execute.machine import Ability


def print_abilities(abilities: Sequence[Ability]) -> None:
    """A line for each ability; the remedy only where it is needed."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "what", "found", "what would help"):
        table.add_column(column, overflow="fold")
    for ability in abilities:
        table.add_row(
            "yes" if ability.able else "no", ability.what, ability.found, "" if ability.able else ability.remedy
        )
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)
