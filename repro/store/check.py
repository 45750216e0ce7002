"""Check that the store still agrees with the evidence, before anything is judged by it.

The database is hashed. For the evidence, sizes and times are compared with those recorded when the
store was made; a run in which they differ is read again, so that copying a folder does not count as
editing it. `deep` reads every run again, as ingest does. What is wrong with a run's folder,
`repro.store.faults` says.
"""

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from repro.errors import EvidenceError
from repro.evidence.seals import edited_seals
from repro.store.asking import asking_rows
from repro.store.database import NAME
from repro.store.faults import GONE, fault_of, read_evidence, states_of
from repro.store.seal import check_seal
from repro.store.supplied import check_supplied, supplied_records

FolderState = tuple[str, list[int], int, str]
"""(names, states, absent, folder) as in the table `folders`."""
_FOLDERS = "SELECT folder, left_out, marker, names, states, absent FROM folders ORDER BY folder"
_AGAIN = (
    "`repro ingest` makes the store from what is there now; --trust-store judges by the store alone"
)
_NAMED = 3
UNLISTED = "no marker lists it, it changes nothing"
"""Said of a file beside the evidence."""


@dataclass
class Compared:
    """What a comparison found that is not a fault."""

    left_out: list[str] = field(default_factory=list)
    """Folders that ingest could not trust, and why."""
    absent: int = 0
    """Runs whose weights are missing."""
    states: list[FolderState] = field(default_factory=list)
    """Folders whose files have new times but the same content, with the state to record instead."""
    unlisted: list[Path] = field(default_factory=list)
    """Files that no marker lists, of the runs that were read again."""
    seals: list[str] = field(default_factory=list)
    """Seals that are none any more."""

    def notes(self) -> Iterator[str]:
        """Yield what a reader of the verdicts should know."""
        if self.left_out:
            more = (
                f", and {len(self.left_out) - _NAMED} more" if len(self.left_out) > _NAMED else ""
            )
            yield f"judged without what ingest left out: {'; '.join(self.left_out[:_NAMED])}{more}"
        if self.absent:
            yield (
                f"weights of {'1 run' if self.absent == 1 else f'{self.absent} runs'} are "
                "absent; the numbers are whole"
            )
        yield from self.seals
        for path in self.unlisted[:_NAMED]:
            yield f"{path}: {UNLISTED}"
        if len(self.unlisted) > _NAMED:
            yield f"and {len(self.unlisted) - _NAMED} more such files"


def compare_with_folders(
    results: Path, connection: duckdb.DuckDBPyConnection, deep: bool = False
) -> Compared:
    """Compare an open store with its seal and with the run folders.

    Raises EvidenceError, naming the runs, when the store was edited or evidence is gone, newer
    or other.
    """
    check_seal(results)
    rows = connection.execute(_FOLDERS).fetchall()
    runs, found = results / "runs", Compared()
    problems: list[str] = []
    for folder, left_out, marker, names, states, absent in rows:
        found.absent += bool(absent)
        if left_out is not None:
            if _made_since(runs / folder, results):
                problems += [_newer(runs / folder)]
            elif (runs / folder).exists():
                found.left_out += [left_out]
        elif marker is None:
            finished = os.path.lexists(runs / folder / "done.json")
            fault = None if finished or not deep else fault_of(runs / folder, deep=True)
            problems += [_newer(runs / folder)] if finished else [fault] if fault else []
        elif deep or states_of(f"{runs}/{folder}/", names) != states:
            problems += _read_again(runs / folder, marker, (names, states, absent), found)
    problems += _noted_since(results, connection)
    if deep:
        problems += check_supplied(results)
        found.seals += edited_seals(results)
    known = {folder for folder, *_ in rows}
    problems += [_newer(runs / folder) for folder in finished_runs(runs, known)]
    if problems:
        raise EvidenceError(_told(problems))
    return found


def _noted_since(results: Path, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Describe each list of runs and each seal that changed since the store was made."""
    before = dict(connection.execute("SELECT path, sha256 FROM noted").fetchall())
    now = {row["path"]: row["sha256"] for row in asking_rows(results)}
    changed = [
        path for path in sorted(before.keys() | now.keys()) if before.get(path) != now.get(path)
    ]
    return [
        f"{results / path}: {'changed' if path in now else 'is gone'} since the store was made"
        for path in changed
    ]


def refuse_without_store(results: Path) -> None:
    """Raise EvidenceError when there is evidence and no store was made from it."""
    if (results / NAME).exists():
        return
    for record in supplied_records(results):
        raise EvidenceError(
            f"{results / NAME}: no such store, but {record.parent} was supplied; run "
            "`repro ingest` first"
        )
    folder = next(finished_runs(results / "runs"), None)
    if folder is not None:
        raise EvidenceError(
            f"{results / NAME}: no such store, but run {folder} has finished; run `repro ingest` "
            "first"
        )


def finished_runs(runs: Path, known: Container[str] = ()) -> Iterator[str]:
    """Yield the finished runs below `runs` as experiment/folder, without those in `known`."""
    try:
        experiments = [entry for entry in os.scandir(runs) if entry.is_dir()]
    except FileNotFoundError:
        return
    for experiment in experiments:
        for entry in os.scandir(experiment):
            name = f"{experiment.name}/{entry.name}"
            if name not in known and os.path.lexists(f"{entry.path}/done.json"):
                yield name


def _read_again(
    path: Path, marker: str, before: tuple[str, list[int], int], found: Compared
) -> list[str]:
    """Read a run again and return its problems.

    Without a problem, record the folder's new state in `found`.
    """
    try:
        rows = read_evidence(path)
    except EvidenceError as error:
        return [str(error)]
    row = rows.tables["folders"].to_pylist()[0]
    if row["marker"] is None:
        return [f"{path}: {GONE}"]
    if row["marker"] != marker:
        return [f"{path}: its marker is not the one that the store was made from"]
    found.unlisted += rows.unlisted
    after = row["names"], row["states"], row["absent"]
    if after != before:
        found.states.append((*after, f"{path.parent.name}/{path.name}"))
        found.absent += bool(after[2]) - bool(before[2])
    return []


def _made_since(path: Path, results: Path) -> bool:
    """Return whether a run that was left out has a marker younger than the store."""
    try:
        written = os.lstat(path / "done.json").st_mtime_ns
    except OSError:
        return False
    return written > (results / NAME).stat().st_mtime_ns


def _newer(path: Path) -> str:
    """Return the line about a run that finished after the store was made."""
    return f"{path}: finished since the store was made"


def _told(problems: Sequence[str]) -> str:
    """Return one error message: the first problem and the number of others."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"the store is not what the evidence says: {problems[0]}{more}; {_AGAIN}"
