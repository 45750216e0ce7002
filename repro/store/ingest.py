"""Building the store from the run folders: all of it, beside the old one, then one rename.

A folder that cannot be trusted is left out and named; the others are unharmed. The store keeps what every folder was, so
that `repro verify` can tell later whether the evidence is still that which it was made from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from repro.errors import EvidenceError, SetupError
from repro.files import way_out
from repro.store.database import NAME, connect, create
from repro.store.folders import Rows, read_rows
from repro.store.seal import check_seal, new_store
from repro.store.tables import Schemas, insert, schemas, table_of
from repro.store.trajectories import cell_collapses, collapses, divergences

BATCH = 200_000
"""Measurements that are gathered before they go into the database."""


@dataclass(frozen=True)
class Ingested:
    """What an ingest found."""

    runs: int
    refused: tuple[str, ...]
    """One line for each folder that was left out."""
    unlisted: tuple[Path, ...] = ()
    """Files beside the evidence that no marker lists; they changed nothing."""
    absent: int = 0
    """Runs whose weights are not here."""


@dataclass
class _Filling:
    """The database that is being filled, and what was found on the way."""

    connection: duckdb.DuckDBPyConnection
    tables: Schemas
    runs: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[str, list[pa.Table]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unlisted: list[Path] = field(default_factory=list)
    absent: int = 0

    def take(self, rows: Rows) -> None:
        """Take one run's rows."""
        self.runs.append(rows.run)
        self.unlisted += rows.unlisted
        self.absent += bool(rows.absent)
        for name, table in rows.tables.items():
            self.waiting.setdefault(name, []).append(table)
        if sum(table.num_rows for table in self.waiting["measurements"]) > BATCH:
            self.flush()

    def flush(self) -> None:
        """Put what was gathered into the database."""
        for name, tables in self.waiting.items():
            together = pa.concat_tables(tables)
            insert(self.connection, name, together.sort_by(_ORDER) if name == "measurements" else together)
        self.waiting.clear()


_ORDER = [(name, "ascending") for name in ("run_id", "step", "quantity", "specification", "direction", "concept")]


def ingest(results: Path) -> Ingested:
    """Rebuild results/repro.duckdb. Doing it twice changes nothing. Raises SetupError when it cannot be written."""
    target = results / NAME
    try:
        results.mkdir(parents=True, exist_ok=True)
        with new_store(results) as beside, duckdb.connect(str(beside)) as connection:
            create(connection)
            filling = _Filling(connection, schemas(connection))
            _fill(filling, results)
    except (OSError, duckdb.Error) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        way = way_out(error) if isinstance(error, OSError) else "the store that was there is unharmed"
        raise SetupError(f"{target}: could not be written ({problem}); {way}") from error
    _open(results, len(filling.runs))
    return Ingested(len(filling.runs), tuple(filling.refused), tuple(filling.unlisted), filling.absent)


def _open(results: Path, runs: int) -> None:
    """Open what was written before it is said to be there. Raises EvidenceError, SetupError."""
    check_seal(results)
    with connect(results) as connection:
        found = connection.execute("SELECT count(*) FROM runs").fetchone()
    if found != (runs,):
        raise SetupError(
            f"{results / NAME}: found {found} runs where {runs} were written; another program writes it too"
        )


def _fill(filling: _Filling, results: Path) -> None:
    seen: dict[str, Path] = {}
    for path in run_folders(results):
        try:
            rows = read_rows(path, results, filling.tables)
            _refuse_twice(rows, path, seen)
        except EvidenceError as error:
            filling.refused.append(str(error))
            name = str(path.relative_to(results / "runs"))
            row = {"folder": name, "left_out": str(error), "names": "", "states": [], "absent": 0}
            filling.waiting.setdefault("folders", []).append(table_of([row], filling.tables["folders"]))
        else:
            filling.take(rows)
    filling.flush()
    _mark_superseded(filling.runs)
    connection, tables = filling.connection, filling.tables
    insert(connection, "runs", table_of(filling.runs, tables["runs"]))
    for name, made in (("collapses", collapses), ("cell_collapses", cell_collapses), ("divergences", divergences)):
        insert(connection, name, table_of(made(connection), tables[name]))


def run_folders(results: Path) -> Iterator[Path]:
    """Every folder that holds a run or says so: one with a run.json or a marker. One that was only begun has neither."""
    for path in sorted((results / "runs").glob("*/*")):
        if path.is_dir() and ((path / "run.json").exists() or (path / "done.json").exists()):
            yield path


def _refuse_twice(rows: Rows, path: Path, seen: dict[str, Path]) -> None:
    other = seen.setdefault(rows.run["run_id"], path)
    if other != path:
        raise EvidenceError(
            f"{path}: is the same run as {other.parent.name}/{other.name}, which is in the store; it counts once"
        )


def _mark_superseded(runs: Sequence[dict[str, Any]]) -> None:
    """Of several runs of one slot only the latest counts; a finished one is later than any unfinished one."""

    def when(run: Mapping[str, Any]) -> tuple[str, str]:
        return str(run["finished"] or ""), str(run["started"] or "")

    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for run in sorted(runs, key=when):
        slot = (run["experiment"], run["slot"])
        if slot in latest:
            latest[slot]["status"] = "superseded"
        latest[slot] = run
