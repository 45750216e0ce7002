"""Put claims and verdicts into the store, so that `repro sql` can query them.

The run folders stay the evidence.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from repro.claims.claim import Claim
from repro.errors import ReproError, first_line
from repro.evidence.lock import exclusive
from repro.store.check import FolderState
from repro.store.database import NAME, connect
from repro.store.seal import new_store

_STATE = "UPDATE folders SET names = ?, states = ?, absent = ? WHERE folder = ?"
_CLAIMS = "INSERT INTO claims SELECT " + ", ".join(["unnest(?::VARCHAR[])"] * 7)
_VERDICTS = (
    "INSERT INTO verdicts SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
    "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
    "unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::INTEGER[]), "
    "unnest(?::DOUBLE[]), "
    "unnest(?::VARCHAR[])"
)
_FIELDS = ("id", "basis", "grade", "outcome", "estimate", "low", "high", "n", "p", "reason")
"""The fields of a verdict's JSON that the store keeps."""


def has_runs(results: Path) -> bool:
    """Return whether there is a store with a run, or supplied values, in it.

    Without any, no verdict is worth keeping.
    """
    if not (results / NAME).exists():
        return False
    with connect(results) as connection:
        found = connection.execute(
            "SELECT run_id FROM runs UNION ALL SELECT folder FROM supplied LIMIT 1"
        )
        return found.fetchone() is not None


def keep(
    results: Path,
    claims: Sequence[Claim],
    verdicts: Sequence[Mapping[str, Any]],
    states: Iterable[FolderState] = (),
) -> str | None:
    """Replace these claims' rows, and update states of folders, in the store.

    Both are done in a copy that then takes the store's place. `verdicts` has one entry per
    claim, as in the JSON of `repro verify`. Returns the reason when the store is in use,
    missing, or cannot be written; else None.
    """
    if not (results / NAME).exists():
        return "there is no store"
    if not claims:
        return None  # nothing to replace: a manifest need not have claims
    try:
        with exclusive(results, "ingest"), new_store(results) as beside:
            shutil.copyfile(results / NAME, beside)
            with duckdb.connect(str(beside)) as connection:
                _replace(connection, claims, verdicts)
                for state in states:
                    connection.execute(_STATE, state)
    except (duckdb.Error, OSError, ReproError) as error:
        return first_line(error)
    return None


def _replace(
    connection: duckdb.DuckDBPyConnection,
    claims: Sequence[Claim],
    verdicts: Sequence[Mapping[str, Any]],
) -> None:
    """Replace the rows of these claims and their verdicts."""
    ids = [claim.id for claim in claims]
    connection.execute("DELETE FROM claims WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids])
    connection.execute("DELETE FROM verdicts WHERE claim IN (SELECT unnest(?::VARCHAR[]))", [ids])
    connection.execute(_CLAIMS, _claim_columns(claims))
    connection.execute(_VERDICTS, _verdict_columns(verdicts))


def _claim_columns(claims: Sequence[Claim]) -> list[list[str | None]]:
    """Return the columns of `claims`."""
    rows = [(c.id, c.source, c.locator, c.printed, c.kind, c.measured_by, c.digest) for c in claims]
    return [list(column) for column in zip(*rows, strict=True)]


def _verdict_columns(verdicts: Sequence[Mapping[str, Any]]) -> list[list[object]]:
    """Return the columns of `verdicts`."""
    rows = [{**verdict, "estimate": _number(verdict["estimate"])} for verdict in verdicts]
    return [[row[field] for row in rows] for field in _FIELDS]


def _number(value: object) -> float | None:
    """Return the estimate as a number; None for text or a tuple, which the column cannot hold."""
    return float(value) if isinstance(value, (bool, int, float)) else None
