"""What is shown while runs are under way."""

from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from repro.evidence.folder import RunFolder
from repro.execute.folders import Place
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.report.progress import Live


def test_a_run_that_was_held_and_never_began_ends_beside_those_that_did(tmp_path: Path) -> None:
    """A bar is taken away from whoever has one; each leaves its line."""
    runs = expand(load_experiment("smoke"), local_environment())[:2]
    begun, held = (Place(run, RunFolder(tmp_path / run.folder), "new") for run in runs)
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
