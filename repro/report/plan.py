"""The plan of a manifest as a table or JSON."""

import json
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from repro.execute.folders import Place
from repro.plan.budget import (
    EFFICIENCY,
    GPU_GIB,
    TEXT_LENGTH,
    Range,
    cost,
    disk_gibibytes,
    gibibytes,
    gpu_gibibytes,
    models_gibibytes,
    obstacle,
    total,
)

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
                "gpu_memory_gib": _rounded(gpu_gibibytes(place.run)),
                "cpu_memory_gib": round(gibibytes(place.run), 2),
                "disk_gib": round(disk_gibibytes(place.run), 4),
                "obstacle": obstacle(place.run),
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
        ("GPU GiB", "right"),
        ("disk GiB", "right"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]  # rich's literal type
    for place in places:
        needed, memory = cost(place.run), gpu_gibibytes(place.run)
        table.add_row(
            place.run.slot,
            place.run.id[:12],
            _state(place),
            str(place.run.steps),
            f"{needed.low:.2g}–{needed.high:.2g}",
            f"{memory.low:.0f}–{memory.high:.0f}",
            f"{disk_gibibytes(place.run):.2g}",
        )
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)
    left = total(place.run for place in places if place.state != "finished")
    console.print(f"{left.runs} of {len(places)} runs to do: {left.low:.3g} to {left.high:.3g} GPU-hours")
    runs = [place.run for place in places]
    console.print(
        f"disk: {sum(map(disk_gibibytes, runs)):.3g} GiB of evidence, {models_gibibytes(runs):.3g} GiB of models in the cache"
    )
    for problem in sorted({f"{run.model.id}: {words}" for run in runs if (words := obstacle(run))}):
        console.print(problem, style="bold")
    console.print(
        f"Assumed: one A100 (312 bf16 TFLOP/s) at {EFFICIENCY[0]:.0%} to {EFFICIENCY[1]:.0%} of its peak, "
        f"texts of {TEXT_LENGTH[0]} to {TEXT_LENGTH[1]} tokens; memory from the shortest such text to one of "
        f"the protocol's full length, of the {GPU_GIB} GiB one GPU has.",
        style="dim",
    )


def _rounded(estimate: Range) -> list[float]:
    return [round(estimate.low, 1), round(estimate.high, 1)]


def _state(place: Place) -> str:
    word = WORDS[place.state]
    if not place.changes:
        return word
    first = sorted(place.changes, key=lambda change: change.startswith("code."))[0]
    more = f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
    return f"{word}: {first}{more}"
