"""A manifest small enough to be killed many times, and a way to start it as its own process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MANIFEST = """
id: killed
title: One run with many checkpoints
image: local
probe_set: factorial_48
domains: {code: [standard_library], math: [grade_school]}
conditions:
  B2: {title: code and math, phases: [{steps: 16, mixture: {code: 0.7, math: 0.3}}]}
training:
  lora: {rank: 8, alpha: 16, dropout: 0.1}
  optimizer: {learning_rate: 0.01, warmup: 0.1}
  accumulation: 4
  micro_batches_per_forward: 2
  max_length: 48
  gradient_checkpointing: false
  compute: float32
  checkpoint_every: 1
  heldout: 4
diagnostics: {every: 2, also: [interval, similarity]}
arms:
  - {models: [tiny-llama], conditions: [B2], seeds: [7]}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The manifest as a user's own file."""
    path = tmp_path / "killed.yaml"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def start(cache: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start `repro …` in a session of its own, so that a whole tree can be killed."""

    def run(*arguments: str, results: Path) -> subprocess.Popen[str]:
        environment = {**os.environ, "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(results)}
        return subprocess.Popen(
            [sys.executable, "-m", "repro", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=tmp_path,
            start_new_session=True,
        )  # fmt: skip

    return run


@pytest.fixture
def kill_workers() -> Callable[[Path], list[int]]:
    """kill -9 every worker of a results folder, at once."""

    def kill(results: Path) -> list[int]:
        killed = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if "repro.worker" in command and str(results) in command:
                    os.kill(int(entry.name), signal.SIGKILL)
                    killed.append(int(entry.name))
        return killed

    return kill
