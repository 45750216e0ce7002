"""A GPU that the driver shows is used or refused: nothing planned for it trains on the processor in
silence.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from repro.errors import SetupError
from repro.evidence.request import read_request
from repro.execute.device import (
    SETUP,
    gpus,
    memory_gibibytes,
    planned_gpus,
    processor_chosen,
    silent_driver,
)
from repro.execute.folders import place_run, prepare
from repro.manifest.load import MANIFESTS, load_experiment
from repro.plan.expand import expand, local_environment
from repro.train.model import require_device

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that shows one card of 24 GiB; no card is there, so torch can never use it."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "Test Card, 24576, 580.95.05"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.usefixtures("card")
def test_a_card_that_torch_cannot_use_is_one_line_before_anything_is_fetched(
    repro: Command, tmp_path: Path
) -> None:
    done = repro("run", "smoke", REPRO_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "nvidia-smi shows Test Card (24 GiB), but torch" in line
    assert "TORCH=cpu" in line
    assert not (tmp_path / "cache").exists()
    assert not list((tmp_path / "results").glob("runs/*/*/run.json"))


@pytest.mark.worker
@pytest.mark.usefixtures("card")
def test_whoever_chose_the_processor_runs_on_it(repro: Command, tmp_path: Path) -> None:
    """The positive control of the refusal: the same card, the same run, TORCH=cpu."""
    done = repro("run", "smoke", "--only", "tiny-llama-B0*", TORCH="cpu")
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results" / "runs" / "smoke").iterdir()
    assert read_request(folder).run.environment.device == "cpu"


def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: str, code: int = 0) -> None:
    """An nvidia-smi that prints these lines."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines) + f"exit {code}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_a_card_without_memory_of_its_own_uses_the_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As cards that share the processor's are shown."""
    driver(
        tmp_path,
        monkeypatch,
        "NVIDIA GB10, [N/A], 580.95.05",
        "A, B, 81920, 580.95.05",
        "no table at all",
    )
    shared, named = gpus()
    assert (shared.name, shared.gibibytes) == ("NVIDIA GB10", memory_gibibytes())
    assert (named.name, named.gibibytes) == ("A, B", 80.0)


def test_only_the_cards_that_were_chosen_are_planned_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    driver(
        tmp_path, monkeypatch, "A, 81920, 580.95.05", "B, 24576, 580.95.05", "C, 24576, 580.95.05"
    )
    assert len(planned_gpus()) == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")
    assert [card.name for card in planned_gpus()] == ["B", "C"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8932f937-d72c")
    assert len(planned_gpus()) == 1


def test_a_driver_that_is_too_old_is_named_before_any_build_of_torch(
    repro: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(tmp_path, monkeypatch, "RTX 3090, 24576, 550.54.15")
    done = repro("run", "smoke", REPRO_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "driver 550.54.15 is too old for CUDA 13: install 580.65.06 or later" in line
    assert "make setup" not in line


def test_a_driver_that_does_not_answer_is_no_card_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(tmp_path, monkeypatch, "NVIDIA-SMI has failed", code=9)
    assert (gpus(), silent_driver()) == ([], "NVIDIA-SMI has failed")


@pytest.mark.parametrize(
    ("runner", "words"), [("docker", "container engine at"), ("slurm", "runner slurm: ")]
)
def test_an_engine_or_cluster_that_does_not_answer_is_told_before_anything_is_fetched(
    repro: Command, tmp_path: Path, runner: str, words: str
) -> None:
    # A controller that refuses: for a file that is not there sinfo looks for a minute.
    (tmp_path / "slurm.conf").write_text(
        "ClusterName=none\nSlurmctldHost=localhost\nSlurmctldPort=1\n"
        "NodeName=localhost\nPartitionName=p Nodes=localhost\n"
    )
    away = {
        "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
        "SLURM_CONF": str(tmp_path / "slurm.conf"),
    }
    done = repro("run", "smoke", "--runner", runner, REPRO_CACHE=str(tmp_path / "cache"), **away)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert words in line
    assert not (tmp_path / "cache" / "models").exists()
    assert not list((tmp_path / "results").glob("runs/*/*"))


@pytest.mark.usefixtures("card")
def test_the_choice_made_at_set_up_holds_until_another_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.delenv("TORCH", raising=False)
    assert [card.name for card in planned_gpus()] == ["Test Card"]
    (tmp_path / SETUP).write_text(json.dumps({"asked": "cpu"}))
    assert planned_gpus() == []
    assert processor_chosen()
    monkeypatch.setenv("TORCH", "cuda")
    assert len(planned_gpus()) == 1


def test_a_worker_refuses_a_run_that_was_planned_for_a_gpu_it_does_not_find() -> None:
    require_device("cpu")
    with pytest.raises(SetupError, match=r"planned for a GPU, but torch \S+ finds none here"):
        require_device("cuda")


def test_a_run_begun_for_a_gpu_is_not_taken_up_on_the_processor(
    cache: Path, tmp_path: Path
) -> None:
    """It has a name of its own; run.json says what it was planned for, and a real worker holds to
    it.
    """
    runs = {
        device: expand(load_experiment("smoke"), local_environment(device))[0]
        for device in ("cpu", "cuda")
    }
    assert runs["cpu"].id != runs["cuda"].id
    folder = prepare(place_run(runs["cuda"], tmp_path / "results"))
    command = [sys.executable, "-m", "repro.worker", "run", str(folder.path), "--cache", str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "planned for a GPU" in done.stderr
    assert not folder.done()


@pytest.mark.worker
def test_runs_that_do_not_fit_are_named_and_left_out_and_the_rest_is_done(
    repro: Command, tmp_path: Path
) -> None:
    content = yaml.safe_load((MANIFESTS / "smoke.yaml").read_text()) | {"id": "mine"}
    content["arms"] = [
        {"models": ["qwen2.5-coder-32b", "tiny-llama"], "conditions": ["B0"], "seeds": [0]}
    ]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    done = repro("run", "mine.yaml")
    assert done.returncode == 3
    assert "left out: qwen2.5-coder-32b-B0: needs about" in done.stderr
    assert "1 of 1 runs finished; 1 left out: too large for this machine" in done.stdout
    alone = repro("run", "mine.yaml", "--only", "qwen*")
    assert alone.returncode == 2
    assert len(alone.stderr.strip().splitlines()) == 1
    assert repro("run", "mine.yaml", "--only", "tiny*").returncode == 0
