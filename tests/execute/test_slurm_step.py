"""The command of a job whose worker runs under Apptainer or Pyxis, seen by a stand-in that notes
how it is called.

Neither program can be had on the machines these tests run on: what they would be asked for is all
that is tested.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.evidence.folder import read_json
from repro.execute.cluster import Cluster, load_cluster
from repro.execute.runners import Choice, environment
from repro.execute.slurm_ask import Ask
from repro.execute.slurm_step import SlurmStep
from repro.files import file_digest

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


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        ("container: apptainer", False),
        ("container: apptainer\nimage: a.sif", True),
        ("container: docker", True),
    ],
)
def test_a_cluster_file_says_what_its_containers_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, accepted: bool
) -> None:
    """Refused before anything is submitted; docker's image is that of docker/images.lock."""
    (tmp_path / "cluster.yaml").write_text(written)
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    if accepted:
        assert load_cluster().container in written
    else:
        with pytest.raises(ManifestError, match="container apptainer needs field image"):
            load_cluster()


def test_a_run_is_named_for_the_content_of_its_image_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file of the same name makes other runs; a name that only the node resolves is taken
    as it is given.
    """
    image = tmp_path / "repro.sif"
    image.write_bytes(b"one")
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    (tmp_path / "cluster.yaml").write_text(f"container: apptainer\nimage: {image}\n")
    assert (
        environment(Choice("slurm", ""), "cpu", tmp_path).image == f"apptainer:{file_digest(image)}"
    )
    (tmp_path / "cluster.yaml").write_text("container: pyxis\nimage: registry/repro:1\n")
    assert environment(Choice("slurm", ""), "cpu", tmp_path).image == "pyxis:registry/repro:1"
