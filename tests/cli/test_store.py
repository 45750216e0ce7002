"""`repro ingest` and `repro sql` as a user meets them: formats, limits, and clear refusals."""

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main

Command = Callable[..., subprocess.CompletedProcess[str]]
Said = pytest.CaptureFixture[str]


def test_sql_speaks_table_csv_and_json(repro: Command) -> None:
    assert repro("ingest").returncode == 0
    query = "SELECT 1 AS one, NULL AS none, 0.123456789 AS share"
    assert json.loads(repro("sql", query, "--format", "json").stdout) == [
        {"one": 1, "none": None, "share": 0.123456789}
    ]
    assert repro("sql", query, "--format", "csv").stdout.splitlines() == [
        "one,none,share",
        "1,,0.123456789",
    ]
    table = repro("sql", query).stdout
    assert "one" in table
    assert "–" in table


def test_a_wrong_query_names_the_tables(repro: Command) -> None:
    assert repro("ingest").returncode == 0
    done = repro("sql", "SELECT * FROM measurement")
    assert done.returncode == 2
    assert "measurements" in done.stderr


def test_a_results_folder_that_cannot_be_written_is_named(repro: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = repro("ingest", results=tmp_path / "file")
    assert done.returncode == 2
    assert "choose another folder" in done.stderr


def test_sql_shows_square_brackets_as_they_are(repro: Command) -> None:
    assert repro("ingest").returncode == 0
    done = repro("sql", "SELECT '[red]x[/y] :dog:' AS \"[v2]\"")
    assert done.returncode == 0
    assert "[red]x[/y] :dog:" in done.stdout
    assert "[v2]" in done.stdout


@pytest.mark.worker
@pytest.mark.parametrize("sql", ["", " ;", "-- only a comment", "/* and another */"])
def test_a_query_without_a_statement_is_one_line_and_exit_code_2(repro: Command, sql: str) -> None:
    assert repro("ingest").returncode == 0
    assert repro("sql", "-- a comment\nSELECT 1").returncode == 0, "the control"
    done = repro("sql", sql)
    assert done.returncode == 2
    assert done.stderr.startswith("repro sql: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_ingest_counts_what_is_in_the_store_and_names_what_is_not(
    evidence: Path, tmp_path: Path, capsys: Said
) -> None:
    """Of two runs one was edited: it is left out, with its name, and the code says so."""
    results = tmp_path / "results"
    whole, edited = sorted((evidence / "runs").glob("*/*/done.json"))[:2]
    for marker in (whole, edited):
        shutil.copytree(marker.parent, results / marker.parent.relative_to(evidence))
    assert main(["ingest", "--results", str(results)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"2 runs in {results / 'repro.duckdb'}")
    copy = results / edited.parent.relative_to(evidence)
    file = next(copy.glob("steps/*.parquet"))
    file.write_bytes(file.read_bytes() + b"x")
    assert main(["ingest", "--results", str(results)]) == 3
    said = capsys.readouterr()
    assert said.out == f"1 run in {results / 'repro.duckdb'}, 1 run left out\n"
    (line,) = [line for line in said.err.splitlines() if "left out" in line]
    assert line.startswith("repro ingest: left out: ")
    assert copy.name in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--safe-csv"], "--safe-csv: found with --format table, expected csv"),
        (["--timeout", "0"], "--timeout: found 0, expected seconds above 0"),
        (["--timeout", "inf"], "--timeout: found inf, expected seconds above 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    evidence: Path, capsys: Said, options: list[str], words: str
) -> None:
    assert main(["sql", "SELECT 1", "--results", str(evidence), *options]) == 2
    assert words in capsys.readouterr().err


def test_more_rows_than_are_given_out_are_refused_and_the_way_is_said(
    evidence: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The table shows the first and says so; what another program reads is whole or not at all."""
    asked = ["sql", "SELECT * FROM range(1000002)", "--results", str(evidence)]
    assert main([*asked, "--format", "csv"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert "ask for less: a WHERE, a LIMIT" in said.err
    few = ["sql", "SELECT * FROM range(3)", "--results", str(evidence), "--format", "csv"]
    assert main(few) == 0
    assert list(csv.reader(io.StringIO(capfd.readouterr().out)))[1:] == [["0"], ["1"], ["2"]]
