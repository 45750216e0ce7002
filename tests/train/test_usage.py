"""What a run takes is counted, kept over attempts, and what a plan says of memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from repro.cost.space import gibibytes
from repro.files import GIB
from repro.manifest.load import MANIFESTS, load_experiment
from repro.plan.expand import expand, local_environment
from repro.shipped import lock_in_use
from repro.train.loop import Step
from repro.train.usage import Usage

Command = Callable[..., CompletedProcess[str]]


def step(number: int) -> Step:
    return Step(
        step=number, loss=1.0, gradient_norm=1.0, learning_rate=1e-4, tokens=100, seconds=0.0
    )


def test_time_counts_as_training_only_when_steps_were_taken(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    sum(range(2_000_000))
    usage.trained([])
    usage.write()
    assert usage.values["training_processor_seconds"] == 0
    sum(range(2_000_000))
    usage.trained([step(1), step(2)])
    usage.write()
    (attempt,) = json.loads((tmp_path / "usage.json").read_text())["attempts"]
    assert attempt["training_processor_seconds"] > 0
    assert (attempt["training_steps"], attempt["training_tokens"]) == (2, 200)
    assert attempt["processor_seconds"] > attempt["training_processor_seconds"]


def test_a_second_attempt_keeps_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        usage = Usage(tmp_path)
        usage.trained([step(1)])
        usage.write()
        usage.write()
    assert len(json.loads((tmp_path / "usage.json").read_text())["attempts"]) == 2


def test_peak_memory_is_that_of_this_process() -> None:
    """It holds a block that was freed again; in a process of its own, whose peak no other test has
    raised.
    """
    program = (
        "from repro.train.usage import peak_memory\n"
        "before = peak_memory(); block = bytearray(before); block[::4096] = b'1' * "
        "len(block[::4096]); del block\n"
        "print(peak_memory() / before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 1.5 < float(ran.stdout) < 2.5


def test_a_real_run_holds_the_memory_that_was_planned(repro: Command, tmp_path: Path) -> None:
    """A tiny model, trained and measured; the record is part of the evidence."""
    content = yaml.safe_load((MANIFESTS / "smoke.yaml").read_text())
    content |= {
        "id": "used",
        "arms": [{"models": ["tiny-qwen2"], "conditions": ["B1"], "seeds": [0]}],
    }
    path = tmp_path / "used.yaml"
    path.write_text(yaml.safe_dump(content))
    done = repro("run", str(path), "--runner", "local", "--max-parallel", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = expand(load_experiment(str(path)), local_environment())
    (folder,) = (tmp_path / "results").glob("runs/used/*")
    (attempt,) = json.loads((folder / "usage.json").read_text())["attempts"]
    assert attempt["training_steps"] == run.steps
    held = attempt["peak_memory_bytes"] / GIB
    # how much of CUDA's libraries counts as held depends on the system
    if lock_in_use().stem == "cuda":
        assert gibibytes(run) - 0.6 < held < 1.15 * gibibytes(run)
    else:
        assert gibibytes(run) == pytest.approx(held, rel=0.15)
    assert "usage.json" in json.loads((folder / "done.json").read_text())["files"]
