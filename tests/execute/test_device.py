"""A GPU that the driver shows is used or refused: nothing planned for it trains on the processor in silence."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from repro.errors import SetupError
from repro.evidence.request import read_request
from repro.execute.device import SETUP, planned_gpus, processor_chosen
from repro.execute.folders import place, prepare
from repro.manifest.load import MANIFESTS, load_experiment
from repro.plan.expand import expand, local_environment
from repro.train.model import require_device

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that shows one card of 24 GiB; no card is there, so torch can never use it."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "Test Card, 24576, 580.0"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.usefixtures("card")
def test_a_card_that_torch_cannot_use_is_one_line_before_anything_is_fetched(repro: Command, tmp_path: Path):
    done = repro("run", "smoke", REPRO_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "nvidia-smi shows Test Card (24 GiB), but torch" in line
    assert "TORCH=cpu" in line
    assert not (tmp_path / "cache").exists()
    assert not list((tmp_path / "results").glob("runs/*/*/run.json"))


@pytest.mark.worker
@pytest.mark.usefixtures("card")
def test_whoever_chose_the_processor_runs_on_it(repro: Command, tmp_path: Path):
    """The positive control of the refusal: the same card, the same run, TORCH=cpu."""
    done = repro("run", "smoke", "--only", "tiny-llama-B0*", TORCH="cpu")
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results" / "runs" / "smoke").iterdir()
    assert read_request(folder).device == "cpu"


@pytest.mark.usefixtures("card")
def test_the_choice_made_at_set_up_holds_until_another_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.delenv("TORCH", raising=False)
    assert [card.name for card in planned_gpus()] == ["Test Card"]
    (tmp_path / SETUP).write_text(json.dumps({"asked": "cpu"}))
    assert planned_gpus() == []
    assert processor_chosen()
    monkeypatch.setenv("TORCH", "cuda")
    assert len(planned_gpus()) == 1


def test_a_worker_refuses_a_run_that_was_planned_for_a_gpu_it_does_not_find():
    require_device("cpu")
    require_device(None)
    with pytest.raises(SetupError, match=r"planned for a GPU, but torch \S+ finds none here"):
        require_device("cuda")


@pytest.mark.worker
def test_a_run_begun_for_a_gpu_is_not_taken_up_on_the_processor(repro: Command, tmp_path: Path):
    """run.json says what the run was planned for, and a real worker holds to it."""
    runs = expand(load_experiment("smoke"), local_environment())
    run = next(run for run in runs if run.slot == "tiny-llama-B0")
    folder = prepare(place(run, tmp_path / "results"), {}, 1, "cuda")
    assert repro("fetch", "smoke").returncode == 0
    done = repro("run", "smoke", "--only", "tiny-llama-B0", TORCH="cpu")
    assert done.returncode == 3
    assert "planned for a GPU" in folder.log.read_text()
    assert not folder.done()


@pytest.mark.worker
def test_runs_that_do_not_fit_are_named_and_left_out_and_the_rest_is_done(repro: Command, tmp_path: Path):
    content = yaml.safe_load((MANIFESTS / "smoke.yaml").read_text()) | {"id": "mine"}
    content["arms"] = [{"models": ["qwen2.5-coder-32b", "tiny-llama"], "conditions": ["B0"], "seeds": [0]}]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    done = repro("run", "mine.yaml")
    assert done.returncode == 3
    assert "left out: qwen2.5-coder-32b-B0: needs about" in done.stderr
    assert "1 of 1 runs finished; 1 left out: too large for this machine" in done.stdout
    alone = repro("run", "mine.yaml", "--only", "qwen*")
    assert alone.returncode == 2
    assert len(alone.stderr.strip().splitlines()) == 1
    assert repro("run", "mine.yaml", "--only", "tiny*").returncode == 0
