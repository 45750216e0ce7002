"""The plan of a manifest as a table or JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich import box
from rich.table import Table

from repro.cost.figures import Range, digits, figure, write_range
from repro.cost.space import disk_gibibytes, gpu_gibibytes
from repro.execute.folders import RunPlace
from repro.plan.structure import Structure
from repro.report.export.tables import TextTable, as_text
from repro.report.terminal.console import literal, print_whole
from repro.report.terminal.plan_notes import (
    Machine,
    by_block,
    composition,
    describe_assumptions,
    disk,
    plan_problems,
    sums,
    to_do,
)

_WORDS = {
    "finished": "cached", "unfinished": "goes on", "new": "to do", "changed": "to do again",
    "damaged": "damaged (`run --repair`)",
}  # fmt: skip
TOO_LARGE = "too large"
_COLUMNS = (
    "run", "id", "state", "steps", "GPU-hours", "cost", "GPU GiB", "CPU-hours", "CPU GiB",
    "disk GiB",
)  # fmt: skip
_DISPENSABLE = ("id", "steps", "disk GiB", "GPU GiB", "CPU GiB", "GPU-hours", "CPU-hours")
"""Columns that a narrow terminal does without, the first first."""


def plan_json(
    places: Sequence[RunPlace], built: Sequence[Structure | None], machine: Machine
) -> str:
    """Return, as JSON, every run with its id, state, reasons, cost, and what it is built of."""
    pairs = zip(places, built, strict=True)
    return json.dumps([_record(place, one, machine) for place, one in pairs], indent=1)


def _record(place: RunPlace, built: Structure | None, machine: Machine) -> dict[str, Any]:
    run = place.run
    needed, memory = machine.hours(machine.card, run), gpu_gibibytes(run)
    paid = {"cost": _digits(needed * machine.price)} if machine.price else {}
    return {
        "run": run.slot,
        "id": run.id,
        "state": TOO_LARGE if machine.cannot(place) else place.state,
        "changes": list(place.changes),
        "steps": run.steps,
        "gpu_hours": _digits(needed),
        **paid,
        "gpu_memory_gib": [round(memory.low, 1), round(memory.high, 1)],
        "cpu_hours": _digits(machine.hours(machine.core, run)) if machine.holds(run) else None,
        "cpu_memory_gib": round(machine.needed(run), 2),
        "disk_gib": digits(disk_gibibytes(run)),
        "obstacle": machine.obstacle(run),
        "built": built.model_dump(mode="json") if built else None,
        "folder": str(place.folder.path),
    }


def print_plan(
    places: Sequence[RunPlace], built: Sequence[Structure | None], machine: Machine
) -> None:
    """Print a line per run, the sum, the disk, what models are built of, and the assumptions."""
    console = literal(160)
    rows = [_row(place, machine) for place in places]
    columns = [name for name in _COLUMNS if name != "cost" or machine.price]
    print_whole(console, lambda columns: _table(columns, rows), columns, _DISPENSABLE)
    console.print(sums(places, machine))
    line, enough = disk(to_do(places, machine), machine)
    console.print(line, style=None if enough else "bold", soft_wrap=True)
    pairs = zip(places, built, strict=True)
    for line in dict.fromkeys(composition(place.run, one) for place, one in pairs if one):
        console.print(line)
    for line in by_block(places, machine):
        console.print(line, soft_wrap=True)
    for line in plan_problems(places, machine):
        console.print(line, style="bold", soft_wrap=True)
    console.print(describe_assumptions(places, machine), style="dim")


def plan_table(places: Sequence[RunPlace], machine: Machine) -> TextTable:
    """Return a row for each run, with the columns of the plan."""
    rows = [_row(place, machine) for place in places]
    return TextTable("plan", _COLUMNS, as_text([row[name] for name in _COLUMNS] for row in rows))


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        side: Literal["left", "right"] = "left" if column in ("run", "id", "state") else "right"
        most = 44 if column == "state" else None
        table.add_column(column, justify=side, no_wrap=column in ("run", "id"), max_width=most)
    for row in rows:
        style = "bold" if row["state"] == TOO_LARGE else None
        table.add_row(*(row[column] for column in columns), style=style)
    return table


def _row(place: RunPlace, machine: Machine) -> dict[str, str]:
    needed, held = machine.hours(machine.card, place.run), machine.holds(place.run)
    return {
        "run": place.run.slot,
        "id": place.run.id[:12],
        "state": TOO_LARGE if machine.cannot(place) else _state(place),
        "steps": str(place.run.steps),
        "GPU-hours": write_range(needed),
        "cost": write_range(needed * (machine.price or 0)),
        "GPU GiB": write_range(gpu_gibibytes(place.run)),
        "CPU-hours": write_range(machine.hours(machine.core, place.run)) if held else "–",
        "CPU GiB": figure(machine.needed(place.run)),
        "disk GiB": figure(disk_gibibytes(place.run)),
    }


def _digits(estimate: Range) -> list[float]:
    return [digits(estimate.low), digits(estimate.high)]


def _state(place: RunPlace) -> str:
    word = _WORDS["new" if place.state == "unfinished" and not place.folder.begun else place.state]
    if not place.changes or place.state == "damaged":  # its line is told whole, below
        return word
    first = place.changes[0]
    more = f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
    return f"{word}: {first}{more}"
