"""Claims and verdicts into the store, so that `repro sql` can ask for them. The run folders stay the evidence."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from repro.errors import ReproError
from repro.evidence.lock import exclusive
from repro.manifest.claim import Claim
from repro.store.check import FolderState
from repro.store.database import NAME, connect
from repro.store.seal import new_store
from repro.verify.verdict import Verdict

_STATE = "UPDATE folders SET names = ?, states = ?, absent = ? WHERE folder = ?"
_CLAIMS = "INSERT INTO claims SELECT " + ", ".join(["unnest(?::VARCHAR[])"] * 7)
_VERDICTS = (
    "INSERT INTO verdicts SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
    "unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::INTEGER[]), unnest(?::DOUBLE[]), "
    "unnest(?::VARCHAR[])"
)


def has_runs(results: Path) -> bool:
    """Whether there is a store with a run in it: without one there are no verdicts worth keeping."""
    if not (results / NAME).exists():
        return False
    with connect(results) as connection:
        return connection.execute("SELECT run_id FROM runs LIMIT 1").fetchone() is not None


def keep(
    results: Path, claims: Sequence[Claim], verdicts: Sequence[Verdict], states: Iterable[FolderState] = ()
) -> str | None:
    """Put these claims' rows, and newer states of folders, into a copy of the store, which takes its place.

    Returns why not, when the store is in use, missing, or cannot be written.
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
        return str(error).splitlines()[0]
    return None


def _replace(connection: duckdb.DuckDBPyConnection, claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> None:
    ids = [claim.id for claim in claims]
    connection.execute("DELETE FROM claims WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids])
    connection.execute("DELETE FROM verdicts WHERE claim IN (SELECT unnest(?::VARCHAR[]))", [ids])
    connection.execute(_CLAIMS, _claim_columns(claims))
    connection.execute(_VERDICTS, _verdict_columns(verdicts))


def _claim_columns(claims: Sequence[Claim]) -> list[list[str | None]]:
    rows = [(c.id, c.source, c.locator, c.printed, c.kind, c.measured_by, c.digest) for c in claims]
    return [list(column) for column in zip(*rows, strict=True)]


def _verdict_columns(verdicts: Sequence[Verdict]) -> list[list[object]]:
    rows = [
        (v.id, v.basis, v.grade, v.outcome, _number(v.estimate), v.low, v.high, v.n, v.p, v.reason) for v in verdicts
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (bool, int, float)) else None
