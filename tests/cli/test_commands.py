"""Commands as a user types them: exit codes, and one clear line for what is wrong."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plan", "nosuch"], "nosuch: no such manifest; known are"),
        (["plan", "lapptop"], "lapptop: no such manifest; nearest is laptop; known are"),
        (["verify", "scale_lader"], "no such manifest or paper; nearest is scale_ladder; "),
        (["clean", "--results", "absent"], "--results absent: found no such folder"),
        (["run", "smoke", "--only", "tiny-qwen-B0"], "nearest is tiny-qwen2-B0; runs are tiny-q"),
        (["explain", "no claim is so"], "no claim is so: no claim has this id or prints this; "),
        (["run", "smoke", "--only", "nothing-*"], "--only nothing-*: no run of smoke matches"),
        (["plan", "smoke", "--only", "nothing-*"], "--only nothing-*: no run of smoke matches"),
        (["fetch", "smoke", "--only", "nothing-*"], "--only nothing-*: no run of smoke matches"),
        (["plan", "smoke", "--only", ""], "--only (nothing): no run of smoke matches"),
        (["fetch", "scale_ladder", "--stream"], "--base measures the base models alone"),
        (["run", "smoke", "--max-parallel", "0"], "--max-parallel: found 0, expected at least 1"),
        (["sql", "SELECT 1"], "no such store; run `repro ingest`"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    repro: Command, arguments: list[str], expected: str
) -> None:
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


def test_status_of_an_empty_folder_says_so(repro: Command) -> None:
    done = repro("status")
    assert done.returncode == 0
    assert "no runs under" in done.stdout


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


@pytest.mark.worker
@pytest.mark.parametrize(
    "arguments", [["status"], ["sql", "SELECT 1"], ["sql", "SELECT 1", "--format", "json"]]
)
def test_a_reader_who_stops_reading_is_no_verdict(
    repro: Command, tmp_path: Path, arguments: list[str]
) -> None:
    assert repro("ingest").returncode == 0
    assert repro(*arguments).returncode == 0, "the control: read to its end"
    environment = {**os.environ, "REPRO_RESULTS": str(tmp_path / "results")}
    command = [sys.executable, "-m", "repro", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.worker
def test_verifying_a_manifest_without_claims_says_so_and_is_well(repro: Command) -> None:
    assert repro("ingest").returncode == 0
    done = repro("verify", "transfer_laptop")
    assert done.returncode == 0
    assert "no published claim is bound to this manifest" in done.stdout
    assert done.stderr == ""


def test_a_run_folder_in_square_brackets_has_its_name_in_the_status(
    repro: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "results" / "runs" / "mine" / "[red]run"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    done = repro("status")
    assert done.returncode == 0
    assert "[red]run" in done.stdout


def test_claims_are_found_by_what_is_printed(repro: Command) -> None:
    """Several that print it are listed with their ids; one of these is explained."""
    done = repro("explain", "32%")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == "5 claims fit 32% by id or by print; give the id of one:"
    assert len(lines) == 6
    one = lines[1].split()[1]
    assert repro("explain", one).stdout.splitlines()[0].endswith(f"NOT RUN: {one}")
    assert repro("explain", "32 \\%").stdout.splitlines()[1:] == lines[1:]


def test_the_start_of_a_verdict_line_leads_to_its_explanation(repro: Command) -> None:
    done = repro("verify", "selective", "--all")
    title = next(line for line in done.stdout.splitlines() if line.startswith("selective, Table 2"))
    assert "(selective/table-2/…)" in title


@pytest.mark.parametrize(
    ("given", "meant"),
    [(["verfy"], "verify"), (["run", "smoke", "--runner", "dokcer"], "docker"), (["qqq"], "")],
)
def test_a_misspelt_verb_or_choice_is_told_what_it_may_mean(
    given: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(given)
    assert end.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert (f"(nearest is {meant}; choose from" in said) == bool(meant)
    assert "choose from" in said
