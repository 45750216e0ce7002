"""What is pushed is whole evidence, and nothing twice."""

import shutil
from pathlib import Path

from repro.share.push import Pushed, push_results
from repro.share.shelf import open_shelf


def push(results: Path, url: str, manifest: str | None = None) -> Pushed:
    """Push, and say nothing."""
    with open_shelf(url, new=True) as shelf:
        return push_results(results, shelf, manifest, lambda _: None)


def test_a_damaged_run_is_not_pushed(carried: Path, tmp_path: Path) -> None:
    path = next((carried / "runs").rglob("usage.json"))
    path.write_text("{}")
    done = push(carried, str(tmp_path / "shelf"))
    assert done.parcels == 2
    assert str(path) in done.refused[0]


def test_a_manifest_that_is_named_goes_alone_and_unfinished_runs_stay(
    carried: Path, tmp_path: Path
) -> None:
    first = min((carried / "runs/canary_entropies").iterdir())
    shutil.copytree(first.parent, carried / "runs/other")
    for path in (carried / "runs/other").iterdir():
        (path / "done.json").unlink()
    (first / "done.json").unlink()
    done = push(carried, str(tmp_path / "shelf"), "canary_entropies")
    assert (done.parcels, done.unfinished, done.known) == (2, 1, 0)
    assert push(carried, str(tmp_path / "shelf"), "canary_entropies").known == 2
