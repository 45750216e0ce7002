"""Manifests small enough to be killed many times, a way to start them as their own process, and an
engine to run them in.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from string import Template

import pytest

from repro.files import file_digest

PATIENCE = 240.0  # a machine that does much else
MANIFEST = Template("""
id: killed
title: One run with many checkpoints
image: local
probe_set: factorial_48
domains: {code: [standard_library], math: [grade_school]}
conditions:
  B2: {title: code and math, phases: [{steps: $steps, mixture: {code: 0.7, math: 0.3}}]}
training:
  lora: {rank: 8, alpha: 16, dropout: 0.1}
  optimizer: {learning_rate: 0.01, warmup: 0.1}
  accumulation: 4
  tokens_per_forward: 128
  dequantise: once
  max_length: 48
  gradient_checkpointing: false
  compute: float32
  checkpoint_every: 1
  heldout: 4
diagnostics: {every: $every, also: $also}
arms:
  - {models: [tiny-llama], conditions: [B2], seeds: [7]}
""")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """One run that measures at every fourth step, as a user's own file."""
    path = tmp_path / "killed.yaml"
    path.write_text(MANIFEST.substitute(steps=16, every=4, also="[interval, similarity]"))
    return path


@pytest.fixture
def packed_manifest(tmp_path: Path) -> Path:
    """The same in packed passes, shorter, measured only at its ends."""
    path = tmp_path / "killed.yaml"
    text = MANIFEST.substitute(steps=12, every=12, also="[]")
    path.write_text(text.replace("  dequantise:", "  packing: packed\n  dequantise:"))
    return path


@pytest.fixture(scope="session")
def long_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run that lasts long enough to be interrupted, and measures only at its ends."""
    path = tmp_path_factory.mktemp("long") / "killed.yaml"
    path.write_text(MANIFEST.substitute(steps=40, every=40, also="[]"))
    return path


@pytest.fixture(scope="session")
def bits() -> Callable[[Path], dict[str, str]]:
    """Digest of every piece of a finished run's evidence that must not depend on interruptions."""

    def digests(results: Path) -> dict[str, str]:
        (folder,) = results.glob("runs/killed/*")
        assert (folder / "done.json").exists()
        kept = [
            path
            for part in ("steps", "activations", "adapter")
            for path in (folder / part).iterdir()
        ]
        return {str(path.relative_to(folder)): file_digest(path) for path in kept}

    return digests


@pytest.fixture
def start(cache: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start `repro …` in a session of its own, so that a whole tree can be killed."""

    def run(*arguments: str, results: Path) -> subprocess.Popen[str]:
        environment = {**os.environ, "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(results)}
        # In the background of a script Ctrl-C is ignored, and what the tests start would inherit
        # that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            [sys.executable, "-m", "repro", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=tmp_path,
            start_new_session=True,
        )  # fmt: skip

    return run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Where a test's runs go."""
    return tmp_path / "results"


@pytest.fixture
def begin(
    start: Callable[..., subprocess.Popen[str]], long_manifest: Path, results: Path
) -> Callable[..., subprocess.Popen[str]]:
    """`repro run` of the long manifest; with `until`, its worker has left a file of that name in
    the run's folder.
    """

    def run(runner: str, until: str = "") -> subprocess.Popen[str]:
        process = start(
            "run", str(long_manifest), "--runner", runner, "--max-parallel", "2", results=results
        )
        began = time.monotonic()
        while until and not list(results.glob(f"runs/killed/*/{until}")):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.1)
        return process

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
