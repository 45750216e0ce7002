"""The store is opened to read alone, closed to files, and refused where it cannot be trusted."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from repro.errors import EvidenceError, InputError
from repro.store.database import TABLES, connect, create, layout, query, quoted
from repro.store.ingest import ingest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY runs TO 'leak.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "DELETE FROM runs",
        "CREATE TABLE t (a INTEGER)",
        "EXPORT DATABASE 'out'",
    ],
)
def test_sql_reaches_nothing_but_the_tables(
    tmp_path: Path, results: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert query(results, "SELECT count(*) FROM runs")[1] == [(3,)], "a positive control"
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(InputError):
        query(results, sql)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_missing_or_foreign_store_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="repro ingest"):
        query(tmp_path, "SELECT 1")
    (tmp_path / "repro.duckdb").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(EvidenceError, match="builds it again"):
        query(tmp_path, "SELECT 1")


def test_a_store_of_another_version_is_told_from_a_current_one(results: Path) -> None:
    assert query(results, "SELECT count(*) FROM runs")[1] == [(3,)]
    with duckdb.connect(str(results / "repro.duckdb")) as connection:
        connection.execute("COMMENT ON TABLE runs IS 'older'")
    with pytest.raises(EvidenceError, match="tables of another version; `repro ingest`"):
        query(results, "SELECT count(*) FROM runs")
    ingest(results)
    assert query(results, "SELECT count(*) FROM runs")[1] == [(3,)]


def test_no_path_is_allowed_even_to_a_connection_that_checks_nothing(results: Path) -> None:
    """The second line of defence: what a statement that got through could open."""
    store = results / "repro.duckdb"
    with connect(results) as connection:
        assert connection.execute("SELECT current_setting('allowed_paths')").fetchall() == [([],)]
        for sql in (
            f"COPY (SELECT 1) TO '{store}.wal'",
            f"SELECT * FROM read_blob('{store}')",
            "DELETE FROM runs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
        assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(3,)], "the control"
    assert not Path(f"{store}.wal").exists()


@pytest.mark.worker
def test_a_store_beside_a_log_is_refused_with_the_command_that_mends_it(
    repro: Command, results: Path
) -> None:
    """DuckDB would replay any log that lies there, forged or stale."""
    assert repro("sql", "SELECT 1", results=results).returncode == 0, "the control"
    (results / "repro.duckdb.wal").write_bytes(b"a log of another database")
    for verb in (["sql", "SELECT 1"], ["verify", "smoke"]):
        done = repro(*verb, results=results)
        assert done.returncode == 2
        assert "write-ahead log" in done.stderr
        assert "`repro ingest`" in done.stderr
    assert repro("ingest", results=results).returncode == 0
    assert repro("sql", "SELECT 1", results=results).returncode == 0
    assert not (results / "repro.duckdb.wal").exists()


def test_a_new_store_has_the_tables_that_are_named_and_the_digest_of_its_layout() -> None:
    with duckdb.connect() as connection:
        create(connection)
        made = connection.execute(
            "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() "
            "WHERE NOT internal"
        ).fetchall()
        comment = connection.execute(
            "SELECT comment FROM duckdb_tables() WHERE table_name = 'runs'"
        ).fetchone()
    assert {name for (name,) in made} == {*TABLES}
    assert comment == (layout(),)


def test_a_query_gives_the_names_of_its_columns_and_at_most_so_many_rows(results: Path) -> None:
    sql = "SELECT status, 'x' AS \"a b\" FROM runs"
    assert query(results, sql) == (["status", "a b"], [("done", "x")] * 3)
    assert query(results, sql, 2) == (["status", "a b"], [("done", "x")] * 2)
    assert query(results, sql, 0) == (["status", "a b"], [])


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM walks", r"walks.*; tables: runs, measurements, "),
        ("SELECT nothing FROM runs", "nothing"),
        ("SELECT 'x'::INTEGER", "Could not convert"),
    ],
)
def test_a_query_that_fails_is_told_in_one_line(results: Path, sql: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        query(results, sql)
    assert "\n" not in caught.value.args[0]
    assert ("tables: " in str(caught.value)) == ("walks" in sql)


def test_an_answer_that_does_not_fit_in_memory_says_to_ask_for_less(results: Path) -> None:
    sql = "SELECT array_agg(a) FROM range(100000000) t(a)"
    with pytest.raises(InputError, match=r"does not fit in memory; ask for less"):
        query(results, sql, None, "SET memory_limit = '10MB'")


def test_a_path_with_a_quote_is_one_string_of_sql(results: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's; DROP TABLE runs"
    results.rename(odd)
    assert query(odd, "SELECT count(*) FROM runs")[1] == [(3,)]
    assert quoted(Path("a'b")) == "a''b"
