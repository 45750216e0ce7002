"""Which runs are a manifest's: those in its folder and those it asks for, parents first."""

from pathlib import Path

from repro.evidence.asked import write_asked
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.store.finished import finished_folders


def test_damage_and_absence_are_told_apart(results: Path) -> None:
    assert len(finished_folders(results, "smoke").folders) == 3
    runs = expand(load_experiment("smoke"), local_environment())
    write_asked(results, "smoke", runs)
    write_asked(results, "borrower", runs[:2])
    first = min((results / "runs/smoke").iterdir())
    (first / "usage.json").write_text("{ }")
    found = finished_folders(results, "smoke")
    assert len(found.folders) == 2
    assert found.absent == len(runs) - 2
    assert str(first / "usage.json") in found.faults[0]
    borrowed = finished_folders(results, "borrower")
    assert len(borrowed.folders) + len(borrowed.faults) == 2, "they lie in another's folder"
    assert finished_folders(results, "none").folders == ()
