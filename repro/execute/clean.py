"""What takes disk, and which of it can go without touching evidence.

Evidence is everything that a done marker names, and everything of a run that is not finished (it goes on from there).
Leftovers are states and scratch files of finished runs, folders of runs begun and given up before anything was measured,
what broken builds of images leave behind, and copies of models that no manifest means any more (a model's folder is named
for everything that decides its weights, so a changed entry leaves the old one behind). The cache (models, texts, wheels)
can be fetched again, at a price: it goes only when that is asked for by itself. Nothing of it goes under a worker that
reads it. Only what repro itself wrote goes, file by file: a folder may hold what somebody else put there.
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

from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import PASSING, RunFolder, is_written
from repro.evidence.marker import INSIDE
from repro.evidence.request import read_request
from repro.execute.folders import build_folder
from repro.execute.own import read_own
from repro.manifest.load import load_models

Kind = Literal["evidence", "leftover", "cache"]
FETCHED = "cache: made or fetched again when needed"
OUTDATED = "no manifest's model names this folder any more"
_PARCEL = re.compile(r"(\.?\d+(_\d+)*_|submission_file_|\.submission_file_)[\w.]+\.(pkl|out|err|sh)")
"""Files of submitit's folder."""
RECENT = 600  # seconds since a worker last showed itself


@dataclass(frozen=True)
class Item:
    """Something on disk, and why it can go or stays."""

    path: Path
    bytes: int
    why: str
    kind: Kind
    files: tuple[str, ...] = ()
    """Of a folder that may hold other people's files too: those that repro wrote."""


def inventory(results: Path, cache: Path, builds: Path | None = None) -> list[Item]:
    """Everything of this project on this disk, largest first."""
    builds = builds or build_folder() / "images"
    items = [*_runs(results), *_others(results), *_cached(cache), *_builds(builds)]
    return sorted((item for item in items if item.bytes), key=lambda item: -item.bytes)


def remove(items: Iterable[Item], cache: Path, kinds: Sequence[Kind]) -> None:
    """Remove what is of these kinds; evidence never. Raises SetupError while a worker reads the cache that is to go."""
    going = [item for item in items if item.kind in kinds and item.kind != "evidence"]
    if any(item.kind == "cache" or cache in item.path.parents for item in going) and (process := _reader(cache)):
        way = "wait for it, or leave out --cache" if "cache" in kinds else "wait for it"
        raise SetupError(f"{cache}: a worker reads it (process {process}); {way}")
    for item in going:
        _remove(item.path, item.files)


def _remove(path: Path, files: Sequence[str]) -> None:
    """Remove a file, a folder, or of a folder these files alone, and what is empty then."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    elif not files:
        shutil.rmtree(path)
    else:
        for name in files:
            (path / name).unlink(missing_ok=True)
        for folder, _, _ in sorted(os.walk(path), reverse=True):
            with suppress(OSError):  # not empty: somebody else's file is in it
                os.rmdir(folder)


def _runs(results: Path) -> Iterator[Item]:
    for path in sorted((results / "runs").glob("*/*")):
        if not path.is_dir():
            continue
        folder = RunFolder(path)
        if path.is_symlink() or not ((path / "run.json").exists() or (path / "done.json").exists()):
            continue  # not ours: many programs keep a folder of this name
        try:
            marker = folder.done()
        except EvidenceError:
            yield Item(path, size(path), "its marker cannot be read: repro ingest says what to do", "evidence")
            continue
        if marker is not None:
            passing = [path / name for name in PASSING if name not in marker.files]
            yield from (Item(item, size(item), "a finished run does not need it", "leftover") for item in passing)
            yield Item(path, sum(size(path / name) for name in marker.files), "evidence", "evidence")
        elif _worth_keeping(folder):
            yield Item(path, size(path), "unfinished: repro run goes on from here", "evidence")
        elif _ours(path):
            written = tuple(name for name in _files(path) if is_written(name))
            yield Item(path, size(path), "begun, given up before anything was measured", "leftover", written)


def _ours(path: Path) -> bool:
    """Whether a folder is a run's: its request can be read, and names the folder."""
    try:
        request = read_request(path)
    except EvidenceError:
        return False
    return path.name == f"{request.slot}-{request.id[:12]}" and path.parent.name == request.run.experiment


