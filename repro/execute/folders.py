"""Locate results and cached models, and what already exists for a run."""

import atexit
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from repro.errors import EvidenceError, InputError, SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.request import Request, lies_right, read_request, stored_key, write_request
from repro.execute.chain import bring_start
from repro.files import user_path, write_bytes
from repro.manifest.probes import load_probe_set
from repro.plan.run import SHORT, Run, differences
from repro.shipped import IN_CHECKOUT, ROOT
from repro.store.faults import NotedFolder, fault_of, noted_folders

Known = Mapping[str, list[Path]]
"""Folders of runs by the last digits of their names."""
_State = Literal["finished", "unfinished", "new", "changed", "damaged"]


@dataclass(frozen=True)
class RunPlace:
    """A run and its folder: what exists there, and why that is not enough."""

    run: Run
    folder: RunFolder
    state: _State
    changes: tuple[str, ...] = ()
    """For a changed run: the fields in which it differs from the newest run of the same slot; for a
    damaged one: what is wrong with its folder, and with which file.
    """


def results_folder(given: str | None) -> Path:
    """Return the folder of --results, else of REPRO_RESULTS, else results/ here.

    Raises SetupError for a path that cannot be used.
    """
    chosen = "--results" if given else "REPRO_RESULTS"
    return user_path(given or os.environ.get("REPRO_RESULTS") or "results", chosen)


def results_to_read(given: str | None) -> Path:
    """Return the results folder of a command that only reads.

    Raises InputError for a --results that does not exist. A missing default is an empty store:
    nothing has been run yet.
    """
    if given is not None and not results_folder(given).is_dir():
        raise InputError(
            f"--results {given}: found no such folder; correct it, or leave it out "
            f"({results_folder(None)})"
        )
    return results_folder(given)


def cache_folder() -> Path:
    """Return REPRO_CACHE, else the user's cache folder: models and data, shared by all results.

    Raises SetupError for a path that cannot be used, and where there is neither.
    """
    return user_path(os.environ.get("REPRO_CACHE") or "~/.cache/repro", "REPRO_CACHE")


def passing_cache() -> Path:
    """Return the cache, for a command that can do without: a temporary folder where the cache
    cannot be used.
    """
    try:
        folder = cache_folder()
    except SetupError:
        return _passing()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return folder if os.access(there, os.W_OK) else _passing()


@cache
def _passing() -> Path:
    """Return a folder that is removed when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="repro-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def build_folder() -> Path:
    """Return the folder for downloads and results of builds: build/ of a checkout, else a part
    of the cache.
    """
    return ROOT / "build" if IN_CHECKOUT else cache_folder() / "build"


def place_runs(runs: Iterable[Run], results: Path, deep: bool = False) -> list[RunPlace]:
    """Return where each run belongs, and what exists there; `deep`: after reading every byte."""
    known, noted = by_name(results), noted_folders(results)
    return [place_run(run, results, known, noted, deep) for run in runs]


def by_name(results: Path) -> Known:
    """Return the folders of all runs, of any manifest, by the digits of the run's name at their
    end.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted((results / "runs").glob("*/*")):
        found[path.name[-SHORT:]].append(path)
    return found


def place_run(
    run: Run,
    results: Path,
    known: Known | None = None,
    noted: Mapping[str, NotedFolder] | None = None,
    deep: bool = False,
) -> RunPlace:
    """Return where a run belongs, and whether it is finished, unfinished, damaged, new, or replaces
    a changed one.

    A run belongs to no manifest: one made or begun by another manifest counts, and stays in its
    folder. `noted`: what the store knows of folders; `deep`: read every byte of it.
    """
    parent = results / "runs" / run.experiment
    folder = RunFolder(
        find_run(run.id, parent / run.folder, known if known is not None else by_name(results))
    )
    finished, begun = (os.path.lexists(folder.path / name) for name in ("done.json", "run.json"))
    if finished or begun:
        before = (noted or {}).get(f"{folder.path.parent.name}/{folder.path.name}")
        if fault := fault_of(folder.path, before, deep):
            return RunPlace(run, folder, "damaged", (fault,))
        return RunPlace(run, folder, "finished" if finished else "unfinished")
    others = sorted(
        parent.glob(f"{run.slot}-{'[0-9a-f]' * SHORT}/run.json"),
        key=lambda path: path.stat().st_mtime,
    )
    if others:
        return RunPlace(
            run, folder, "changed", tuple(differences(stored_key(others[-1].parent), run.key()))
        )
    return RunPlace(run, folder, "new")


def find_run(identity: str, own: Path, known: Known) -> Path:
    """Return the folder of a run: `own`, unless only another manifest has the run, or has
    finished it.
    """
    if os.path.lexists(own / "done.json"):
        return own
    others = [
        path for path in known.get(identity[:SHORT], ()) if path != own and _is_run(path, identity)
    ]
    finished = [path for path in others if (path / "done.json").exists()]
    if finished:
        return finished[0]
    return own if (own / "run.json").exists() or not others else others[0]


def _is_run(path: Path, identity: str) -> bool:
    """Return whether a folder holds a run in its original place.

    A copy elsewhere does not count.
    """
    try:
        request = read_request(path)
    except EvidenceError:
        return False
    return request.id == identity and lies_right(path, request)


def prepare(place: RunPlace, seal: str | None = None) -> RunFolder:
    """Write run.json and probes.json of a run without them. An unfinished run keeps its own.

    `seal`: digest of the newest seal of the claims. Raises EvidenceError for a folder of
    another run.
    """
    folder = place.folder
    if place.state == "damaged":
        raise EvidenceError(place.changes[0])
    if place.state in ("finished", "unfinished"):
        request = read_request(folder.path)
        if request.id != place.run.id:
            raise EvidenceError(
                f"{folder.path}: found id {request.id[:12]}, expected {place.run.id[:12]}; "
                "remove the folder"
            )
        return folder
    for name in (place.run.probe_set, *place.run.also_probe_sets):
        probes = load_probe_set(place.run.probe_folders[name])
        write_bytes(folder.path / place.run.probe_file(name), probes.model_dump_json().encode())
    others = place.run.training.csr.probe_set
    if place.run.condition.csr and others:
        write_bytes(
            folder.path / "csr_probes.json", load_probe_set(others).model_dump_json().encode()
        )
    bring_start(place.run, folder)
    write_request(
        folder.path, Request(id=place.run.id, slot=place.run.slot, run=place.run, seal=seal)
    )
    return folder
