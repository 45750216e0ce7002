"""The command of a job whose worker runs under Apptainer or Pyxis, seen by a stand-in that notes
how it is called.

Neither program can be had on the machines these tests run on: what they would be asked for is all
that is tested.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import read_json
from repro.execute.cluster import Cluster
from repro.execute.slurm_ask import Ask
from repro.execute.slurm_step import SlurmStep

Called = Callable[[Cluster], list[str]]


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Called:
    """Carry out a step; the words its container program was called with."""
    programs, folder = tmp_path / "programs", tmp_path / "run"
    for path in (programs, folder):
        path.mkdir()
    for name in ("apptainer", "srun"):
        (programs / name).write_text(
            f'#!/bin/sh\nprintf "%s\\n" {name} "$@" > {tmp_path}/called\nexit 7\n'
        )
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def carry_out(cluster: Cluster) -> list[str]:
        assert (
            SlurmStep(
                sys.executable,
                folder,
                tmp_path / "cache",
                cluster,
                "cpu",
                Ask(60, 4.0, cluster.gpus or 0),
            )()
            == 7
        )
        assert read_json(folder / "exit.json") == {"code": 7}, (
            "the host learns how the worker ended"
        )
        return (tmp_path / "called").read_text().splitlines()

    return carry_out


def worker(words: list[str]) -> list[str]:
    """What runs inside."""
    assert words[-6:] == ["-m", "repro.worker", "run", "/evidence", "--cache", "/cache"]
    return words[:-6]


@pytest.mark.parametrize("gpus", [0, 1])
def test_apptainer_shuts_the_worker_in(called: Called, tmp_path: Path, gpus: int) -> None:
    """No network, nothing of the host but the run's folder and the cache, which is read-only."""
    words = worker(called(Cluster(container="apptainer", image="repro.sif", cpus=3, gpus=gpus)))
    assert words[:2] == ["apptainer", "exec"]
    assert words[-2:] == ["repro.sif", "/opt/venv/bin/python"]
    options = set(words[2:-2])
    assert {
        "--containall",
        "--no-home",
        "--net",
        "--network=none",
        "--no-privs",
        "--env=OMP_NUM_THREADS=3",
    } <= options
    assert {option for option in options if option.startswith("--bind")} == {
        f"--bind={tmp_path}/run:/evidence",
        f"--bind={tmp_path}/cache:/cache:ro",
    }
    assert ("--nv" in options) is bool(gpus)


def test_pyxis_mounts_the_runs_folder_and_the_cache_alone(called: Called, tmp_path: Path) -> None:
    """A step inside the job's allocation; Pyxis itself has no option that takes the network away."""
    words = worker(called(Cluster(container="pyxis", image="repro.sqsh")))
    assert words[0] == "srun"
    assert words[-1] == "/opt/venv/bin/python"
    assert {
        "--container-image=repro.sqsh",
        f"--container-mounts={tmp_path}/run:/evidence,{tmp_path}/cache:/cache:ro",
        "--no-container-mount-home",
        "--container-readonly",
    } <= set(words)
