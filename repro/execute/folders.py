"""Where results and cached models lie, and what is already there for a run."""

import atexit
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from repro.errors import EvidenceError, InputError, SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.request import Request, read_request, stored_key, write_request
from repro.execute.chain import bring_start
from repro.execute.device import Device
from repro.files import user_path, write_bytes
from repro.manifest.probes import load_probe_set
from repro.plan.run import Run, differences
from repro.shipped import IN_CHECKOUT, ROOT

State = Literal["finished", "unfinished", "new", "changed"]


@dataclass(frozen=True)
class Place:
    """A run and its folder: what is there, and why it is not enough where it is not."""

    run: Run
    folder: RunFolder
    state: State
    changes: tuple[str, ...] = ()
    """For a changed run: the fields in which it differs from the newest run of the same slot."""


def results_folder(given: str | None) -> Path:
    """--results, else REPRO_RESULTS, else results/ here. Raises SetupError for a path that cannot be used."""
    chosen = "--results" if given else "REPRO_RESULTS"
    return user_path(given or os.environ.get("REPRO_RESULTS") or "results", chosen)


def results_to_read(given: str | None) -> Path:
    """Return the results folder of a command that only reads. Raises InputError for a --results that is not there.

    A default that is not there is an empty store: nothing has been run yet.
    """
    if given is not None and not results_folder(given).is_dir():
        raise InputError(
            f"--results {given}: found no such folder; correct it, or leave it out ({results_folder(None)})"
        )
    return results_folder(given)


def cache_folder() -> Path:
    """REPRO_CACHE, else the user's cache folder: models and data, shared by all results.

    Raises SetupError for a path that cannot be used, and where there is neither.
    """
    return user_path(os.environ.get("REPRO_CACHE") or "~/.cache/repro", "REPRO_CACHE")


def passing_cache() -> Path:
    """The cache, for a command that gains time by it and needs none: a folder of this process where there is none."""
    try:
        folder = cache_folder()
    except SetupError:
        return _passing()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return folder if os.access(there, os.W_OK) else _passing()


@cache
def _passing() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="repro-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def build_folder() -> Path:
    """Return where builds keep what they download and make: build/ of a checkout, else a part of the cache."""
    return ROOT / "build" if IN_CHECKOUT else cache_folder() / "build"


def place(run: Run, results: Path) -> Place:
    """Where a run belongs, and whether it is finished, can go on, is new, or replaces a changed one."""
    parent = results / "runs" / run.experiment
    folder = RunFolder(parent / run.folder)
    if (folder.path / "done.json").exists():
        folder.done()  # a marker that cannot be read is an error, not a new run
        return Place(run, folder, "finished")
    if (folder.path / "run.json").exists():
        return Place(run, folder, "unfinished")
    others = sorted(parent.glob(f"{run.slot}-{'[0-9a-f]' * 12}/run.json"), key=lambda path: path.stat().st_mtime)
    if others:
        return Place(run, folder, "changed", tuple(differences(stored_key(others[-1].parent), run.key())))
    return Place(run, folder, "new")


def prepare(place: Place, claims: Mapping[str, str], threads: int, device: Device | None = None) -> RunFolder:
    """Write run.json and probes.json of a run that has none; an unfinished one keeps what it was started with."""
    folder = place.folder
    if place.state in ("finished", "unfinished"):
        request = read_request(folder.path)
        if request.id != place.run.id:
            raise EvidenceError(
                f"{folder.path}: found id {request.id[:12]}, expected {place.run.id[:12]}; remove the folder"
            )
        return folder
    for name in (place.run.probe_set, *place.run.also_probe_sets):
        probes = load_probe_set(place.run.probe_folders[name])
        write_bytes(folder.path / place.run.probe_file(name), probes.model_dump_json().encode())
    others = place.run.training.csr.probe_set
    if place.run.condition.csr and others:
        write_bytes(folder.path / "csr_probes.json", load_probe_set(others).model_dump_json().encode())
    bring_start(place.run, folder)
    request = Request(
        id=place.run.id, slot=place.run.slot, run=place.run, claims=dict(claims), threads=threads, device=device
    )
    write_request(folder.path, request)
    return folder
