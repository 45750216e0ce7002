"""Where workers run: what `--runner auto` takes, why not another, and what runs are then named for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.execute.cards import CardRunner
from repro.execute.folders import RunPlace, place_run
from repro.execute.local import LocalRunner
from repro.execute.runners import (
    Choice,
    cards_for,
    choose_runner,
    environment,
    not_ready,
    open_runner,
)
from repro.execute.slurm import SlurmRunner
from repro.files import file_digest
from repro.manifest.load import load_experiment
from repro.plan.environment import local_environment
from repro.plan.expand import expand

Programs = Callable[[str, str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Put a shell script before the programs of the machine."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def write(name: str, script: str) -> None:
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    return write


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No container engine, and no cluster's file."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.delenv("REPRO_SLURM", raising=False)


@pytest.fixture
def places(tmp_path: Path) -> list[RunPlace]:
    """A run that is to be started."""
    run = expand(load_experiment("smoke"), local_environment())[0]
    return [place_run(run, tmp_path / "results")]


def test_a_runner_that_is_asked_for_is_taken_as_it_is(tmp_path: Path) -> None:
    assert choose_runner("slurm", "local", tmp_path) == Choice("slurm", "as asked for")
    chosen = choose_runner("auto", "local", tmp_path)
    assert chosen.words == "runner local: the manifest asks for no image"


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_and_a_cluster_the_machine_itself_is_taken_with_the_reason(
    tmp_path: Path,
) -> None:
    chosen = choose_runner("auto", "cpu", tmp_path)
    assert chosen.kind == "local"
    assert "asks for image cpu, but container engine at unix://" in chosen.why
    problem = not_ready(Choice("docker", "as asked for"), "cpu", tmp_path)
    assert problem is not None
    assert problem.startswith("runner docker: container engine at unix://")
    assert problem.endswith("; or --runner local")
    assert not_ready(chosen, "cpu", tmp_path) is None


@pytest.mark.usefixtures("no_engine")
def test_a_cluster_is_taken_where_its_file_is_named_and_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Programs
) -> None:
    """One that does not answer is told where it was asked for."""
    program("sinfo", "exit 0")
    assert choose_runner("auto", "cpu", tmp_path).kind == "local", "nothing names a cluster"
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    assert choose_runner("auto", "cpu", tmp_path).kind == "slurm"
    assert not_ready(Choice("slurm", ""), "cpu", tmp_path) is None
    program("sinfo", "echo no controller >&2; exit 1")
    assert choose_runner("auto", "cpu", tmp_path).kind == "local"
    problem = not_ready(Choice("slurm", ""), "cpu", tmp_path)
    assert problem is not None
    assert problem.startswith("runner slurm: ")
    assert "no controller" in problem


def test_runs_of_an_image_without_gpus_and_of_a_cluster_use_no_card_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, program: Programs
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("repro.execute.device.processor_chosen", lambda: False)
    program("nvidia-smi", 'echo "NVIDIA H100 80GB HBM3, 81559, 580.82.07"')
    assert len(cards_for("local", "local")) == len(cards_for("docker", "cuda")) == 1
    assert cards_for("docker", "cpu") == cards_for("slurm", "cuda") == []


@pytest.mark.parametrize(
    ("written", "image", "device"),
    [("cpus: 2", "cpu", "cpu"), ("gpus: 1", "cpu", "cuda"), ("gpus: 0", "cuda", "cpu"),
     ("cpus: 2", "cuda", "cuda")],
)  # fmt: skip
def test_runs_of_a_cluster_are_named_for_the_device_that_its_jobs_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, image: str, device: str
) -> None:
    """The cluster's file has the last word, and the manifest's image stands where it says nothing."""
    (tmp_path / "cluster.yaml").write_text(f"{written}\ncontainer: docker\n")
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    found = environment(Choice("slurm", ""), image, tmp_path, other_allowed=True)
    assert found.device == device


def test_a_runner_is_opened_for_what_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: list[RunPlace]
) -> None:
    monkeypatch.delenv("REPRO_SLURM", raising=False)
    given = ("cpu", places, tmp_path, tmp_path / "results", 3)
    threads = places[0].run.threads
    assert open_runner(Choice("local", ""), *given) == LocalRunner(tmp_path, threads)
    on_cards = open_runner(Choice("local", ""), *given, cards=["0", "1,2"])
    assert isinstance(on_cards, CardRunner)
    assert on_cards.free == ["0", "1,2"]
    assert isinstance(open_runner(Choice("slurm", ""), *given), SlurmRunner)


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
