"""Open the store: attach it, read-only, to a database in memory that is closed to everything else.

`read_only` alone still lets SQL read and write files, and `enable_external_access` leaves the
store's own paths open to COPY. So the store is attached first, then all files are switched off and
the configuration is locked. SQL can use the open handle and cannot open any path.
"""

from pathlib import Path
from typing import Any

import duckdb

from repro.errors import EvidenceError, InputError, first_line
from repro.files import file_digest
from repro.store.statement import check_statement

NAME = "repro.duckdb"
_SCHEMA = Path(__file__).with_name("schema.sql")
INGEST = "`repro ingest` builds it again from the run folders"
TABLES = (
    "runs", "measurements", "trajectories", "collapses", "cell_collapses", "divergences", "companions", "evaluations",
    "samples", "supplied", "supplied_values",
    "claims", "verdicts", "artifacts", "provenance", "folders", "seals", "sealed_claims", "noted",
)  # fmt: skip
_CLOSED = (
    # Otherwise a table name could resolve to a Python variable.
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET temp_directory = ''",
    "SET disabled_filesystems = 'LocalFileSystem'",
    "SET lock_configuration = true",
)


def layout() -> str:
    """Return the digest of the tables this version of repro reads and writes.

    Every store carries its own.
    """
    return file_digest(_SCHEMA)[:16]


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables of this version."""
    connection.execute(_SCHEMA.read_text(encoding="utf-8"))
    connection.execute(f"COMMENT ON TABLE runs IS '{layout()}'")


def connect(results: Path, *settings: str) -> duckdb.DuckDBPyConnection:
    """Open a read-only connection without access to files or network.

    `settings` are SET statements to run before the configuration is locked. Raises
    EvidenceError when there is no usable store.
    """
    path = results / NAME
    if not path.is_file():
        raise EvidenceError(
            f"{path}: no such store; run `repro ingest` (or `make reproduce MANIFEST=smoke`) first"
        )
    if logs := logs_beside(path):
        raise EvidenceError(
            f"{logs[0]}: a write-ahead log that repro did not leave lies beside the store, "
            "which cannot be trusted with "
            f"it; {INGEST}, and removes the log"
        )
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"ATTACH '{quoted(path)}' AS repro (READ_ONLY)")
        found = connection.execute(
            "SELECT comment FROM duckdb_tables() WHERE database_name = 'repro' AND "
            "table_name = 'runs'"
        ).fetchone()
        # The lock comes last: after it no setting can change.
        for setting in (*settings, "USE repro", *_CLOSED):
            connection.execute(setting)
    except duckdb.Error as error:
        connection.close()
        raise EvidenceError(f"{path}: {_problem(error)}") from error
    if found != (layout(),):
        connection.close()
        raise EvidenceError(f"{path}: has the tables of another version; {INGEST}")
    return connection


def logs_beside(path: Path) -> list[Path]:
    """Return the write-ahead logs beside a database. DuckDB would replay them as a part of it."""
    return sorted(path.parent.glob(f"{path.name}.wal*"))


def quoted(path: Path) -> str:
    """Return the path as the inside of an SQL string."""
    return str(path).replace("'", "''")


def _problem(error: Exception) -> str:
    """Return what is wrong with the store and what to do, from DuckDB's error."""
    said = first_line(error)
    if "lock" in said.lower():
        return f"is open in another program ({said}); close it there and try again"
    return f"cannot be read ({said}); {INGEST}"


def query(
    results: Path, sql: str, rows: int | None = None, *settings: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one read-only query and return (column names, rows), at most `rows` of them.

    Raises InputError for SQL that is refused or fails.
    """
    check_statement(sql)
    with connect(results, *settings) as connection:
        try:
            cursor = connection.execute(sql)
            found = cursor.fetchall() if rows is None else cursor.fetchmany(rows)
            return [column[0] for column in cursor.description or []], found
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise InputError(
                "the answer does not fit in memory; ask for less (a WHERE, a LIMIT)"
            ) from error
        except (duckdb.Error, ValueError, OverflowError) as error:
            # The last two: a date outside Python's range.
            problem = " ".join(str(error).split())
            known = (
                f"; tables: {', '.join(TABLES)}"
                if isinstance(error, duckdb.CatalogException)
                else ""
            )
            raise InputError(f"{problem}{known}") from error
