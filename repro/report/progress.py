"""Progress of runs: bars on a terminal, plain lines elsewhere."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from repro.evidence.folder import RunFolder
from repro.execute.folders import Place
from repro.execute.queue import Watcher
from repro.plain import one_line
from repro.report.console import literal


@contextmanager
def watcher(places: Sequence[Place]) -> Iterator[Watcher]:
    """Whoever fits the output: a live display on a terminal, else one line when a run starts and ends."""
    cached = sum(place.state == "finished" for place in places)
    if cached:
        print(f"{cached} of {len(places)} runs are finished already", flush=True)
    if not sys.stdout.isatty():
        yield Plain()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[now]}", markup=False),
    )
    with Progress(*columns, console=literal(160)) as progress:
        yield Live(progress, len(places) - cached)


class Plain:
    """One line when a run starts, one when it ends."""

    def started(self, place: Place) -> None:
        """Say what starts, and why a run is done again."""
        print(f"{place.run.slot}: {_opening(place)}", flush=True)

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Nothing: whoever wants more reads `repro status`."""

    def ended(self, place: Place, problem: str | None) -> None:
        """Say how it ended."""
        print(f"{place.run.slot}: {one_line(problem or _ending(place.folder))}", flush=True)


class Live:
    """A bar for each run under way, and one for all."""

    def __init__(self, progress: Progress, runs: int) -> None:
        self._progress = progress
        self._all = progress.add_task("all runs", total=runs, now="")
        self._bars: dict[RunFolder, TaskID] = {}

    def started(self, place: Place) -> None:
        """Add a bar."""
        steps = max(1, place.run.steps)
        self._bars[place.folder] = self._progress.add_task(place.run.slot, total=steps, now=_opening(place))

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Move the bars."""
        for folder in folders:
            now = _now(folder)
            self._progress.update(self._bars[folder], completed=now.get("step", 0), now=describe(now))

    def ended(self, place: Place, problem: str | None) -> None:
        """Take the bar away, if it ever had one (a held run never starts); leave a line."""
        if place.folder in self._bars:
            self._progress.remove_task(self._bars.pop(place.folder))
        self._progress.advance(self._all)
        self._progress.console.print(f"{place.run.slot}: {problem or _ending(place.folder)}")


def describe(now: dict[str, Any]) -> str:
    """Step, loss, speed, EI so far and time left, as far as known."""
    if "step" not in now:
        return str(now.get("phase", "starting"))
    left = (now["steps"] - now["step"]) * now.get("seconds_per_step", 0.0)
    loss = now.get("loss")
    parts = [
        f"step {now['step']}/{now['steps']}",
        f"loss {loss:.3f}" if loss is not None else "loss not finite",
        f"{now.get('tokens_per_second', 0):.0f} tokens/s",
        _reading(now).strip(" ()"),
        f"{left / 60:.0f} min left" if left >= 60 else f"{left:.0f} s left",
    ]
    return " · ".join(part for part in parts if part)


def _reading(now: dict[str, Any]) -> str:
    if "entanglement_intensity" not in now:
        return ""
    value = now["entanglement_intensity"]
    return " (EI undefined)" if value is None else f" (EI {value:.3f})"


def _ending(folder: RunFolder) -> str:
    """What a run came to: its EI, or why its numbers never count."""
    end = folder.done()
    if end and end.status == "diverged":
        return f"{end.reason}; its numbers never count"
    return f"finished{_reading(_now(folder))}"


def _opening(place: Place) -> str:
    match place.state:
        case "unfinished":
            return "goes on from its last checkpoint"
        case "changed":
            first = sorted(place.changes, key=lambda change: change.startswith("code."))[0]
            return f"starts again, since it changed: {first}" + (
                f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
            )
        case _:
            return "starts"


def _now(folder: RunFolder) -> dict[str, Any]:
    try:
        content = json.loads((folder.path / "progress.json").read_text())
    except (OSError, ValueError):
        return {}  # not written yet: progress is not evidence
    return content if isinstance(content, dict) else {}
