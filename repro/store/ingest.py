"""Build the store from the run folders: all of it, beside the old one, then one rename.

A folder that cannot be trusted is left out and named; the others are not affected. The store
records the state of every folder, so that `repro verify` can later tell whether the evidence is
still the same.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from repro.errors import EarlierEvidenceError, EvidenceError, SetupError, first_line
from repro.evidence.asked import read_asked
from repro.evidence.seals import edited_seals, read_seals
from repro.files import way_out
from repro.store.asking import asking_rows, rows_asked, seal_rows, sealed_rows, with_claims
from repro.store.database import NAME, connect, create
from repro.store.faults import GONE, noted_folders
from repro.store.folders import FolderRows, read_rows, unlisted_beside
from repro.store.kept import note_reader, take_over, unchanged
from repro.store.seal import check_seal, new_store
from repro.store.supplied import read_all, supplied_rows, supplied_values
from repro.store.tables import Schemas, insert, schemas, table_of
from repro.store.trajectories import cell_collapses, collapses, divergences

_BATCH = 200_000
"""Measurements gathered in memory before they are written to the database."""


@dataclass(frozen=True)
class Ingested:
    """The result of an ingest."""

    runs: int
    refused: tuple[str, ...]
    """One line for each folder that was left out."""
    unlisted: tuple[Path, ...] = ()
    """Files beside the evidence that no marker lists; they changed nothing."""
    absent: int = 0
    """Runs whose weights are missing."""
    kept: int = 0
    """Runs whose folders are as the last store knew them, and were not read again."""
    supplied: int = 0
    """Folders of supplied files."""
    told: tuple[str, ...] = ()
    """Markers that are gone, and seals that are none any more: nothing is left out for them."""


@dataclass
class _Filling:
    """The database being filled, and what was found on the way."""

    connection: duckdb.DuckDBPyConnection
    tables: Schemas
    runs: list[dict[str, Any]] = field(default_factory=list)
    seals: dict[str, str | None] = field(default_factory=dict)
    """Run id → the newest seal of the claims when the run began."""
    waiting: dict[str, list[pa.Table]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unlisted: list[Path] = field(default_factory=list)
    absent: int = 0
    kept: list[str] = field(default_factory=list)
    """Folders whose rows the last store has."""
    supplied: int = 0
    told: list[str] = field(default_factory=list)

    def keep(self, name: str, run: dict[str, Any]) -> None:
        """Add one run, whose rows come from the last store."""
        self.kept.append(name)
        self.runs.append(run)
        self.seals[run["run_id"]] = run["seal"]

    def take(self, rows: FolderRows) -> None:
        """Add one run's rows, and write to the database when a batch is full."""
        self.runs.append(rows.run)
        self.seals[rows.run["run_id"]] = rows.seal
        self.unlisted += rows.unlisted
        self.absent += bool(rows.absent)
        for name, table in rows.tables.items():
            self.waiting.setdefault(name, []).append(table)
        if sum(table.num_rows for table in self.waiting["measurements"]) > _BATCH:
            self.flush()

    def ingested(self) -> Ingested:
        """Return the result, once everything is filled."""
        runs, refused, unlisted = len(self.runs), tuple(self.refused), tuple(self.unlisted)
        told, kept = tuple(self.told), len(self.kept)
        return Ingested(runs, refused, unlisted, self.absent, kept, self.supplied, told)

    def flush(self) -> None:
        """Write the gathered rows to the database."""
        for name, tables in self.waiting.items():
            together = pa.concat_tables(tables)
            insert(
                self.connection,
                name,
                together.sort_by(_ORDER) if name == "measurements" else together,
            )
        self.waiting.clear()


_ORDER = [
    (name, "ascending")
    for name in ("run_id", "step", "quantity", "specification", "direction", "concept")
]


def ingest(results: Path, only_new: bool = False) -> Ingested:
    """Rebuild results/repro.duckdb. Doing it twice changes nothing.

    `only_new`: take over from the last store what it has of finished runs whose files have the
    sizes and times that it noted. Raises SetupError when the store cannot be written.
    """
    target, before = results / NAME, noted_folders(results)
    try:
        results.mkdir(parents=True, exist_ok=True)
        with new_store(results) as beside, duckdb.connect(str(beside)) as connection:
            create(connection)
            note_reader(connection)
            filling = _Filling(connection, schemas(connection))
            _fill(filling, results, unchanged(results) if only_new else {})
    except (OSError, duckdb.Error) as error:
        problem = first_line(error)
        way = (
            way_out(error) if isinstance(error, OSError) else "the store that was there is unharmed"
        )
        raise SetupError(f"{target}: could not be written ({problem}); {way}") from error
    _open(results, len(filling.runs))
    filling.told += [
        f"{results / 'runs' / run['folder']}: {GONE}"
        for run in filling.runs
        if run["status"] == "partial" and run["folder"] in before
    ]
    return filling.ingested()


