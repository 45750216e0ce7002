"""Progress of runs: bars on a terminal, plain lines elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from repro.evidence.folder import RunFolder
from repro.execute.folders import RunPlace
from repro.execute.queue import QueueWatcher
from repro.plain import one_line
from repro.report.terminal.console import literal

_PAUSE = 60.0
"""Seconds between two lines about a run where the output is no terminal."""


@contextmanager
def watcher(places: Sequence[RunPlace]) -> Iterator[QueueWatcher]:
    """Choose a display that fits the output: live on a terminal, else a line at start and end."""
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


@contextmanager
def blocks(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show, on standard error, how many blocks of a model are behind; nothing where that is no
    terminal.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("block {task.completed:.0f} of {task.fields[of]}", markup=False),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task(one_line(what), total=None, of="…")
        yield lambda done, of: progress.update(bar, completed=done, total=of, of=of)


class Plain:
    """One line when a run starts, one a minute while it is at work, one when it ends."""

    def __init__(self) -> None:
        self._slots: dict[RunFolder, str] = {}
        self._spoke = time.monotonic()

    def started(self, place: RunPlace) -> None:
        """Say what starts, and why a run is done again."""
        self._slots[place.folder] = place.run.slot
        print(f"{place.run.slot}: {_opening(place)}", flush=True)

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Say once a minute where each run is."""
        if time.monotonic() - self._spoke < _PAUSE:
            return
        self._spoke = time.monotonic()
        for folder in folders:
            print(f"{self._slots[folder]}: {describe_progress(_now(folder))}", flush=True)

    def ended(self, place: RunPlace, problem: str | None) -> None:
        """Say how it ended."""
        print(f"{place.run.slot}: {one_line(problem or _ending(place.folder))}", flush=True)


class Live:
    """A bar for each run under way, and one for all."""

    def __init__(self, progress: Progress, runs: int) -> None:
        self._progress = progress
        self._all = progress.add_task("all runs", total=runs, now="")
        self._bars: dict[RunFolder, TaskID] = {}

    def started(self, place: RunPlace) -> None:
        """Add a bar."""
        steps = max(1, place.run.steps)
        self._bars[place.folder] = self._progress.add_task(
            place.run.slot, total=steps, now=_opening(place)
        )

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Move the bars."""
        for folder in folders:
            now = _now(folder)
            self._progress.update(
                self._bars[folder], completed=_done(now), now=describe_progress(now)
            )

    def ended(self, place: RunPlace, problem: str | None) -> None:
        """Take the bar away, if it ever had one (a held run never starts); leave a line."""
        if place.folder in self._bars:
            self._progress.remove_task(self._bars.pop(place.folder))
        self._progress.advance(self._all)
        self._progress.console.print(f"{place.run.slot}: {problem or _ending(place.folder)}")


def describe_progress(now: dict[str, Any]) -> str:
    """Say step, loss, speed, EI so far and time left, as far as known.

    A file that a worker did not write so says nothing.
    """
    if "step" not in now and "block" in now:
        return _walked(now)
    if "step" not in now:
        return str(now.get("phase", "starting"))
    try:
        return _described(now)
    except (KeyError, TypeError, ValueError):
        return "its progress.json cannot be read"


def _described(now: dict[str, Any]) -> str:
    left = (now["steps"] - now["step"]) * now.get("seconds_per_step", 0.0)
    loss = now.get("loss")
    parts = [
        f"step {now['step']}/{now['steps']}",
        f"loss {loss:.3f}" if loss is not None else "loss not finite",
        f"{now.get('tokens_per_second', 0):.0f} tokens/s",
        _reading(now).strip(" ()"),
        _time_left(left),
    ]
    return " · ".join(part for part in parts if part)


def _walked(now: dict[str, Any]) -> str:
    """Say through which block a model has been measured, and the time left."""
    left = now.get("seconds_left")
    if not isinstance(left, int | float):
        return f"block {now['block']}/{now.get('blocks')}"
    return f"block {now['block']}/{now.get('blocks')} · {_time_left(left)}"


def _done(now: dict[str, Any]) -> float:
    """Return the finished steps, or the finished share of a model's blocks."""
    try:
        return float(now["block"] / now["blocks"] if "block" in now else now.get("step", 0))
    except (TypeError, KeyError, ValueError, ZeroDivisionError):
        return 0.0


def _time_left(seconds: float) -> str:
    return f"{seconds / 60:.0f} min left" if seconds >= 60 else f"{seconds:.0f} s left"


def _reading(now: dict[str, Any]) -> str:
    if "entanglement_intensity" not in now:
        return ""
    value = now["entanglement_intensity"]
    return " (EI undefined)" if value is None else f" (EI {value:.3f})"


def _ending(folder: RunFolder) -> str:
    """Say what a run came to: its EI, or why its numbers never count."""
    end = folder.done()
    if end and end.status == "diverged":
        return f"{end.reason}; its numbers never count"
    return f"finished{_reading(_now(folder))}"


def _opening(place: RunPlace) -> str:
    match place.state:
        case "unfinished" if place.folder.begun:
            return "goes on from its last checkpoint"
        case "changed":
            first = place.changes[0]
            return f"starts again, since it changed: {first}" + (
                f" (+{len(place.changes) - 1} more)" if len(place.changes) > 1 else ""
            )
        case _:
            return "starts"


def _now(folder: RunFolder) -> dict[str, Any]:
    try:
        content = json.loads((folder.path / "progress.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not written yet: progress is not evidence
    return content if isinstance(content, dict) else {}
