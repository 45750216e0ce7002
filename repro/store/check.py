"""Is the store still what the evidence says? Asked before anything is judged by it.

The database is hashed. Of the evidence, sizes and times are compared with those that the store was made from; a run in
which they differ is read again, so that a copied folder is no edited one. `deep` reads every run again, as ingest does.
"""

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.marker import SECOND
from repro.store.database import NAME
from repro.store.folders import folder_row
from repro.store.seal import check_seal

FolderState = tuple[str, list[int], int, str]
"""(names, states, absent, folder) as table `folders` holds them."""
_FOLDERS = "SELECT folder, left_out, marker, names, states, absent FROM folders ORDER BY folder"
AGAIN = "`repro ingest` makes the store from what is there now; --trust-store judges by the store alone"
NAMED = 3


@dataclass
class Compared:
    """What comparing found that is no fault."""

    left_out: list[str] = field(default_factory=list)
    """Folders that ingest could not trust, and why."""
    absent: int = 0
    """Runs whose weights are not here."""
    states: list[FolderState] = field(default_factory=list)
    """Folders whose files have other times and the same content: what to remember instead."""

    def notes(self) -> Iterator[str]:
        """What a reader of verdicts should know."""
        if self.left_out:
            more = f", and {len(self.left_out) - NAMED} more" if len(self.left_out) > NAMED else ""
            yield f"judged without what ingest left out: {'; '.join(self.left_out[:NAMED])}{more}"
        if self.absent:
            yield f"weights of {'1 run' if self.absent == 1 else f'{self.absent} runs'} are absent; the numbers are whole"


def compare(results: Path, connection: duckdb.DuckDBPyConnection, deep: bool = False) -> Compared:
    """Compare an open store with its seal and with the run folders.

    Raises EvidenceError, naming the runs, when the store was edited or evidence is gone, newer or other.
    """
    check_seal(results)
    rows = connection.execute(_FOLDERS).fetchall()
    runs, found = results / "runs", Compared()
    problems: list[str] = []
    for folder, left_out, marker, names, states, absent in rows:
        found.absent += bool(absent)
        if left_out is not None:
            found.left_out += [left_out] if (runs / folder).exists() else []
        elif marker is None:
            problems += [_newer(runs / folder)] if (runs / folder / "done.json").exists() else []
        elif deep or _states(f"{runs}/{folder}/", names) != states:
            problems += _read_again(runs / folder, marker, (names, states, absent), found)
    known = {folder for folder, *_ in rows}
    problems += [_newer(runs / folder) for folder in finished(runs, known)]
    if problems:
        raise EvidenceError(_told(problems))
    return found


def refuse_without_store(results: Path) -> None:
    """Raise EvidenceError when runs have finished and no store was made from them."""
    folder = next(finished(results / "runs"), None)
    if folder is not None and not (results / NAME).exists():
        raise EvidenceError(f"{results / NAME}: no such store, but run {folder} has finished; run `repro ingest` first")


def finished(runs: Path, known: Container[str] = ()) -> Iterator[str]:
    """Finished runs below `runs`, as experiment/folder, without those that are known."""
    try:
        experiments = [entry for entry in os.scandir(runs) if entry.is_dir()]
    except FileNotFoundError:
        return
    for experiment in experiments:
        for entry in os.scandir(experiment):
            name = f"{experiment.name}/{entry.name}"
            if name not in known and os.path.lexists(f"{entry.path}/done.json"):
                yield name


def _states(base: str, names: str) -> list[int] | None:
    """Size and time of each file, None when one is gone. This is asked of every file of every run: it has to be quick."""
    if SECOND not in names and os.path.lexists(base + SECOND):
        return None  # the marker's second part came since
    try:
        states = [os.lstat(base + name) for name in names.split("\n")]
    except OSError:
        return None
    return [number for state in states for number in (state.st_size, state.st_mtime_ns)]


def _read_again(path: Path, marker: str, before: tuple[str, list[int], int], found: Compared) -> list[str]:
    """What is wrong with a run, of all its files; what to remember of it when nothing is."""
    folder = RunFolder(path)
    try:
        now = folder.done()
        if now is None:
            return [f"{path}: its evidence is gone, found no done.json"]
        if " ".join(now.digests.values()) != marker:
            return [f"{path}: its marker is not the one that the store was made from"]
        states = folder.check(without_weights=True)
    except EvidenceError as error:
        return [str(error)]
    row = folder_row(path.name, folder, now, states)
    after = row["names"], row["states"], row["absent"]
    if after != before:
        found.states.append((*after, f"{path.parent.name}/{path.name}"))
        found.absent += bool(after[2]) - bool(before[2])
    return []


def _newer(path: Path) -> str:
    return f"{path}: finished since the store was made"


def _told(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"the store is not what the evidence says: {problems[0]}{more}; {AGAIN}"