@contextmanager
def build_index(results: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Ingested]]:
    """Build the store in memory and yield (connection, result).

    The results folder is only read. Raises EvidenceError for a folder that holds no runs.
    """
    if not (results / "runs").is_dir():
        raise EvidenceError(
            f"{results}: holds no folder runs; expected a results folder, as `repro run` makes it"
        )
    with duckdb.connect() as connection:
        create(connection)
        filling = _Filling(connection, schemas(connection))
        _fill(filling, results, {})
        yield (
            connection,
            filling.ingested(),
        )


def _open(results: Path, runs: int) -> None:
    """Open the new store and count its runs before reporting success.

    Raises EvidenceError or SetupError.
    """
    check_seal(results)
    with connect(results) as connection:
        found = connection.execute("SELECT count(DISTINCT run_id) FROM runs").fetchone()
    if found != (runs,):
        raise SetupError(
            f"{results / NAME}: found {found} runs where {runs} were written; another "
            "program writes it too"
        )


def _fill(filling: _Filling, results: Path, unread: Mapping[str, dict[str, Any]]) -> None:
    """Fill every table from the run folders, the lists of runs and the seals.

    `unread`: the runs, by folder, whose rows the last store has.
    """
    seen: dict[str, Path] = {}
    read = partial(read_rows, results=results, schemas=filling.tables)
    earlier: list[str] = []
    for path in run_folders(results):
        name = str(path.relative_to(results / "runs"))
        run = unread.get(name)
        if run and seen.setdefault(run["run_id"], path) == path:
            filling.keep(name, run)
            continue
        try:
            rows = read(path)
            _refuse_twice(rows, path, seen, read)
        except EvidenceError as error:
            (earlier if isinstance(error, EarlierEvidenceError) else filling.refused).append(
                str(error)
            )
            row = {"folder": name, "left_out": str(error), "names": "", "states": [], "absent": 0}
            filling.waiting.setdefault("folders", []).append(
                table_of([row], filling.tables["folders"])
            )
        else:
            filling.take(rows)
    filling.flush()
    for name, files in take_over(filling.connection, results, filling.kept).items():
        filling.unlisted += sorted(unlisted_beside(results / "runs" / name, files))
    if earlier:
        more = f" (and {len(earlier) - 1} more such folders)" if len(earlier) > 1 else ""
        filling.refused.append(f"{earlier[0]}{more}")
    connection, tables, seals = filling.connection, filling.tables, read_seals(results)
    asked = with_claims(rows_asked(filling.runs, read_asked(results)), filling.seals, seals)
    insert(connection, "runs", table_of(asked, tables["runs"]))
    insert(connection, "seals", table_of(seal_rows(seals), tables["seals"]))
    insert(connection, "sealed_claims", table_of(sealed_rows(seals), tables["sealed_claims"]))
    _fill_supplied(filling, results)
    filling.told += edited_seals(results)
    insert(connection, "noted", table_of(asking_rows(results), tables["noted"]))
    for name, made in (
        ("collapses", collapses),
        ("cell_collapses", cell_collapses),
        ("divergences", divergences),
    ):
        insert(connection, name, table_of(made(connection), tables[name]))


def _fill_supplied(filling: _Filling, results: Path) -> None:
    """Fill the tables of what authors sent."""
    found, refused = read_all(results)
    filling.refused += refused
    filling.supplied = len(found)
    connection, tables = filling.connection, filling.tables
    insert(connection, "supplied", table_of(supplied_rows(found), tables["supplied"]))
    insert(connection, "supplied_values", supplied_values(found, tables["supplied_values"]))


def run_folders(results: Path) -> Iterator[Path]:
    """Yield every folder with a run.json or a marker. A folder that was only begun has neither."""
    for path in sorted((results / "runs").glob("*/*")):
        if path.is_dir() and any(
            os.path.lexists(path / name) for name in ("run.json", "done.json")
        ):
            yield path


def _refuse_twice(
    rows: FolderRows, path: Path, seen: dict[str, Path], again: Callable[[Path], FolderRows]
) -> None:
    """Refuse a second folder of one run, and say whether its numbers differ.

    Two machines may have carried out the same run.
    """
    other = seen.setdefault(rows.run["run_id"], path)
    if other == path:
        return
    same = again(other).tables["measurements"].equals(rows.tables["measurements"])
    words = (
        "has its numbers"
        if same
        else "HAS OTHER NUMBERS under the same name: one of the two is not what it says"
    )
    raise EvidenceError(
        f"{path}: is the same run as {other.parent.name}/{other.name}, which is in the store "
        f"and counts once, and {words}"
    )
