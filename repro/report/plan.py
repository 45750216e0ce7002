"""The plan of a manifest as a table or JSON."""

import json
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from repro.execute.folders import Place
from repro.plan.budget import EFFICIENCY, TEXT_LENGTH, cost, gibibytes, total

WORDS = {"finished": "cached", "unfinished": "goes on", "new": "to do", "changed": "to do again"}


def plan_json(places: Sequence[Place]) -> str:
    """Every run with its id, state, reasons and cost."""
    return json.dumps(
        [
            {
                "run": place.run.slot,
                "id": place.run.id,
                "state": place.state,
                "changes": list(place.changes),
                "steps": place.run.steps,
                "gpu_hours": [round(cost(place.run).low, 4), round(cost(place.run).high, 4)],
                "cpu_memory_gib": round(gibibytes(place.run), 2),
                "folder": str(place.folder.path),
            }
            for place in places
        ],
        indent=1,
    )


def print_plan(places: Sequence[Place]) -> None:
    """A line per run, the sum, and what the estimate assumes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, justify in (
        ("run", "left"),
        ("id", "left"),
        ("state", "left"),
        ("steps", "right"),
        ("GPU-hours", "right"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]  # rich's literal type
    for place in places:
        needed = cost(place.run)
        table.add_row(
            place.run.slot,
            place.run.id[:12],
            _state(place),
            str(place.run.steps),
            f"{needed.low:.2g}–{needed.high:.2g}",
        )
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)
    left = total(place.run for place in places if place.state != "finished")
    console.print(f"{left.runs} of {len(places)} runs to do: {left.low:.3g} to {left.high:.3g} GPU-hours")
    console.print(
        f"Assumed: one A100 (312 bf16 TFLOP/s) at {EFFICIENCY[0]:.0%} to {EFFICIENCY[1]:.0%} of its peak, "
        f"texts of {TEXT_LENGTH[0]} to {TEXT_LENGTH[1]} tokens.",
        style="dim",
    )


def _state(place: Place) -> str:
    word = WORDS[place.state]
    if not place.changes:
        return word
    first = sorted(place.changes, key=lambda change: change.startswith("code."))[0]
    more = f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
    return f"{word}: {first}{more}"
