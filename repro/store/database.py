"""Opening the store: for reading, closed to everything but its own tables.

`read_only` alone still lets SQL read and write files; without external access and with a locked configuration it cannot.
"""

from pathlib import Path
from typing import Any

import duckdb

from repro.errors import EvidenceError, InputError
from repro.files import file_digest

NAME = "repro.duckdb"
SCHEMA = Path(__file__).with_name("schema.sql")


def layout() -> str:
    """Digest of the tables that this version of repro reads and writes; every store carries its own."""
    return file_digest(SCHEMA)[:16]


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty tables of this version."""
    connection.execute(SCHEMA.read_text())
    connection.execute(f"COMMENT ON TABLE runs IS '{layout()}'")


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
        found = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'runs'").fetchone()
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
        raise EvidenceError(
            f"{path}: cannot be read ({problem}); `repro ingest` builds it again from the run folders"
        ) from error
    if found != (layout(),):
        connection.close()
        raise EvidenceError(
            f"{path}: has the tables of another version; `repro ingest` builds it again from the run folders"
        )
    return connection


def query(results: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """(column names, rows) of one query. Raises InputError for SQL that cannot be carried out."""
    with connect(results) as connection:
        try:
            if not connection.extract_statements(sql):
                raise InputError(f"{sql!r}: no statement in it; give one query, such as 'SELECT * FROM runs'")
            cursor = connection.execute(sql)
            return [column[0] for column in cursor.description or []], cursor.fetchall()
        except duckdb.Error as error:
            problem = " ".join(str(error).split())
            raise InputError(
                f"{problem}; tables: runs, measurements, trajectories, collapses, cell_collapses, divergences, companions, "
                "claims, verdicts, artifacts, provenance"
            ) from error
