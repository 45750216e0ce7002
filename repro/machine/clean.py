"""List what takes disk, and remove what can go without touching evidence.

Evidence is everything that a done marker names, and everything of an unfinished run (it resumes
from there). Leftovers are states and scratch files of finished runs, folders of runs given up
before anything was measured, remains of failed image builds, and copies of models that no manifest
names any more (a model's folder is named for everything that decides its weights, so a changed
entry leaves the old one behind). The cache (models, texts, wheels) can be fetched again, at a
price: it is removed only on explicit request. Nothing of it is removed while a worker reads it.
Only files that repro itself wrote are removed, one by one: a folder may hold other people's files.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from repro.cache import IDENTITY, MODELS, is_fetched, read_own
from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import PASSING, RunFolder, is_written
from repro.evidence.marker import INSIDE
from repro.evidence.request import lies_right, read_request
from repro.evidence.supplied import supplied_folders
from repro.execute.folders import build_folder
from repro.execute.repair import ASIDE
from repro.execute.worker_command import is_worker
from repro.manifest.load import load_models
from repro.store.faults import fault_of, noted_folders
from repro.store.ingest import run_folders

ItemKind = Literal["evidence", "leftover", "cache"]
FETCHED = "cache: made or fetched again when needed"
DAMAGED = "left out: "
"""Said before what is wrong with a run's folder."""
OUTDATED = "no manifest's model names this folder any more"
_PARCEL = re.compile(
    r"(\.?\d+(_\d+)*_|submission_file_|\.submission_file_)[\w.]+\.(pkl|out|err|sh)"
)
"""Files of submitit's folder."""
RECENT = 600  # seconds since a worker last showed itself


@dataclass(frozen=True)
class Item:
    """A file or folder on disk, and why it can go or stays."""

    path: Path
    bytes: int
    why: str
    kind: ItemKind
    files: tuple[str, ...] = ()
    """In a folder that may hold other people's files: those that repro wrote."""


def inventory(results: Path, cache: Path, builds: Path | None = None) -> list[Item]:
    """Return everything of this project on this disk, largest first."""
    builds = builds or build_folder() / "images"
    items = [*_runs(results), *_others(results), *_cached(cache), *_builds(builds)]
    return sorted((item for item in items if item.bytes), key=lambda item: -item.bytes)


def remove(items: Iterable[Item], cache: Path, kinds: Sequence[ItemKind]) -> None:
    """Remove the items of these kinds, but never evidence.

    Raises SetupError while a worker reads the cache that would be removed.
    """
    going = [item for item in items if item.kind in kinds and item.kind != "evidence"]
    if any(item.kind == "cache" or cache in item.path.parents for item in going) and (
        process := _reader(cache)
    ):
        way = "wait for it, or leave out --cache" if "cache" in kinds else "wait for it"
        raise SetupError(f"{cache}: a worker reads it (process {process}); {way}")
    for item in going:
        _remove(item.path, item.files)


def _remove(path: Path, files: Sequence[str]) -> None:
    """Remove a file, a folder, or only these files of a folder and any folder left empty."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    elif not files:
        shutil.rmtree(path)
    else:
        for name in files:
            (path / name).unlink(missing_ok=True)
        for folder, _, _ in sorted(os.walk(path), reverse=True):
            with suppress(OSError):  # Not empty: it holds a foreign file.
                os.rmdir(folder)


def _runs(results: Path) -> Iterator[Item]:
    """Yield what lies in the run folders."""
    noted = noted_folders(results)
    for path in run_folders(results):
        if path.is_symlink():
            continue  # Not ours: many programs have a folder named runs.
        if fault := fault_of(path, noted.get(f"{path.parent.name}/{path.name}")):
            yield Item(path, size(path), f"{DAMAGED}{fault}", "evidence")
            continue
        folder = RunFolder(path)
        if (marker := folder.done()) is not None:
            passing = [path / name for name in PASSING if name not in marker.files]
            yield from (
                Item(item, size(item), "a finished run does not need it", "leftover")
                for item in passing
            )
            yield Item(
                path, sum(size(path / name) for name in marker.files), "evidence", "evidence"
            )
        elif _worth_keeping(folder):
            yield Item(path, size(path), "unfinished: repro run goes on from here", "evidence")
        elif _ours(path):
            written = tuple(name for name in _files(path) if is_written(name))
            yield Item(
                path,
                size(path),
                "begun, given up before anything was measured",
                "leftover",
                written,
            )


def _ours(path: Path) -> bool:
    """Return whether a folder is a run's: its request can be read, and names the folder."""
    try:
        request = read_request(path)
    except EvidenceError:
        return False
    return lies_right(path, request)


