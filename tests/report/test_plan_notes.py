"""The lines below a plan's table."""

from pathlib import Path

import pytest

from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.report.plan_machine import Machine
from repro.report.plan_notes import disk


@pytest.fixture(scope="module")
def ladder() -> tuple[Run, ...]:
    return expand(load_experiment("scale_ladder"), local_environment())


def machine(folder: Path) -> Machine:
    return Machine(16.0, 1e11, None, folder / "results", folder / "cache")


def test_disk_that_is_needed_is_held_against_disk_that_is_free(ladder: tuple[Run, ...], tmp_path: Path) -> None:
    """A few bytes fit; a million times the ladder's evidence does not."""
    little, enough = disk(expand(load_experiment("smoke"), local_environment()), machine(tmp_path))
    assert enough
    assert little.endswith(" free")
    much, enough = disk(ladder * 1_000, machine(tmp_path))
    assert not enough
    assert "too little" in much
    assert much.startswith(
        "disk still needed: 37,000 GiB for evidence and 24 GiB for each run under way, 100 GiB for models, at most 4.5 GiB "
        "for texts; "
    )


def test_a_model_that_is_in_the_cache_needs_no_more_disk(ladder: tuple[Run, ...], tmp_path: Path) -> None:
    here = machine(tmp_path)
    for model in {run.model.folder for run in ladder if "32b" in run.model.id}:
        folder = here.cache / "models" / model
        folder.mkdir(parents=True)
        (folder / "identity.json").write_text("{}")
    assert " 42 GiB for models" in disk(ladder, here)[0]
