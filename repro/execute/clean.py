"""What takes disk, and which of it can go without touching evidence.

Evidence is everything that a done marker names, and everything of a run that is not finished (it goes on from there).
What can go: states and scratch files of finished runs, folders of runs begun and given up before their first
checkpoint, cached models and texts (they can be fetched again), and what builds of images leave behind.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.manifest.load import ROOT

PASSING = ("state.safetensors", "progress.json", "progress.tmp", "job.json", "exit.json", "host.json")
"""Files of a run that only matter while it is under way."""
RECENT = 600  # seconds since a worker last showed itself


@dataclass(frozen=True)
class Item:
    """Something on disk: why it can go, or why it stays."""

    path: Path
    bytes: int
    why: str
    removable: bool


def inventory(results: Path, cache: Path) -> list[Item]:
    """Everything of this project on this disk, largest first."""
    items = [*_runs(results), *_others(results), *_cached(cache), *_builds()]
    return sorted((item for item in items if item.bytes), key=lambda item: -item.bytes)


def remove(items: Iterable[Item]) -> None:
    """Remove what is removable; nothing else."""
    for item in items:
        if item.removable and item.path.is_dir():
            shutil.rmtree(item.path)
        elif item.removable:
            item.path.unlink(missing_ok=True)


def _runs(results: Path) -> Iterator[Item]:
    for request in sorted((results / "runs").glob("*/*/run.json")):
        folder = RunFolder(request.parent)
        marker = folder.done()
        if marker is not None:
            passing = [folder.path / name for name in PASSING]
            yield from (Item(path, size(path), "a finished run does not need it", True) for path in passing)
            kept = [folder.path / name for name in marker["files"]]
            yield Item(folder.path, sum(map(size, kept)), "evidence", False)
        elif folder.state.exists() or _under_way(folder):
            yield Item(folder.path, size(folder.path), "unfinished: repro run goes on from here", False)
        else:
            yield Item(folder.path, size(folder.path), "begun, given up before its first checkpoint", True)


def _under_way(folder: RunFolder) -> bool:
    """Whether a worker without a host may be at it: a container or a job outlives the command that started it."""
    progress = folder.path / "progress.json"
    recent = progress.exists() and time.time() - progress.stat().st_mtime < RECENT
    return recent or (folder.path / "job.json").exists()


def _others(results: Path) -> Iterator[Item]:
    store, jobs = results / "repro.duckdb", results / "slurm"
    yield Item(store, size(store), "index of the evidence: repro ingest makes it again", False)
    waiting = any(not (path.parent / "done.json").exists() for path in (results / "runs").glob("*/*/job.json"))
    why = "jobs may need them" if waiting else "logs and parcels of ended cluster jobs"
    yield Item(jobs, size(jobs), why, not waiting)


def _cached(cache: Path) -> Iterator[Item]:
    for kind in ("models", "data"):
        for path in sorted((cache / kind).glob("*")):
            yield Item(path, size(path), "cache: repro fetch brings it again", True)


def _builds() -> Iterator[Item]:
    for path in sorted((ROOT / "build" / "images").glob("*")):
        if path.is_dir():
            yield Item(path, size(path), "wheels and scratch of image builds", True)


def size(path: Path) -> int:
    """Bytes of a file, or of everything below a folder; 0 for what is not there."""
    if path.is_dir():
        return sum(below.lstat().st_size for below in path.rglob("*") if below.is_file())
    return path.lstat().st_size if path.exists() else 0


def total(items: Sequence[Item], removable: bool) -> int:
    """Bytes of what can go, or of what stays."""
    return sum(item.bytes for item in items if item.removable is removable)
