"""Tell whether the evidence of a run is what it was when the run ended: the one judgement of it.

`ingest` and `verify --deep` read every byte, `run --repair` and `push` too. The others look at
sizes and times, as the store noted them; a run of no store is looked at when a file is missing or
younger than its marker. What looks odd is then read as `ingest` reads it, so a copied folder is no
damaged one, and whoever names a fault names it in the same words.
"""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.marker import SECOND, Marker
from repro.evidence.request import lies_right, read_request
from repro.store.database import NAME, connect, create
from repro.store.folders import FolderRows, read_rows
from repro.store.tables import Schemas, schemas

GONE = "found no done.json, and it had finished; restore the file, or make the run again"
"""Of a run that the store knows as finished; without a store it is one that goes on."""


@dataclass(frozen=True)
class NotedFolder:
    """A finished run's folder as it was when the store was made."""

    marker: str
    names: str
    states: list[int]


def noted_folders(results: Path) -> Mapping[str, NotedFolder]:
    """Return what the store knows of finished runs, by experiment/folder; nothing without one."""
    if not (results / NAME).exists():
        return {}
    try:
        with connect(results) as connection:
            rows = connection.execute(
                "SELECT folder, marker, names, states FROM folders "
                "WHERE left_out IS NULL AND marker IS NOT NULL"
            ).fetchall()
    except (EvidenceError, OSError, duckdb.Error):
        return {}
    return {folder: NotedFolder(*rest) for folder, *rest in rows}


def fault_of(path: Path, noted: NotedFolder | None = None, deep: bool = False) -> str | None:
    """Return what is wrong with a run's folder, in one line that names the file; None for nothing.

    `deep`: read every file, whatever its size and time.
    """
    try:
        if not deep and not _looks_odd(path, noted):
            RunFolder(path).done()  # whoever asks goes on to read it
            return None
        rows = read_evidence(path)
    except EvidenceError as error:
        return str(error)
    return f"{path}: {GONE}" if noted and rows.run["status"] == "partial" else None


def read_evidence(path: Path) -> FolderRows:
    """Read a run's folder as `ingest` does. Raises EvidenceError, naming the file."""
    return read_rows(path, path.parents[2], _columns())


def states_of(base: str, names: str) -> list[int] | None:
    """Return size and time of each file, or None when one is missing.

    It runs for every file of every run, so it has to be fast.
    """
    if SECOND not in names and os.path.lexists(base + SECOND):
        return None  # The marker's second part was written since.
    try:
        states = [os.lstat(base + name) for name in names.split("\n")]
    except OSError:
        return None
    return [number for state in states for number in (state.st_size, state.st_mtime_ns)]


def _looks_odd(path: Path, noted: NotedFolder | None) -> bool:
    """Return whether a folder must be read to be judged.

    Raises EvidenceError for a request or marker that cannot be read.
    """
    if path.is_symlink():
        return True
    if noted is not None:
        return states_of(f"{path}/", noted.names) != noted.states
    if not lies_right(path, read_request(path)):
        return True
    marker = RunFolder(path).done()
    return marker is not None and _changed_since(path, marker)


def _changed_since(path: Path, marker: Marker) -> bool:
    """Return whether a listed file is missing, no plain file, or younger than its marker."""
    written = max(os.lstat(path / part).st_mtime_ns for part in marker.digests)
    return any(
        not marker.is_weights(name)
        if state is None
        else not stat.S_ISREG(state.st_mode) or state.st_mtime_ns > written
        for name, state in _lstats(path, marker.files)
    )


def _lstats(path: Path, names: Iterable[str]) -> Iterable[tuple[str, os.stat_result | None]]:
    for name in names:
        try:
            yield name, os.lstat(path / name)
        except OSError:
            yield name, None


@cache
def _columns() -> Schemas:
    """Return the columns of the store's tables."""
    with duckdb.connect() as connection:
        create(connection)
        return schemas(connection)
