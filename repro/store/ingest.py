"""Building the store from the run folders: all of it, beside the old one, then one rename.

A folder whose files do not match its done marker is left out and named; the others are unharmed.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.store.database import NAME, create
from repro.store.provenance import provenance_row, read_provenance
from repro.store.trajectories import cell_collapses, collapses, divergences


@dataclass(frozen=True)
class Ingested:
    """What an ingest found."""

    runs: int
    refused: tuple[str, ...]
    """One line for each folder that could not be trusted."""


@dataclass(frozen=True)
class _Folder:
    row: dict[str, Any]
    parquet: tuple[str, ...]
    files: dict[str, str]
    provenance: dict[str, Any]


def ingest(results: Path) -> Ingested:
    """Rebuild results/repro.duckdb. Doing it twice changes nothing. Raises SetupError when it cannot be written."""
    folders, refused = _read(results)
    target = results / NAME
    beside = results / f".{NAME}.{os.getpid()}.tmp"
    try:
        results.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(results)
        with duckdb.connect(str(beside)) as connection:
            _fill(connection, folders)
        os.replace(beside, target)
    except (OSError, duckdb.Error) as error:
        problem = str(error).splitlines()[0]
        raise SetupError(f"{target}: could not be written ({problem}); free disk space or choose --results") from error
    finally:
        beside.unlink(missing_ok=True)
    return Ingested(len(folders), tuple(refused))


def _read(results: Path) -> tuple[list[_Folder], list[str]]:
    folders: list[_Folder] = []
    refused: list[str] = []
    for path in sorted((results / "runs").glob("*/*/run.json")):
        try:
            folders.append(_folder(RunFolder(path.parent), results))
        except EvidenceError as error:
            refused.append(str(error))
    _mark_superseded(folders)
    return folders, refused


def _folder(folder: RunFolder, results: Path) -> _Folder:
    request = read_request(folder.path)
    marker = folder.done()
    if marker:
        folder.check()
    provenance = read_provenance(folder)
    attempts = provenance.get("attempts", [])
    run = request.run
    row = {
        "run_id": request.id,
        "experiment": run.experiment,
        "slot": run.slot,
        "model": run.model.id,
        "condition": run.condition_id,
        "seed": run.seed,
        "status": marker["status"] if marker else "partial",
        "reason": marker["reason"] if marker else None,
        "steps": run.steps,
        "started": attempts[0]["started"] if attempts else None,
        "finished": marker["finished"] if marker else None,
        "runner": attempts[-1]["host"]["runner"] if attempts else None,
        "image": run.environment["image"],
        "probe_set": run.probe_set,
        "probe_hash": run.probe_hash,
        "folder": str(folder.path.relative_to(results / "runs")),
        "claims": json.dumps(request.claims),
        "key": json.dumps(run.key()),
    }
    steps = tuple(sorted(str(path) for path in folder.path.glob("steps/*.parquet")))
    return _Folder(row, steps, marker["files"] if marker else {}, provenance)


def _mark_superseded(folders: Sequence[_Folder]) -> None:
    """Of several runs of one slot only the latest counts; a finished one is later than any unfinished one."""
    latest: dict[tuple[str, str], _Folder] = {}
    for folder in sorted(folders, key=lambda item: (item.row["finished"] or "", item.row["started"] or "")):
        slot = (folder.row["experiment"], folder.row["slot"])
        if slot in latest:
            latest[slot].row["status"] = "superseded"
        latest[slot] = folder


def _fill(connection: duckdb.DuckDBPyConnection, folders: Sequence[_Folder]) -> None:
    create(connection)
    if not folders:
        return
    _insert(connection, "runs", [folder.row for folder in folders])
    _insert(
        connection,
        "artifacts",
        [
            {"run_id": folder.row["run_id"], "path": path, "sha256": value}
            for folder in folders
            for path, value in folder.files.items()
        ],
    )
    _insert(
        connection,
        "provenance",
        [provenance_row(folder.row["run_id"], folder.provenance) for folder in folders],
    )
    paths = pa.Table.from_pylist(
        [{"filename": path, "run_id": folder.row["run_id"]} for folder in folders for path in folder.parquet]
    )
    if len(paths) == 0:
        return
    connection.register("paths", paths)
    connection.execute(
        "INSERT INTO measurements BY NAME SELECT p.run_id, m.* EXCLUDE (filename) "
        "FROM read_parquet(?, filename = true, union_by_name = true) m JOIN paths p USING (filename) "
        "ORDER BY run_id, step, quantity, specification, direction, concept",
        [paths.column("filename").to_pylist()],
    )
    connection.unregister("paths")
    _insert(connection, "collapses", collapses(connection))
    _insert(connection, "cell_collapses", cell_collapses(connection))
    _insert(connection, "divergences", divergences(connection))


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.register("incoming", pa.Table.from_pylist(rows))
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
        connection.unregister("incoming")


def _remove_leftovers(results: Path) -> None:
    """Half-built stores of ingests that were killed."""
    for path in results.glob(f".{NAME}.*"):
        path.unlink(missing_ok=True)
