"""Tables for other programs: parts of the store, and verdicts, with the types of their columns."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from repro.errors import EvidenceError, first_line
from repro.execute.folders import results_to_read
from repro.store.database import INGEST, connect
from repro.store.seal import check_seal
from repro.store.tables import table_of

if TYPE_CHECKING:
    from repro.verify.verdict import Verdict

ALL_RUNS = "SELECT * FROM runs ORDER BY experiment, slot, run_id"
ALL_MEASUREMENTS = """
SELECT m.* REPLACE (coalesce(m.probe_set, r.probe_set) AS probe_set)
FROM measurements m JOIN (SELECT DISTINCT run_id, probe_set FROM runs) r USING (run_id)
ORDER BY ALL
"""
ALL_TRAJECTORIES = "SELECT * FROM trajectories"
VERDICTS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "source", "locator", "printed")),
        ("value", pa.float64()),
        *((name, pa.string()) for name in ("kind", "basis", "grade", "outcome")),
        *((name, pa.float64()) for name in ("estimate", "low", "high")),
        ("n", pa.int64()),
        *((name, pa.float64()) for name in ("z", "p", "p_holm", "minimum_detectable")),
        *((name, pa.string()) for name in ("tolerance", "reason")),
        ("audit", pa.list_(pa.string())),
    ]
)
"""Columns of the table of verdicts: the JSON keys of `repro verify` that are no records."""


def store_table(results: str | os.PathLike[str] | None, sql: str) -> pa.Table:
    """Return the answer to a query of the store; JSON columns are text.

    Raises EvidenceError where there is no store, where it was edited, or cannot be read.
    """
    folder = results_to_read(None if results is None else os.fspath(results))
    with connect(folder) as connection:
        try:
            found = connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise EvidenceError(
                f"{folder}: cannot be read ({first_line(error)}); {INGEST}"
            ) from None
    check_seal(folder)
    return found.cast(pa.schema([(field.name, _plain_type(field.type)) for field in found.schema]))


def verdict_table(verdicts: Sequence["Verdict"]) -> pa.Table:
    """Return a row for each verdict. A number that is none (a text, a list) is null."""
    rows: list[dict[str, Any]] = [verdict.model_dump() for verdict in verdicts]
    for row in rows:
        row |= {name: _number(row[name]) for name in ("value", "estimate")}
    return table_of(rows, VERDICTS)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column's values are stored as: text, of JSON."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (bool, int, float)) else None
