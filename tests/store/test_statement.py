"""SQL that writes, reads files, reaches the network or never ends is refused or stopped; honest SQL
is answered.

Every statement is tried on a real store, whose bytes must be what they were; the honest ones are
the control.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from repro.errors import InputError
from repro.files import file_digest
from repro.store.database import query
from repro.store.statement import check_statement

Command = Callable[..., subprocess.CompletedProcess[str]]
WRITING = """
COPY (SELECT 'gone' AS x) TO '{store}' (FORMAT csv, USE_TMP_FILE false)
COPY (SELECT from_hex('00')) TO '{store}.wal' (FORMAT blob, USE_TMP_FILE false)
COPY (SELECT 1) TO '{store}.wal.recovery' (FORMAT csv, USE_TMP_FILE false)
COPY (SELECT 1) TO '{store}.wal.checkpoint' (FORMAT csv, USE_TMP_FILE false)
COPY (SELECT 1) TO '{store}.seal' (FORMAT csv)
COPY runs TO 'leak.csv'
COPY runs TO 'leak' (PARTITION_BY seed)
COPY runs FROM '{store}'
COPY FROM DATABASE repro TO memory
EXPLAIN ANALYZE COPY (SELECT 1) TO '{store}.wal' (FORMAT csv, USE_TMP_FILE false)
EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{store}.wal' (FORMAT csv, USE_TMP_FILE false)
explain /* quietly */ analyze -- now
  copy (SELECT 1) TO '{store}.wal'
