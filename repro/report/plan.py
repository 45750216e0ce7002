"""The plan of a manifest as a table or JSON."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
from repro.plan.processor import cpu_hours
from repro.plan.run import Run
from repro.plan.structure import Structure

WORDS = {"finished": "cached", "unfinished": "goes on", "new": "to do", "changed": "to do again"}


@dataclass(frozen=True)
class Machine:
    """What runs would have here."""

    gibibytes: float
    operations: float
    """float32 operations per second of one core."""

    def holds(self, run: Run) -> bool:
        """Whether the run fits this machine's memory."""
        return gibibytes(run) <= self.gibibytes


def plan_json(places: Sequence[Place], built: Sequence[Structure | None], machine: Machine) -> str:
    """Every run with its id, state, reasons, cost, and what it is built of."""
    return json.dumps(
        [_record(place, one, machine) for place, one in zip(places, built, strict=True)],
        indent=1,
    )


def _record(place: Place, built: Structure | None, machine: Machine) -> dict[str, Any]:
    run = place.run
    used = cpu_hours(run, machine.operations)
    return {
        "run": run.slot,
        "id": run.id,
        "state": place.state,
        "changes": list(place.changes),
        "steps": run.steps,
        "gpu_hours": [round(cost(run).low, 4), round(cost(run).high, 4)],
        "gpu_memory_gib": _rounded(gpu_gibibytes(run)),
        "cpu_hours": [round(used.low, 4), round(used.high, 4)] if machine.holds(run) else None,
        "cpu_memory_gib": round(gibibytes(run), 2),
        "disk_gib": round(disk_gibibytes(run), 4),
        "obstacle": obstacle(run),
        "built": built.model_dump(mode="json") if built else None,
        "folder": str(place.folder.path),
    }


def print_plan(places: Sequence[Place], built: Sequence[Structure | None], machine: Machine) -> None:
    """A line per run, the sum, what the models are built of, and what the estimate assumes."""
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(_table(places, machine))
    left = [place.run for place in places if place.state != "finished"]
    hours = total(left)
    console.print(
        f"{hours.runs} of {len(places)} runs to do: {hours.low:.3g} to {hours.high:.3g} GPU-hours{_here(left, machine)}"
    )
    runs = [place.run for place in places]
    evidence, models = sum(map(disk_gibibytes, runs)), models_gibibytes(runs)
    console.print(f"disk: {evidence:.3g} GiB of evidence, {models:.3g} GiB of models in the cache")
    for line in dict.fromkeys(_composition(run, one) for run, one in zip(runs, built, strict=True) if one):
        console.print(line)
    for problem in sorted({f"{run.model.id}: {words}" for run in runs if (words := obstacle(run))}):
        console.print(problem, style="bold")
    console.print(
        f"Assumed: one A100 (312 bf16 TFLOP/s) at {EFFICIENCY[0]:.0%} to {EFFICIENCY[1]:.0%} of its peak, "
        f"texts of {TEXT_LENGTH[0]} to {TEXT_LENGTH[1]} tokens; memory from the shortest such text to one of "
        f"the protocol's full length, of the {GPU_GIB} GiB one GPU has. CPU: hours of one core, which multiplies "
        f"{machine.operations / 1e9:.0f} float32 GFLOP/s here (measured); – where {machine.gibibytes:.0f} GiB do not hold the run.",
        style="dim",
    )


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
            _state(place),
            str(place.run.steps),
            f"{needed.low:.2g}–{needed.high:.2g}",
            f"{memory.low:.0f}–{memory.high:.0f}",
            f"{used.low:.2g}–{used.high:.2g}" if machine.holds(place.run) else "–",
            f"{gibibytes(place.run):.1f}",
            f"{disk_gibibytes(place.run):.2g}",
        )
    return table


def _here(runs: Sequence[Run], machine: Machine) -> str:
    """The sum in processor time, where this machine holds every run."""
    if not runs or not all(map(machine.holds, runs)):
        return ""
    used = [cpu_hours(run, machine.operations) for run in runs]
    return f", or {sum(one.low for one in used):.2g} to {sum(one.high for one in used):.2g} hours of one core"


def _composition(run: Run, built: Structure) -> str:
    """What the run's model and adapter are made of, as built without weights."""
    adapter = built.adapter
    if run.steps == 0:
        trained = ""
    elif run.training.trained.kind == "full":
        trained = ", all of them trained"
    else:
        kind, found = run.training.trained.kind, sum(adapter.modules.values())
        counts = f"{adapter.matrices} matrices, {_short(adapter.parameters)} trained"
        trained = f"; {kind} on {found} modules, every target found: {counts}"
    size = f"{_short(built.parameters)} parameters, {built.layers} blocks of width {built.hidden_size}"
    return f"{run.model.id} as built: {size}{trained}"


def _short(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count >= 1e9 else f"{count / 1e6:.1f} M"


def _rounded(estimate: Range) -> list[float]:
    return [round(estimate.low, 1), round(estimate.high, 1)]


def _state(place: Place) -> str:
    word = WORDS[place.state]
    if not place.changes:
        return word
    first = sorted(place.changes, key=lambda change: change.startswith("code."))[0]
    more = f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
    return f"{word}: {first}{more}"
