"""What lies in a results folder: runs under way, finished, and left unfinished."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.table import Table

from repro.evidence.folder import RunFolder
from repro.execute.jobs import last_said
from repro.execute.worker_command import is_worker
from repro.machine.elsewhere import at_work
from repro.plain import one_line
from repro.report.export.tables import TextTable, as_text
from repro.report.terminal.console import literal
from repro.report.terminal.progress import describe_progress
from repro.store.faults import fault_of, noted_folders
from repro.store.ingest import run_folders

_LEFT_OUT = "left out"
"""State of a run that cannot be trusted, or is none."""


def print_status(results: Path) -> None:
    """Print a line per run folder."""
    table, told = Table(box=box.SIMPLE_HEAD, pad_edge=False), status_table(results)
    for column in told.columns:
        table.add_column(column, no_wrap=column == "run", overflow="fold")
    for row in told.rows:
        table.add_row(*row)
    literal(160).print(table if told.rows else f"no runs under {results / 'runs'}")
    for row in told.rows:
        if row[2] == _LEFT_OUT:  # whole, in one line: the table folds it
            print(one_line(f"{_LEFT_OUT}: {row[3]}"))
    folders = _folders(results)
    for words, count in Counter(filter(None, map(_made_with, folders))).items():
        print(f"{count} of {len(folders)} {words}")


def status_table(results: Path) -> TextTable:
    """Return a row for each run folder: what state it is in, and what it is at."""
    elsewhere, noted, rows = at_work(results), noted_folders(results), []
    for folder in _folders(results):
        name = f"{folder.parent.name}/{folder.name}"
        if fault := fault_of(folder, noted.get(name)):
            rows.append((folder.parent.name, folder.name, _LEFT_OUT, fault))
            continue
        now = _read(folder / "progress.json")
        state = _state(folder, now)
        if state in ("unfinished", "not begun"):
            state = elsewhere.get(folder, state)
        rows.append((folder.parent.name, folder.name, state, _told(folder, state, now)))
    return TextTable("status", ("experiment", "run", "state", "now"), as_text(rows))


def _folders(results: Path) -> list[Path]:
    return [*run_folders(results)]


def _made_with(folder: Path) -> str:
    """Say what a run was made with, packages counted; empty before a worker began."""
    record = _read(folder / "provenance.json")
    environment, edition = _part(record, "environment"), _part(record, "environment", "edition")
    packages = _part(record, "attempts", -1, "packages")
    if not edition or not packages:
        return ""
    return (
        f"by edition {edition.get('code')}.{edition.get('packages')} of the "
        f"{environment.get('device')}'s numbers: sources "
        f"{environment.get('code')}, lock {environment.get('lock')}, image "
        f"{environment.get('image')}, "
        f'{len(packages)} packages (`repro sql "SELECT run_id, packages, sources FROM provenance"`)'
    )


def _state(folder: Path, now: dict[str, Any]) -> str:
    done = _read(folder / "done.json")
    if done:
        return str(done.get("status"))
    if _alive(now.get("pid")):
        return "running"
    return "unfinished" if RunFolder(folder).begun else "not begun"


def _told(folder: Path, state: str, now: dict[str, Any]) -> str:
    """Say how far a run is, why it diverged, or the last words of one that nobody works on."""
    if state.startswith("running"):
        return describe_progress(now)
    if state == "diverged":
        return str(_read(folder / "done.json").get("reason")).removeprefix("diverged ")
    words = last_said(RunFolder(folder)) if state in ("unfinished", "not begun") else ""
    return f"last in its log: {words}" if words else ""


def _alive(pid: Any) -> bool:
    try:
        return isinstance(pid, int) and is_worker(psutil.Process(pid).cmdline())
    except (psutil.Error, ValueError):
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        return _part(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _part(content: Any, *places: str | int) -> dict[str, Any]:
    """Return the mapping at a place of a file that anybody may have written; empty without one."""
    for place in places:
        try:
            content = content[place]
        except (TypeError, LookupError):
            return {}
    return content if isinstance(content, dict) else {}
