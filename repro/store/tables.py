"""Turn rows into Arrow tables with the columns of the store's tables."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

_TYPES = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "BIGINT[]": pa.list_(pa.int64()),
}
Schemas = Mapping[str, pa.Schema]
_Row = Mapping[str, Any]


def schemas(connection: duckdb.DuckDBPyConnection) -> Schemas:
    """Return the columns of every table of the store."""
    columns = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
        "ORDER BY table_name, column_index"
    ).fetchall()
    found: dict[str, list[tuple[str, Any]]] = {}
    for table, column, kind in columns:
        assert kind in _TYPES, f"{table}.{column}: {kind} has no Arrow type in _TYPES"
        found.setdefault(table, []).append((column, _TYPES[kind]))
    return {table: pa.schema(fields) for table, fields in found.items()}


def table_of(rows: Iterable[_Row], schema: pa.Schema) -> pa.Table:
    """Return rows as a table. A column that a row lacks is NULL.

    Raises pyarrow.ArrowInvalid for a value that does not fit.
    """
    given = list(rows)
    columns = [_column([row.get(field.name) for row in given], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return values as a column; pyarrow would cut a fraction to a whole number unasked."""
    if pa.types.is_integer(kind) and pa.types.is_floating(pa.infer_type(values)):
        return pa.array(values).cast(kind)
    return pa.array(values, kind)


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Insert rows into a table, matching columns by name."""
    if rows.num_rows:
        connection.register("incoming", rows)
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
        connection.unregister("incoming")


def utc(moment: str) -> datetime:
    """Return a time from the evidence in UTC, without a time zone, as the store keeps it.

    Raises ValueError for text that is not a time.
    """
    parsed = datetime.fromisoformat(moment)
    return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
