"""The plan of a manifest as a table or JSON."""

import json
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from repro.execute.folders import Place
from repro.plan.budget import Range, cost, disk_gibibytes, gibibytes, gpu_gibibytes
from repro.plan.figures import digits, figure, span
from repro.plan.processor import cpu_hours
from repro.plan.structure import Structure
from repro.report.console import literal
from repro.report.plan_machine import Machine, to_do
from repro.report.plan_notes import assumed, composition, disk, problems, sums

WORDS = {"finished": "cached", "unfinished": "goes on", "new": "to do", "changed": "to do again"}
TOO_LARGE = "too large"


def plan_json(places: Sequence[Place], built: Sequence[Structure | None], machine: Machine) -> str:
    """Every run with its id, state, reasons, cost, and what it is built of."""
    return json.dumps(
        [_record(place, one, machine) for place, one in zip(places, built, strict=True)],
        indent=1,
    )


def _record(place: Place, built: Structure | None, machine: Machine) -> dict[str, Any]:
    run = place.run
    needed, used = cost(run), cpu_hours(run, machine.operations)
    return {
        "run": run.slot,
        "id": run.id,
        "state": TOO_LARGE if machine.cannot(place) else place.state,
        "changes": list(place.changes),
        "steps": run.steps,
        "gpu_hours": [digits(needed.low), digits(needed.high)],
        "gpu_memory_gib": _rounded(gpu_gibibytes(run)),
        "cpu_hours": [digits(used.low), digits(used.high)] if machine.holds(run) else None,
        "cpu_memory_gib": round(gibibytes(run), 2),
        "disk_gib": digits(disk_gibibytes(run)),
        "obstacle": machine.obstacle(run),
        "built": built.model_dump(mode="json") if built else None,
        "folder": str(place.folder.path),
    }


def print_plan(places: Sequence[Place], built: Sequence[Structure | None], machine: Machine) -> None:
    """A line per run, the sum, the disk, what the models are built of, and what the estimate assumes."""
    console = literal(160)
    console.print(_table(places, machine))
    console.print(sums(places, machine))
    line, enough = disk(to_do(places, machine), machine)
    console.print(line, style=None if enough else "bold", soft_wrap=True)
    runs = [place.run for place in places]
    for line in dict.fromkeys(composition(run, one) for run, one in zip(runs, built, strict=True) if one):
        console.print(line)
    for line in problems(places, machine):
        console.print(line, style="bold", soft_wrap=True)
    console.print(assumed(machine), style="dim")


def _table(places: Sequence[Place], machine: Machine) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("run", "id", "state"):
        table.add_column(column)
    for column in ("steps", "GPU-hours", "GPU GiB", "CPU-hours", "CPU GiB", "disk GiB"):
        table.add_column(column, justify="right")
    for place in places:
        needed, memory, used = cost(place.run), gpu_gibibytes(place.run), cpu_hours(place.run, machine.operations)
        table.add_row(
            place.run.slot,
            place.run.id[:12],
            TOO_LARGE if machine.cannot(place) else _state(place),
            str(place.run.steps),
            span(needed.low, needed.high),
            span(memory.low, memory.high),
            span(used.low, used.high) if machine.holds(place.run) else "–",
            figure(gibibytes(place.run)),
            figure(disk_gibibytes(place.run)),
            style="bold" if machine.cannot(place) else None,
        )
    return table


def _rounded(estimate: Range) -> list[float]:
    return [round(estimate.low, 1), round(estimate.high, 1)]


def _state(place: Place) -> str:
    word = WORDS[place.state]
    if not place.changes:
        return word
    first = sorted(place.changes, key=lambda change: change.startswith("code."))[0]
    more = f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
    return f"{word}: {first}{more}"
