"""`repro run` and `repro fetch` as a user meets them: what is carried out, left out, or refused."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment

Command = Callable[..., subprocess.CompletedProcess[str]]
Said = pytest.CaptureFixture[str]
ONE = ["smoke", "--only", "tiny-qwen2-B0"]


@pytest.fixture
def here(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results in the test's folder, models in the cache of all tests."""
    monkeypatch.setenv("REPRO_CACHE", str(cache))
    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "results"))
    return tmp_path


@pytest.mark.worker
@pytest.mark.usefixtures("here")
def test_fetching_brings_the_models_of_the_chosen_runs_and_says_where(
    cache: Path, capsys: Said
) -> None:
    assert main(["fetch", *ONE]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"everything these runs of smoke need is in {cache}"
    assert list((cache / "models").glob("tiny-qwen2*/identity.json"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["run", "smoke", "--max-parallel", "0"], "--max-parallel: found 0, expected at least 1"),
        (["run", "smoke", "--only", "nothing"], "--only nothing: no run of smoke matches"),
        (["fetch", "scale_ladder", "--stream"], "--base measures the base models alone"),
        (["run", "nosuch"], "nosuch: no such manifest"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_before_anything_is_made(
    here: Path, capsys: Said, options: list[str], words: str
) -> None:
    assert main([*options, *(["--runner", "local"] if options[0] == "run" else [])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert words in line
    assert not (here / "results").exists()


@pytest.mark.worker
def test_a_run_is_carried_out_once_and_the_list_of_all_is_kept(
    repro: Command, tmp_path: Path
) -> None:
    """What was asked for is every run of the manifest, whichever of them --only names."""
    run = ("run", *ONE, "--runner", "local")
    first = repro(*run)
    assert first.returncode == 0, first.stderr
    results = tmp_path / "results"
    assert first.stdout.splitlines()[-1].endswith(f"; evidence in {results}")
    listed = json.loads((results / "asked" / "smoke.json").read_text())
    runs = expand(load_experiment("smoke"), local_environment())
    assert all(run.slot in json.dumps(listed) for run in runs)
    (marker,) = results.glob("runs/*/*/done.json")
    kept = marker.stat().st_mtime_ns
    again = repro(*run)
    assert again.returncode == 0
    assert "finished already" in again.stdout
    assert marker.stat().st_mtime_ns == kept
