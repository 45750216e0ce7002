"""Take over from the last store what it read of run folders that did not change since.

`repro ingest --new` does so. Sizes and times decide, as for `repro verify`: `repro ingest` alone
reads every byte. A store that was edited, of other tables, or read by other sources than today's
gives nothing.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from repro.errors import EvidenceError
from repro.files import digest
from repro.plan.code import worker_code
from repro.store.database import NAME, connect, quoted
from repro.store.faults import states_of
from repro.store.seal import check_seal

_TABLES = ("measurements", "samples", "evaluations", "artifacts", "provenance")
"""Tables with rows of single runs, by run_id."""


def note_reader(connection: duckdb.DuckDBPyConnection) -> None:
    """Write into a new store which sources read the folders."""
    connection.execute(f"COMMENT ON TABLE folders IS '{_reader()}'")


def unchanged(results: Path) -> dict[str, dict[str, Any]]:
    """Return the row of every finished run whose folder is as the last store knew it, by folder."""
    try:
        check_seal(results)
        with connect(results) as connection:
            found = connection.execute(
                "SELECT comment FROM duckdb_tables() WHERE database_name = 'repro' AND "
                "table_name = 'folders'"
            ).fetchone()
            if found != (_reader(),):
                return {}
            times = {
                name
                for (name,) in connection.execute(
                    "SELECT column_name FROM duckdb_columns() WHERE database_name = 'repro' AND "
                    "table_name = 'runs' AND data_type = 'TIMESTAMP'"
                ).fetchall()
            }
            rows = connection.execute(
                "SELECT folder, names, states, run FROM folders WHERE left_out IS NULL AND "
                "marker IS NOT NULL AND absent = 0"
            ).fetchall()
    except (EvidenceError, OSError, duckdb.Error):
        return {}
    runs = results / "runs"
    return {
        folder: _run(run, times)
        for folder, names, states, run in rows
        if states_of(f"{runs}/{folder}/", names) == states
    }


def take_over(
    connection: duckdb.DuckDBPyConnection, results: Path, folders: Sequence[str]
) -> dict[str, set[str]]:
    """Copy what the last store has of these folders; return the files each had, by folder."""
    if not folders:
        return {}
    connection.execute(f"ATTACH '{quoted(results / NAME)}' AS earlier (READ_ONLY)")
    connection.execute("CREATE TEMP TABLE kept AS SELECT unnest(?::VARCHAR[]) AS folder", [folders])
    kept = connection.execute(
        "INSERT INTO folders BY NAME FROM earlier.folders SEMI JOIN kept USING (folder) "
        "RETURNING folder, names"
    ).fetchall()
    for table in _TABLES:
        connection.execute(
            f"INSERT INTO {table} BY NAME FROM earlier.{table} WHERE run_id IN "
            "(SELECT run->>'run_id' FROM earlier.folders SEMI JOIN kept USING (folder))"
        )
    connection.execute("DROP TABLE kept")
    connection.execute("DETACH earlier")
    return {folder: set(names.split("\n")) for folder, names in kept}


def _run(kept: str, times: Collection[str]) -> dict[str, Any]:
    """Return a kept row of `runs`, with its times read as times."""
    row = json.loads(kept)
    return {
        name: datetime.fromisoformat(value) if name in times and value else value
        for name, value in row.items()
    }


def _reader() -> str:
    """Return the digest of the sources that read run folders."""
    return digest(worker_code("repro.store.folders"))