EXPLAIN ANALYZE DELETE FROM runs
EXPLAIN COPY (SELECT 1) TO 'leak.csv'
INSERT INTO verdicts VALUES ('x', 'reproduced', 1, 1, 1, 1, 1, 'forged')
UPDATE verdicts SET outcome = 'reproduced'
UPDATE measurements SET value = value * 0.1
DELETE FROM runs
TRUNCATE runs
MERGE INTO runs USING runs r ON runs.run_id = r.run_id WHEN MATCHED THEN DELETE
DROP TABLE runs
DROP VIEW trajectories
ALTER TABLE runs ADD COLUMN x INTEGER
ALTER TABLE runs RENAME TO walks
COMMENT ON TABLE runs IS 'another version'
CREATE TABLE t (a INTEGER)
CREATE TEMP TABLE runs AS SELECT 1
CREATE TABLE memory.main.runs AS SELECT 1
CREATE OR REPLACE VIEW runs AS SELECT 1
CREATE MACRO f() AS 1
CREATE SCHEMA s
CREATE SEQUENCE s
CREATE TYPE t AS ENUM ('a')
CREATE INDEX i ON runs (slot)
CREATE SECRET s (TYPE s3)
VACUUM
VACUUM ANALYZE
ANALYZE
CHECKPOINT
FORCE CHECKPOINT
EXPORT DATABASE 'out'
IMPORT DATABASE 'out'
WITH x AS (INSERT INTO verdicts VALUES ('x', 'reproduced', 1, 1, 1, 1, 1, 'forged') RETURNING *) SELECT * FROM x
WITH x AS (DELETE FROM runs RETURNING *) SELECT * FROM x
WITH x AS (UPDATE verdicts SET outcome = 'reproduced' RETURNING *) SELECT * FROM x
SELECT 1; DELETE FROM runs
DELETE FROM runs; SELECT 1
SELECT 1; SELECT 2
BEGIN
COMMIT
PREPARE p AS DELETE FROM runs
EXECUTE p
DEALLOCATE p
FROM force_checkpoint('repro')
FROM query('DELETE FROM runs')
FROM json_execute_serialized_sql('{{}}')
"""
REACHING = """
ATTACH '{store}' AS again
ATTACH 'other.duckdb' AS other
ATTACH ':memory:' AS other
DETACH repro
USE memory
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM '/etc/passwd'
SELECT * FROM read_text('/etc/hostname')
SELECT * FROM read_text('/dev/stdin')
SELECT * FROM read_blob('{store}')
SELECT * FROM read_blob('/proc/self/environ')
SELECT * FROM read_json('/etc/hostname')
SELECT * FROM read_ndjson_objects('/etc/hostname')
SELECT * FROM read_parquet('{results}/runs/*/*/steps/*.parquet')
SELECT * FROM parquet_metadata('{results}/runs/smoke/x.parquet')
SELECT * FROM read_duckdb('{store}')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM glob('/etc/*')
SELECT * FROM '{store}'
SELECT content FROM read_text(['/etc/hostname', '/etc/passwd'])
SELECT getenv('HOME')
SELECT * FROM some_variable_of_python
SELECT * FROM pandas_scan(1)
SELECT * FROM python_arrow_scan(1, 2, 3)
SELECT * FROM 'http://127.0.0.1:9/x.csv'
SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')
SELECT * FROM read_parquet('s3://bucket/x.parquet')
SELECT * FROM read_text('hf://datasets/x/y')
INSTALL httpfs
LOAD httpfs
FORCE INSTALL httpfs FROM community
UPDATE EXTENSIONS
SET enable_external_access = true
SET lock_configuration = false
SET disabled_filesystems = ''
SET allowed_paths = ['/']
SET VARIABLE x = 1
RESET disabled_filesystems
PRAGMA enable_profiling
PRAGMA database_list
CALL enable_logging(storage = 'file', storage_config = {{'path': '{results}/log'}})
SELECT * FROM enable_logging(storage = 'file', storage_config = {{'path': '{results}/log'}})
SELECT * FROM enable_profiling()
SET python_enable_replacements = true
"""
FOR_EVER = [
    "SELECT count(*) FROM range(1000000000000)",
    "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "SELECT len(range(2000000000))",
    "SELECT len(repeat('x', 4000000000))",
    "SELECT array_agg(a) FROM range(10000000000) t(a)",
    "SELECT string_agg(repeat('x', 1000), ',') FROM range(1000000000)",
    "SELECT count(DISTINCT a * b) FROM range(100000000) t(a), range(100) s(b)",
    "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
    "SELECT * FROM range(10000000000) ORDER BY random()",
]
HONEST = """
SELECT * FROM runs
SELECT count(*) FROM measurements
FROM trajectories
VALUES (1), (2)
TABLE verdicts
DESCRIBE runs
DESCRIBE SELECT * FROM trajectories
SHOW TABLES
SHOW ALL TABLES
SUMMARIZE measurements
EXPLAIN SELECT * FROM runs
EXPLAIN ANALYZE SELECT * FROM runs
EXPLAIN (FORMAT json) SELECT * FROM runs
WITH newest AS (SELECT max(finished) AS f FROM runs) SELECT slot FROM runs, newest WHERE finished = f
SELECT model, condition, avg(ei) FROM trajectories GROUP BY ALL ORDER BY ALL
SELECT slot, row_number() OVER (PARTITION BY model ORDER BY slot) FROM runs
SELECT quantity, median(value), quantile_cont(value, 0.9) FROM measurements GROUP BY quantity
SELECT r.slot, m.value FROM runs r JOIN measurements m USING (run_id) WHERE m.step = 3
SELECT corr(step, value) FROM measurements WHERE quantity = 'v_purity'
SELECT key->>'$.training.optimizer.learning_rate' FROM runs
SELECT json_array_length(key, '$.condition.phases') FROM runs
SELECT * FROM measurements PIVOT (avg(value) FOR step IN (0, 3))
UNPIVOT (SELECT ei, rms FROM trajectories) ON ei, rms
SELECT list(value ORDER BY step) FROM measurements GROUP BY run_id, quantity
SELECT regr_slope(value, step) FROM measurements
SELECT slot FROM runs WHERE slot SIMILAR TO '.*B[03].*'
SELECT CASE WHEN value > 1 THEN 'above' ELSE 'below' END AS side, count(*) FROM measurements GROUP BY 1
SELECT * FROM runs UNION ALL BY NAME SELECT * FROM runs
SELECT slot FROM runs EXCEPT SELECT slot FROM runs WHERE seed = 0
SELECT table_name, comment FROM duckdb_tables()
SELECT unnest(list_transform([1, 2, 3], lambda x: x + 1))
-- a comment first
  SELECT slot FROM runs -- and one behind;
