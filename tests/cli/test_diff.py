"""`repro diff` as a user meets it: a code, and the answer in each form."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main

Command = Callable[..., subprocess.CompletedProcess[str]]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def two(evidence: Path, tmp_path: Path) -> tuple[str, str]:
    """A results folder of two runs, and one that lacks the second."""
    runs = [marker.parent for marker in sorted((evidence / "runs").glob("*/*/done.json"))[:2]]
    for name, some in (("whole", runs), ("part", runs[:1])):
        for run in some:
            shutil.copytree(run, tmp_path / name / run.relative_to(evidence))
    return str(tmp_path / "whole"), str(tmp_path / "part")


def test_what_is_no_results_folder_is_one_line(repro: Command, tmp_path: Path) -> None:
    done = repro("diff", str(tmp_path), str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no folder runs" in done.stderr


@pytest.mark.worker
def test_a_folder_and_itself_differ_by_nothing_in_each_form(
    two: tuple[str, str], capsys: Said
) -> None:
    whole, _ = two
    assert main(["diff", whole, whole]) == 0
    answer = capsys.readouterr().out
    assert answer.startswith("nothing but noise: 2 runs of one name in both, ")
    assert main(["diff", whole, whole, "--markdown"]) == 0
    assert capsys.readouterr().out == f"**N{answer[1:].rstrip()}**\n"
    assert main(["diff", whole, whole, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["code"], record["same_runs"], record["cells"]) == (0, 2, [])
    assert record["same_bits"] == record["numbers"] > 0


@pytest.mark.worker
def test_what_one_side_lacks_is_too_little_to_tell(two: tuple[str, str], capsys: Said) -> None:
    whole, part = two
    assert main(["diff", whole, part]) == 3
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("too little is there to tell: 1 runs of one name in both")
    assert second.startswith("only in the first: ")
    assert main(["diff", part, whole]) == 3
    assert "only in the second: " in capsys.readouterr().out


def test_one_form_at_a_time(capsys: Said) -> None:
    with pytest.raises(SystemExit):
        main(["diff", "a", "b", "--json", "--markdown"])
    assert "not allowed with argument" in capsys.readouterr().err
