"""The lines below a plan's table."""

from pathlib import Path

import pytest

from repro.cost.profiles import H100, told_by
from repro.execute.folders import place_runs
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.report.terminal.plan_notes import Machine, by_block, disk, plan_problems, to_do


@pytest.fixture(scope="module")
def ladder() -> tuple[Run, ...]:
    return expand(load_experiment("scale_ladder"), local_environment())


def machine(folder: Path) -> Machine:
    return Machine(16.0, told_by(1e11), H100, None, folder / "results", folder / "cache")


@pytest.mark.worker
def test_disk_that_is_needed_is_held_against_disk_that_is_free(
    ladder: tuple[Run, ...], tmp_path: Path
) -> None:
    """A few bytes fit; a million times the ladder's evidence does not."""
    little, enough = disk(expand(load_experiment("smoke"), local_environment()), machine(tmp_path))
    assert enough
    assert little.endswith(" free")
    much, enough = disk(ladder * 1_000, machine(tmp_path))
    assert not enough
    assert "too little" in much
    assert much.startswith(
        "disk still needed: 37,000 GiB for evidence and 24 GiB for each run under way, 100 "
        "GiB for models, at most 4.5 GiB "
        "for texts; "
    )


def test_a_model_that_is_in_the_cache_needs_no_more_disk(
    ladder: tuple[Run, ...], tmp_path: Path
) -> None:
    here = machine(tmp_path)
    for model in {run.model.folder for run in ladder if "32b" in run.model.id}:
        folder = here.cache / "models" / model
        folder.mkdir(parents=True)
        (folder / "identity.json").write_text("{}")
    assert " 42 GiB for models" in disk(ladder, here)[0]


def test_models_that_memory_does_not_hold_are_measured_block_by_block_and_that_is_said(
    ladder: tuple[Run, ...], tmp_path: Path
) -> None:
    """On 16 GiB; where all of it fits, and of runs that train, nothing is said of blocks."""
    base = expand(load_experiment("base_geometry"), local_environment())
    here, asked = machine(tmp_path), place_runs(base, tmp_path)
    (said,) = by_block(asked, here)
    assert said.startswith("qwen2.5-coder-7b-B0, qwen2.5-coder-14b-B0, qwen2.5-coder-32b-B0 and 3 ")
    assert "a killed run goes on at its last finished block" in said
    assert len(to_do(asked, here)) == len(base)
    assert all(map(here.holds, base))
    assert plan_problems(asked, here) == []
    large = Machine(512.0, told_by(1e11), H100, None, tmp_path, tmp_path)
    assert [*by_block(asked, large)] == []
    trained = place_runs(ladder, tmp_path)
    assert [*by_block(trained, here)] == []
    assert not any(map(here.holds, ladder))
    assert "need a GPU" in plan_problems(trained, here)[-1]


def test_a_run_on_two_cards_takes_the_hours_of_both(
    ladder: tuple[Run, ...], tmp_path: Path
) -> None:
    """14B takes up to 26 GiB: one card of 80, two of 24 GiB."""
    run = next(run for run in ladder if "14b" in run.model.id)
    large, small = (
        Machine(16.0, told_by(1e11), H100, gpu, tmp_path, tmp_path, cards=4) for gpu in (80.0, 24.0)
    )
    assert small.hours(H100, run) == large.hours(H100, run) * 2
    assert small.hours(small.core, run) == large.hours(large.core, run), "a core is a core"
