"""Commands as a user types them: exit codes, and one clear line for what is wrong."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plan", "nosuch"], "nosuch: no such manifest; known are"),
        (["run", "smoke", "--only", "nothing-*"], "--only nothing-*: no run of smoke matches"),
        (["run", "smoke", "--max-parallel", "0"], "--max-parallel: found 0, expected at least 1"),
        (["sql", "SELECT 1"], "no such store; run `repro ingest`"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(repro: Command, arguments: list[str], expected: str) -> None:
    done = repro(*arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith(f"repro {arguments[0]}: ")


def test_a_wrong_flag_is_refused_with_usage(repro: Command) -> None:
    done = repro("run", "smoke", "--max-paralel", "2")
    assert done.returncode == 2
    assert "unrecognized arguments: --max-paralel" in done.stderr


def test_a_manifest_that_is_not_yaml_is_named_with_its_line(repro: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("id: mine\ntitle: [unclosed\n")
    done = repro("plan", "mine.yaml")
    assert done.returncode == 2
    assert "mine.yaml:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_plan_names_every_run_with_its_state_and_cost(repro: Command) -> None:
    done = repro("plan", "scale_ladder", "--json")
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    rows = rows["runs"] if isinstance(rows, dict) else rows
    assert len(rows) == 22
    assert {row["state"] for row in rows} == {"new"}
    assert all(0 < row["gpu_hours"][0] < row["gpu_hours"][1] for row in rows)


def test_sql_speaks_table_csv_and_json(repro: Command) -> None:
    assert repro("ingest").returncode == 0
    query = "SELECT 1 AS one, NULL AS none, 0.123456789 AS share"
    assert json.loads(repro("sql", query, "--format", "json").stdout) == [
        {"one": 1, "none": None, "share": 0.123456789}
    ]
    assert repro("sql", query, "--format", "csv").stdout.splitlines() == ["one,none,share", "1,,0.123456789"]
    table = repro("sql", query).stdout
    assert "one" in table
    assert "–" in table


def test_a_wrong_query_names_the_tables(repro: Command) -> None:
    assert repro("ingest").returncode == 0
    done = repro("sql", "SELECT * FROM measurement")
    assert done.returncode == 2
    assert "measurements" in done.stderr


def test_status_of_an_empty_folder_says_so(repro: Command) -> None:
    done = repro("status")
    assert done.returncode == 0
    assert "no runs under" in done.stdout


def test_a_results_folder_that_cannot_be_written_is_named(repro: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = repro("ingest", results=tmp_path / "file")
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
