"""Rows become tables with the store's columns, and every value keeps its type."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.store.database import create
from repro.store.tables import insert, schemas, table_of, utc


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A store without rows."""
    with duckdb.connect() as made:
        create(made)
        yield made


def test_every_column_of_every_table_has_a_type(connection: duckdb.DuckDBPyConnection) -> None:
    """A type that were not known would leave its column out, without a word."""
    found = schemas(connection)
    tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert len(tables) > 10
    for (table,) in tables:
        columns = connection.execute(f"DESCRIBE {table}").fetchall()
        assert found[table].names == [name for name, *_ in columns]


def test_rows_come_back_with_null_where_they_have_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    schema = schemas(connection)["folders"]
    rows = [
        {"names": "a", "states": [1, 2**62], "folder": "one", "absent": 3, "run": '{"a": 1}'},
        {"folder": "two", "names": "", "states": [], "absent": 0},
    ]
    turned = pa.schema(reversed(list(schema)))
    insert(connection, "folders", table_of(rows, turned))
    assert connection.execute(
        "SELECT folder, marker, names, states, absent, run->>'a' FROM folders ORDER BY folder"
    ).fetchall() == [("one", None, "a", [1, 2**62], 3, "1"), ("two", None, "", [], 0, None)]


def test_no_rows_are_a_table_with_columns_and_insert_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    schema = schemas(connection)["seals"]
    none = table_of([], schema)
    assert (none.num_rows, none.schema) == (0, schema)
    insert(connection, "seals", none)
    assert connection.execute("SELECT * FROM seals").fetchall() == []


@pytest.mark.parametrize("value", ["three", 2**40, True, 0.5])
def test_a_value_that_does_not_fit_its_column_is_refused(
    connection: duckdb.DuckDBPyConnection, value: Any
) -> None:
    schema = schemas(connection)["folders"]
    assert schema.field("absent").type == pa.int32()
    with pytest.raises((pa.ArrowException, OverflowError)):
        table_of([{"folder": "f", "names": "", "states": [], "absent": value}], schema)


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_a_time_is_kept_in_utc_whatever_zone_it_was_written_in(
    moment: datetime, minutes: int
) -> None:
    moment = moment.replace(year=2026)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    written = f"{moment.isoformat()}{sign}{hours:02}:{rest:02}"
    kept = utc(written)
    assert kept.tzinfo is None
    assert kept.replace(tzinfo=UTC) == datetime.fromisoformat(written)
    assert utc(moment.isoformat()) == moment


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        utc("yesterday")
