"""Commands as a user types them: exit codes, and one clear line for what is wrong."""

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
