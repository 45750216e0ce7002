"""What is shown while runs are under way."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from repro.evidence.folder import RunFolder
from repro.evidence.progress import Progress as Written
from repro.execute.folders import RunPlace
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.report.terminal import progress as shown
from repro.report.terminal.progress import Live, Plain, describe_progress


def test_a_run_that_was_held_and_never_began_ends_beside_those_that_did(tmp_path: Path) -> None:
    """A bar is taken away from whoever has one; each leaves its line."""
    runs = expand(load_experiment("smoke"), local_environment())[:2]
    begun, held = (RunPlace(run, RunFolder(tmp_path / run.folder), "new") for run in runs)
    out = StringIO()
    with Progress(console=Console(file=out, width=160)) as progress:
        live = Live(progress, 2)
        live.started(begun)
        live.ended(held, "starts from another, which diverged")
        live.running([begun.folder])
        live.ended(begun, None)
        assert [task.completed for task in progress.tasks] == [2]
    assert f"{held.run.slot}: starts from another, which diverged" in out.getvalue()
    assert f"{begun.run.slot}: finished" in out.getvalue()


@pytest.mark.parametrize("pause", [0.0, 60.0])
def test_without_a_terminal_a_run_says_now_and_then_where_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pause: float,
) -> None:
    """The control: within the pause nothing is said."""
    monkeypatch.setattr(shown, "_PAUSE", pause)
    run = expand(load_experiment("smoke"), local_environment())[1]
    place = RunPlace(run, RunFolder(tmp_path / run.folder), "new")
    plain = Plain()
    plain.started(place)
    plain.running([place.folder])
    place.folder.path.mkdir(parents=True)
    (place.folder.path / "progress.json").write_text(
        '{"step": 3, "steps": 6, "loss": 2.5, "tokens_per_second": 80}'
    )
    plain.running([place.folder])
    lines = capsys.readouterr().out.splitlines()
    expected = [
        f"{run.slot}: starting",
        f"{run.slot}: step 3/6 · loss 2.500 · 80 tokens/s · 0 s left",
    ]
    assert lines == [f"{run.slot}: starts", *(expected if pause == 0 else [])]


def test_blocks_move_a_runs_bar_and_are_told(tmp_path: Path) -> None:
    """As a worker writes them: 7 of 28 blocks fill a quarter of the bar."""
    run = expand(load_experiment("smoke"), local_environment())[0]
    place = RunPlace(run, RunFolder(tmp_path), "new")
    written = Written(tmp_path, 0)
    with Progress(console=Console(file=StringIO(), width=160)) as progress:
        live = Live(progress, 1)
        live.started(place)
        for done, words in ((6, "block 6/28"), (7, "block 7/28 · ")):
            written.block(done, 28)
            live.running([place.folder])
            assert describe_progress(
                json.loads((tmp_path / "progress.json").read_text())
            ).startswith(words)
        assert progress.tasks[1].completed == 0.25
        (tmp_path / "progress.json").write_text('{"block": "x", "blocks": 0}')
        live.running([place.folder])
        assert progress.tasks[1].completed == 0
