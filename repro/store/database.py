"""Opening the store: for reading, closed to everything but its own tables.

`read_only` alone still lets SQL read and write files; without external access and with a locked configuration it cannot.
"""

from pathlib import Path
from typing import Any

import duckdb

from repro.errors import EvidenceError, InputError

NAME = "repro.duckdb"


def connect(results: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection without access to files or network. Raises EvidenceError when there is no usable store."""
    path = results / NAME
    if not path.exists():
        raise EvidenceError(f"{path}: no such store; run `repro ingest` (or `make reproduce MANIFEST=smoke`) first")
    settings: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    try:
        connection = duckdb.connect(str(path), read_only=True, config=settings)
        connection.execute("SELECT 1 FROM runs LIMIT 1")
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
        raise EvidenceError(
            f"{path}: cannot be read ({problem}); `repro ingest` builds it again from the run folders"
        ) from error
    return connection


def query(results: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """(column names, rows) of one query. Raises InputError for SQL that cannot be carried out."""
    with connect(results) as connection:
        try:
            cursor = connection.execute(sql)
            return [column[0] for column in cursor.description or []], cursor.fetchall()
        except duckdb.Error as error:
            problem = " ".join(str(error).split())
            raise InputError(
                f"{problem}; tables: runs, measurements, trajectories, claims, verdicts, artifacts, provenance"
            ) from error
