"""A job asks for what the plan says its run needs, a field of the cluster's file has the last word,
and a killed one learns.
"""

from pathlib import Path
from typing import Any

import pytest

from repro.cost.hours import run_hours
from repro.cost.space import gibibytes, gpu_gibibytes, models_gibibytes
from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.execute.cluster import Cluster
from repro.execute.folders import place_run, prepare
from repro.execute.slurm import SlurmJob, SlurmRunner
from repro.execute.slurm_ask import HOST_GIB, LONGEST_MINUTES, Ask, ask_for
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


def runs(name: str) -> tuple[Run, ...]:
    """The runs of a manifest."""
    return expand(load_experiment(name), local_environment())


@pytest.mark.parametrize("run", runs("scale_ladder")[::7], ids=lambda run: run.slot)
def test_a_full_size_run_asks_for_a_card_its_hours_and_the_memory_to_load_it(run: Run) -> None:
    """One card where the plan's GPU memory fits one of 80 GiB; a long run asks for a day and is
    requeued.
    """
    asked = ask_for(run, Cluster(), on_gpu=True)
    assert asked.gpus == 1
    assert gpu_gibibytes(run).high <= 80
    assert asked.memory_gib >= models_gibibytes([run]) + HOST_GIB
    assert min(run_hours(run).high * 60, LONGEST_MINUTES) <= asked.minutes <= LONGEST_MINUTES


def test_a_run_too_large_for_one_card_asks_for_more() -> None:
    """Full-length texts sixteen at a time, without checkpointing, at 32B."""
    run = next(run for run in runs("scale_ladder") if run.model.id.endswith("32b"))
    training = run.training.model_copy(
        update={"gradient_checkpointing": False, "tokens_per_forward": 32768}
    )
    larger = run.model_copy(update={"training": training})
    assert gpu_gibibytes(larger).high > 80
    assert ask_for(larger, Cluster(), on_gpu=True).gpus >= 2


@pytest.mark.parametrize("run", runs("smoke")[::5], ids=lambda run: run.slot)
def test_a_small_run_asks_for_no_card_and_little_memory(run: Run) -> None:
    asked = ask_for(run, Cluster(), on_gpu=False)
    assert asked.gpus == 0
    assert gibibytes(run) < asked.memory_gib <= 4
    assert asked.minutes <= 60


def test_what_the_clusters_file_says_is_taken_as_it_is() -> None:
    run = runs("scale_ladder")[0]
    cluster = Cluster(minutes=30, memory_gib=7.5, gpus=0)
    assert ask_for(run, cluster, on_gpu=True) == Ask(30, 7.5, 0)
    planned = ask_for(run, Cluster(), on_gpu=True)
    assert ask_for(run, Cluster(gpus=4), on_gpu=True) == Ask(planned.minutes, planned.memory_gib, 4)


@pytest.mark.parametrize("state", ["CANCELLED", "NODE_FAIL"])
def test_a_job_that_cannot_be_submitted_again_does_not_end_the_others(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """A cancelled one is not submitted again at all."""
    tried = []

    def refuse(*_: Any) -> None:
        tried.append(1)
        raise SetupError("Slurm: sbatch refused jobs")

    monkeypatch.setattr("repro.execute.slurm.SlurmRunner.submit", refuse)
    monkeypatch.setattr("repro.execute.slurm.queue_states", lambda: {"7": state})
    job = SlurmJob(folder, SlurmRunner(Cluster(), tmp_path, tmp_path, "cpu", 1), "7")
    assert job.poll() == 1
    words = job.problem(1)
    if state == "CANCELLED":
        assert not tried
        assert "Slurm job 7 was cancelled; the same command submits it again" in words
    else:
        assert "ended as NODE_FAIL, and Slurm: sbatch refused jobs" in words


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A small run's folder."""
    return prepare(place_run(runs("smoke")[0], tmp_path / "results"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (0.5, "at the 0.5 GiB it asked for; 2 would fit: set memory_gib: 2"),
        (6.0, "at the 6 GiB it asked for; 12 would fit"),
    ],
    ids=["less than the plan says", "more than the plan says"],
)
def test_a_job_that_ran_out_of_memory_says_what_would_fit(
    folder: RunFolder, tmp_path: Path, given: float, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan's figure where less was given, else twice what was given; another end keeps Slurm's
    word.
    """
    monkeypatch.setattr(
        "repro.execute.slurm.SlurmRunner.submit", lambda *_: pytest.fail("not submitted again")
    )
    runner = SlurmRunner(Cluster(memory_gib=given), tmp_path, tmp_path, "cpu", 1)
    queue: dict[str, Any] = {"7": "OUT_OF_MEMORY", "8": "NODE_FAIL"}
    monkeypatch.setattr("repro.execute.slurm.queue_states", lambda: queue)
    job = SlurmJob(folder, runner, "7")
    assert job.poll() == 1
    assert told in job.problem(1)
    assert "ended as NODE_FAIL" in SlurmJob(folder, runner, "8", last="NODE_FAIL").problem(1)