SELECT 'DELETE FROM runs; COPY x' AS words;
"""


def statements(text: str) -> list[str]:
    """One statement a line; an indented line belongs to the one above."""
    found: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith("  ") and found:
            found[-1] += "\n" + line
        else:
            found.append(line)
    return found


def content(folder: Path) -> dict[str, str]:
    """Digest of every file below."""
    return {
        str(path.relative_to(folder)): file_digest(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.worker
def test_no_statement_that_writes_or_reaches_out_is_answered(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_variable_of_python = duckdb.sql("SELECT 1")
    assert some_variable_of_python is not None
    monkeypatch.chdir(tmp_path)
    hostile, before = statements(WRITING) + statements(REACHING), content(tmp_path)
    assert len(hostile) + len(FOR_EVER) >= 100
    for sql in hostile:
        with pytest.raises(InputError):
            query(results, sql.format(store=results / "repro.duckdb", results=results))
    assert content(tmp_path) == before
    assert query(results, "SELECT count(*) FROM runs")[1] == [(3,)], "the control"


@pytest.mark.parametrize(
    "sql", [line for line in statements(WRITING) if not line.startswith(("WITH", "FROM"))]
)
def test_what_writes_is_told_by_its_kind_before_any_database_is_open(sql: str) -> None:
    with pytest.raises(InputError, match=r"is not answered|found \d statements"):
        check_statement(sql.format(store="s", results="r"))


@pytest.mark.worker
def test_honest_queries_are_answered(results: Path) -> None:
    honest = statements(HONEST)
    assert len(honest) >= 30
    for sql in honest:
        columns, _ = query(results, sql)
        assert columns, sql


@pytest.mark.parametrize("sql", FOR_EVER)
def test_a_query_without_end_is_stopped_in_time(repro: Command, results: Path, sql: str) -> None:
    before, began = file_digest(results / "repro.duckdb"), time.monotonic()
    done = repro("sql", sql, "--timeout", "1.5", results=results)
    assert done.returncode == 2
    assert done.stderr.startswith("repro sql: ")
    assert len(done.stderr.splitlines()) == 1
    assert time.monotonic() - began < 20
    assert file_digest(results / "repro.duckdb") == before


@pytest.mark.worker
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_query_is_ended_by_a_signal_at_once_and_leaves_no_process(
    results: Path, sent: signal.Signals
) -> None:
    sql = "SELECT count(*) FROM range(1000000000000)"
    command = [sys.executable, "-m", "repro", "sql", sql, "--results", str(results)]
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # in the background of a script it is ignored, and inherited
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        time.sleep(2.5)
        assert process.poll() is None, "the control: it is at work"
        process.send_signal(sent)
        _, said = process.communicate(timeout=10)
        assert process.returncode == 130
        assert len(said.splitlines()) == 1
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_json_is_json_and_loses_no_column(repro: Command, results: Path) -> None:
    sql = (
        "SELECT 'nan'::DOUBLE AS r, '-inf'::DOUBLE AS w, 1 AS n, 2 AS n, 3 AS n_2, DATE "
        "'2026-01-02' AS d, NULL AS u, "
        "12345678901234567890.123456789::DECIMAL(38, 9) AS x, 0.5::DECIMAL(4, 2) AS y, "
        "['nan'::FLOAT] AS l, "
        "MAP {1: 2} AS m, {'a': TIME '10:00:00'} AS s, 'é\x1b' AS t, INTERVAL 1 DAY AS i, "
        "'x'::BLOB AS b"
    )
    done = repro("sql", sql, "--format", "json", results=results)

    def refuse(word: str) -> None:
        raise AssertionError(word)

    (row,) = json.loads(done.stdout, parse_constant=refuse)
    assert row == {
        "r": "NaN", "w": "-Infinity", "n": 1, "n_3": 2, "n_2": 3, "d": "2026-01-02", "u": None,
        "x": "12345678901234567890.123456789", "y": 0.5, "l": ["NaN"], "m": {"1": 2}, "s": {"a": "10:00:00"},
        "t": "é\x1b", "i": "1 day, 0:00:00", "b": "78",
    }  # fmt: skip


def test_csv_keeps_null_apart_from_nothing_and_quotes_what_a_spreadsheet_would_run(
    repro: Command, results: Path
) -> None:
    sql = (
        "SELECT '=1+1' AS \"@a\", -5 AS b, NULL AS c, '' AS d, 'x,\"y' AS e, true AS f, "
        "0.10::DECIMAL(4, 2) AS g"
    )
    plain = repro("sql", sql, "--format", "csv", results=results).stdout.splitlines()
    assert plain == ["@a,b,c,d,e,f,g", '=1+1,-5,,"","x,""y",true,0.10']
    safe = repro("sql", sql, "--format", "csv", "--safe-csv", results=results).stdout.splitlines()
    assert safe == ["'@a,b,c,d,e,f,g", '\'=1+1,-5,,"","x,""y",true,0.10']
    assert repro("sql", sql, "--safe-csv", results=results).returncode == 2


def test_control_characters_are_spelled_out_in_a_table(repro: Command, results: Path) -> None:
    done = repro(
        "sql",
        "SELECT chr(27) || '[31mred' AS x, 'a' || chr(8238) || 'b' AS \"n\x1b[0m\"",
        results=results,
    )
    assert "\\x1b[31mred" in done.stdout
    assert "a\\u202eb" in done.stdout
    assert "n\\x1b[0m" in done.stdout
    assert "\x1b" not in done.stdout
    assert "é" in repro("sql", "SELECT 'é'", results=results).stdout, "the control"


def test_a_table_shows_a_thousand_rows_and_says_so(repro: Command, results: Path) -> None:
    done = repro("sql", "SELECT * FROM range(1500)", results=results)
    assert "the first 1,000 rows" in done.stdout
    assert (
        len(
            repro(
                "sql", "SELECT * FROM range(1500)", "--format", "csv", results=results
            ).stdout.splitlines()
        )
        == 1501
    )
