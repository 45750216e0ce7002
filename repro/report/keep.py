"""Claims and verdicts into the store, so that `repro sql` can ask for them. The run folders stay the evidence."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from repro.manifest.claim import Claim
from repro.store.database import NAME, connect
from repro.verify.verdict import Verdict

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


def keep(results: Path, claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> str | None:
    """Replace the rows of these claims in one transaction; why not, when the store is in use or missing."""
    if not (results / NAME).exists():
        return "there is no store"
    if not claims:
        return None  # nothing to replace: a manifest need not have claims
    try:
        with duckdb.connect(str(results / NAME)) as connection:
            connection.execute("BEGIN")
            ids = [claim.id for claim in claims]
            connection.execute("DELETE FROM claims WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids])
            connection.execute("DELETE FROM verdicts WHERE claim IN (SELECT unnest(?::VARCHAR[]))", [ids])
            connection.execute(_CLAIMS, _claim_columns(claims))
            connection.execute(_VERDICTS, _verdict_columns(verdicts))
            connection.execute("COMMIT")
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


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
