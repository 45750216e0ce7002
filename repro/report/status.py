"""What lies in a results folder: runs under way, finished, and left unfinished."""

import json
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.table import Table

from repro.evidence.folder import RunFolder
from repro.execute.elsewhere import at_work
from repro.execute.jobs import last_line
from repro.report.console import literal
from repro.report.progress import describe


def print_status(results: Path) -> None:
    """A line per run folder."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("experiment", "run", "state", "now"):
        table.add_column(column)
    folders = sorted(path.parent for path in (results / "runs").glob("*/*/run.json"))
    elsewhere = at_work(results)
    for folder in folders:
        now = _read(folder / "progress.json")
        state = _state(folder, now)
        if state == "unfinished":
            state = elsewhere.get(folder, state)
        table.add_row(folder.parent.name, folder.name, state, _told(folder, state, now))
    literal(160).print(table if folders else f"no runs under {results / 'runs'}")


def _state(folder: Path, now: dict[str, Any]) -> str:
    done = _read(folder / "done.json")
    if done:
        return str(done.get("status"))
    return "running" if _alive(now.get("pid")) else "unfinished"


def _told(folder: Path, state: str, now: dict[str, Any]) -> str:
    """How far a run is, why it diverged, or the last words of one that nobody works on."""
    if state.startswith("running"):
        return describe(now)
    if state == "diverged":
        return str(_read(folder / "done.json").get("reason")).removeprefix("diverged ")
    words = last_line(RunFolder(folder)) if state == "unfinished" else ""
    return f"last in its log: {words}" if words else ""


def _alive(pid: Any) -> bool:
    try:
        return isinstance(pid, int) and "repro.worker" in psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError):
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