def _files(path: Path) -> list[str]:
    """Return the files below a folder, as relative paths."""
    return [str(below.relative_to(path)) for below in path.rglob("*") if not below.is_dir()]


def _worth_keeping(folder: RunFolder) -> bool:
    """Return whether a run can resume from here, or may have a worker: containers and jobs
    outlive their command.
    """
    progress = folder.path / "progress.json"
    recent = progress.exists() and time.time() - progress.stat().st_mtime < RECENT
    return folder.begun or recent or (folder.path / "job.json").exists()


def _others(results: Path) -> Iterator[Item]:
    """Yield the store, what authors sent, and the files of cluster jobs."""
    store, jobs = results / "repro.duckdb", results / "slurm"
    yield Item(store, size(store), "index of the evidence: repro ingest makes it again", "evidence")
    for folder in sorted((results / ASIDE).glob("*/*")):
        yield Item(folder, size(folder), "left of a damaged run that was made again", "evidence")
    for folder in supplied_folders(results):
        yield Item(folder, size(folder), "evidence: what authors sent", "evidence")
    if any(
        not (path.parent / "done.json").exists() for path in (results / "runs").glob("*/*/job.json")
    ):
        yield Item(jobs, size(jobs), "cluster jobs may need it", "evidence")
    else:
        parcels = tuple(name for name in _files(jobs) if _PARCEL.fullmatch(name))
        bytes = sum(size(jobs / name) for name in parcels)
        yield Item(jobs, bytes, "logs and parcels of ended cluster jobs", "leftover", parcels)


def _cached(cache: Path) -> Iterator[Item]:
    """Yield what lies in the cache."""
    own = read_own(cache)
    for path in (cache / name for name in sorted(own) if not name.startswith(f"{MODELS}/")):
        yield Item(path, size(path), FETCHED, "cache")
    named, process = {model.folder for model in load_models().values()}, _reader(cache)
    for path in (cache / name for name in sorted(own) if name.startswith(f"{MODELS}/")):
        if not path.exists():
            continue
        # Not complete: another process may be fetching it.
        if path.name in named or not is_fetched(path):
            yield Item(path, size(path), FETCHED, "cache", _fetched(path))
        elif process:
            why = f"{OUTDATED}, but a worker reads the cache (process {process})"
            yield Item(path, size(path), why, "cache", _fetched(path))
        else:
            yield Item(path, size(path), OUTDATED, "leftover", _fetched(path))


def _fetched(folder: Path) -> tuple[str, ...]:
    """Return the files of a model as recorded on arrival.

    Empty without a record: then all of the folder is ours.
    """
    try:
        noted = json.loads((folder / IDENTITY).read_text(encoding="utf-8")).get("files", {})
    except (OSError, ValueError, AttributeError):
        return ()
    return (*(name for name in noted if INSIDE.fullmatch(name)), IDENTITY) if noted else ()


def _builds(builds: Path) -> Iterator[Item]:
    """Yield what builds of images left."""
    for path in sorted(builds.glob("*/")):
        if path.name.startswith("wheels-") and path.suffix != ".partial":
            yield Item(
                path, size(path), "cache: repro images downloads these wheels again", "cache"
            )
        elif path.name == "debs":
            yield Item(
                path,
                size(path),
                "what images are rebuilt from when Debian has moved on",
                "evidence",
            )
        elif (
            path.name.startswith(("tmp", "wheels-")) and time.time() - path.stat().st_mtime > RECENT
        ):
            yield Item(path, size(path), "left by a build that broke off", "leftover")


def _reader(cache: Path) -> int | None:
    """Return the process of a worker on this machine that uses this cache; None for none."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []  # None for another user's process.
        if is_worker(words) and str(cache) in words:
            return int(process.pid)
    return None


def size(path: Path) -> int:
    """Return the bytes of a file, or of everything below a folder; 0 for what does not exist."""
    if path.is_dir():
        return sum(below.lstat().st_size for below in path.rglob("*") if below.is_file())
    return path.lstat().st_size if path.exists() else 0


def total_bytes(items: Iterable[Item], kind: ItemKind) -> int:
    """Return the bytes of all items of a kind."""
    return sum(item.bytes for item in items if item.kind == kind)
