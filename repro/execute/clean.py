"""What takes disk, and which of it can go without touching evidence.

Evidence is everything that a done marker names, and everything of a run that is not finished (it goes on from there).
Leftovers are states and scratch files of finished runs, folders of runs begun and given up before anything was measured,
what broken builds of images leave behind, and copies of models that no manifest means any more (a model's folder is named
for everything that decides its weights, so a changed entry leaves the old one behind). The cache (models, texts, wheels)
can be fetched again, at a price: it goes only when that is asked for by itself. Nothing of it goes under a worker that
reads it.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import RunFolder
from repro.manifest.load import ROOT, load_models

Kind = Literal["evidence", "leftover", "cache"]
FETCHED = "cache: made or fetched again when needed"
OUTDATED = "no manifest's model names this folder any more"
PASSING = (
    "state.safetensors",
    "state.earlier.safetensors",
    "state.measured.safetensors",
    "progress.json",
    "progress.tmp",
    "job.json",
    "exit.json",
    "host.json",
)
"""Files of a run that only matter while it is under way."""
RECENT = 600  # seconds since a worker last showed itself


@dataclass(frozen=True)
class Item:
    """Something on disk, and why it can go or stays."""

    path: Path
    bytes: int
    why: str
    kind: Kind


def inventory(results: Path, cache: Path, builds: Path = ROOT / "build" / "images") -> list[Item]:
    """Everything of this project on this disk, largest first."""
    items = [*_runs(results), *_others(results), *_cached(cache), *_builds(builds)]
    return sorted((item for item in items if item.bytes), key=lambda item: -item.bytes)


def remove(items: Iterable[Item], cache: Path, kinds: Sequence[Kind]) -> None:
    """Remove what is of these kinds; evidence never. Raises SetupError while a worker reads the cache that is to go."""
    going = [item for item in items if item.kind in kinds and item.kind != "evidence"]
    if any(item.kind == "cache" or cache in item.path.parents for item in going) and (process := _reader(cache)):
        way = "wait for it, or leave out --cache" if "cache" in kinds else "wait for it"
        raise SetupError(f"{cache}: a worker reads it (process {process}); {way}")
    for item in going:
        if item.path.is_dir():
            shutil.rmtree(item.path)
        else:
            item.path.unlink(missing_ok=True)


def _runs(results: Path) -> Iterator[Item]:
    for path in sorted((results / "runs").glob("*/*")):
        if not path.is_dir():
            continue
        folder = RunFolder(path)
        try:
            marker = folder.done()
        except EvidenceError:
            yield Item(path, size(path), "its marker cannot be read: repro ingest says what to do", "evidence")
            continue
        if marker is not None:
            passing = [path / name for name in PASSING if name not in marker["files"]]
            yield from (Item(item, size(item), "a finished run does not need it", "leftover") for item in passing)
            yield Item(path, sum(size(path / name) for name in marker["files"]), "evidence", "evidence")
        elif _worth_keeping(folder):
            yield Item(path, size(path), "unfinished: repro run goes on from here", "evidence")
        else:
            yield Item(path, size(path), "begun, given up before anything was measured", "leftover")


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
        yield Item(jobs, size(jobs), "logs and parcels of ended cluster jobs", "leftover")


def _cached(cache: Path) -> Iterator[Item]:
    for kind in ("data", "structure"):
        for path in sorted((cache / kind).glob("*")):
            yield Item(path, size(path), FETCHED, "cache")
    named, process = {model.folder for model in load_models().values()}, _reader(cache)
    for path in sorted((cache / "models").glob("*")):
        if path.name in named or not (path / "identity.json").exists():  # without it: somebody may be fetching it
            yield Item(path, size(path), FETCHED, "cache")
        elif process:
            yield Item(path, size(path), f"{OUTDATED}, but a worker reads the cache (process {process})", "cache")
        else:
            yield Item(path, size(path), OUTDATED, "leftover")


def _builds(builds: Path) -> Iterator[Item]:
    for path in sorted(builds.glob("*/")):
        if path.name.startswith("wheels-") and path.suffix != ".partial":
            yield Item(path, size(path), "cache: repro images downloads these wheels again", "cache")
        elif path.name == "debs":
            yield Item(path, size(path), "what images are rebuilt from when Debian has moved on", "evidence")
        elif time.time() - path.stat().st_mtime > RECENT:
            yield Item(path, size(path), "left by a build that broke off", "leftover")


def _reader(cache: Path) -> int | None:
    """A worker of this machine that was given this cache."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "repro.worker" in words and str(cache) in words:
            return int(path.parent.name)
    return None


def size(path: Path) -> int:
    """Bytes of a file, or of everything below a folder; 0 for what is not there."""
    if path.is_dir():
        return sum(below.lstat().st_size for below in path.rglob("*") if below.is_file())
    return path.lstat().st_size if path.exists() else 0


def total(items: Iterable[Item], kind: Kind) -> int:
    """Bytes of all items of a kind."""
    return sum(item.bytes for item in items if item.kind == kind)
