"""The verbs about runs: what they take, and `repro status`."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main, parser

Command = Callable[..., subprocess.CompletedProcess[str]]
Said = pytest.CaptureFixture[str]


def test_status_of_an_empty_folder_says_so(repro: Command) -> None:
    done = repro("status")
    assert done.returncode == 0
    assert "no runs under" in done.stdout


def test_a_run_folder_in_square_brackets_has_its_name_in_the_status(
    repro: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "results" / "runs" / "mine" / "[red]run"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    done = repro("status")
    assert done.returncode == 0
    assert "[red]run" in done.stdout


def test_status_lists_the_carried_runs_in_any_form(evidence: Path, capsys: Said) -> None:
    folders = [marker.parent for marker in (evidence / "runs").glob("*/*/done.json")]
    assert main(["status", "--results", str(evidence), "--format", "csv"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert len(rows) >= len(folders) > 10
    assert header.count(",") >= 2


def test_fetching_is_asked_of_this_machine_and_repairs_nothing() -> None:
    """`fetch` reads the same settings as `run`, of which it takes no options."""
    fetch = parser().parse_args(["fetch", "smoke", "--base"])
    run = parser().parse_args(["run", "smoke"])
    assert (fetch.runner, fetch.repair, fetch.base, fetch.stream) == ("local", False, True, False)
    assert (run.runner, run.repair, run.base, run.stream) == ("auto", False, False, False)
    assert vars(run).keys() - vars(fetch).keys() == {"sandbox"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["run", "smoke", "--stream"], "unrecognized arguments: --stream"),
        (["fetch", "smoke", "--runner", "local"], "unrecognized arguments: --runner local"),
        (["run", "smoke", "--max-parallel", "two"], "invalid int value: 'two'"),
        (["plan", "smoke", "--gpu", "h10"], "invalid choice: 'h10'"),
        (["run"], "the following arguments are required: NAME"),
    ],
)
def test_an_option_of_another_verb_is_refused_with_usage(
    given: list[str], words: str, capsys: Said
) -> None:
    with pytest.raises(SystemExit) as end:
        main(given)
    assert end.value.code == 2
    assert words in capsys.readouterr().err