def _files(path: Path) -> list[str]:
    return [str(below.relative_to(path)) for below in path.rglob("*") if not below.is_dir()]


def _worth_keeping(folder: RunFolder) -> bool:
    """Whether there is something to go on from, or a worker without a host: containers and jobs outlive their command."""
    progress = folder.path / "progress.json"
    recent = progress.exists() and time.time() - progress.stat().st_mtime < RECENT
    measured = folder.state.exists() or any(folder.path.glob("steps/*.parquet"))
    return measured or recent or (folder.path / "job.json").exists()


def _others(results: Path) -> Iterator[Item]:
    store, jobs = results / "repro.duckdb", results / "slurm"
    yield Item(store, size(store), "index of the evidence: repro ingest makes it again", "evidence")
    if any(not (path.parent / "done.json").exists() for path in (results / "runs").glob("*/*/job.json")):
        yield Item(jobs, size(jobs), "cluster jobs may need it", "evidence")
    else:
        parcels = tuple(name for name in _files(jobs) if _PARCEL.fullmatch(name))
        bytes = sum(size(jobs / name) for name in parcels)
        yield Item(jobs, bytes, "logs and parcels of ended cluster jobs", "leftover", parcels)


def _cached(cache: Path) -> Iterator[Item]:
    own = read_own(cache)
    for path in (cache / name for name in sorted(own) if not name.startswith("models/")):
        yield Item(path, size(path), FETCHED, "cache")
    named, process = {model.folder for model in load_models().values()}, _reader(cache)
    for path in (cache / name for name in sorted(own) if name.startswith("models/")):
        if not path.exists():
            continue
        if path.name in named or not (path / "identity.json").exists():  # without it: somebody may be fetching it
            yield Item(path, size(path), FETCHED, "cache", _fetched(path))
        elif process:
            why = f"{OUTDATED}, but a worker reads the cache (process {process})"
            yield Item(path, size(path), why, "cache", _fetched(path))
        else:
            yield Item(path, size(path), OUTDATED, "leftover", _fetched(path))


def _fetched(folder: Path) -> tuple[str, ...]:
    """The files of a model as they were noted when they came; none where nothing is noted: all of it is ours then."""
    try:
        noted = json.loads((folder / "identity.json").read_text()).get("files", {})
    except (OSError, ValueError, AttributeError):
        return ()
    return (*(name for name in noted if INSIDE.fullmatch(name)), "identity.json") if noted else ()


def _builds(builds: Path) -> Iterator[Item]:
    for path in sorted(builds.glob("*/")):
        if path.name.startswith("wheels-") and path.suffix != ".partial":
            yield Item(path, size(path), "cache: repro images downloads these wheels again", "cache")
        elif path.name == "debs":
            yield Item(path, size(path), "what images are rebuilt from when Debian has moved on", "evidence")
        elif path.name.startswith(("tmp", "wheels-")) and time.time() - path.stat().st_mtime > RECENT:
            yield Item(path, size(path), "left by a build that broke off", "leftover")


def _reader(cache: Path) -> int | None:
    """A worker of this machine that was given this cache."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []  # None for a process of somebody else's
        if "repro.worker" in words and str(cache) in words:
            return int(process.pid)
    return None


def size(path: Path) -> int:
    """Bytes of a file, or of everything below a folder; 0 for what is not there."""
    if path.is_dir():
        return sum(below.lstat().st_size for below in path.rglob("*") if below.is_file())
    return path.lstat().st_size if path.exists() else 0


def total(items: Iterable[Item], kind: Kind) -> int:
    """Bytes of all items of a kind."""
    return sum(item.bytes for item in items if item.kind == kind)
