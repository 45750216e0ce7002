"""A killed, requeued or orphaned job of a real Slurm ends with the numbers of a run that nothing disturbed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import read_json
from repro.execute.slurm import queue_states, slurm
from repro.files import file_digest

PATIENCE = 180.0
Start = Callable[..., subprocess.Popen[str]]

MANIFEST = """
id: killed
title: One short run with many checkpoints
image: local
probe_set: factorial_48
domains: {code: [standard_library]}
conditions:
  B1: {title: code, phases: [{steps: 40, mixture: {code: 1.0}}]}
training:
  lora: {rank: 8, alpha: 16, dropout: 0.1}
  optimizer: {learning_rate: 0.01, warmup: 0.1}
  accumulation: 4
  micro_batches_per_forward: 2
  max_length: 48
  gradient_checkpointing: false
  compute: float32
  checkpoint_every: 1
diagnostics: {every: 40}
arms:
  - {models: [tiny-llama], conditions: [B1], seeds: [7]}
"""


@pytest.fixture(autouse=True, scope="module")
def cluster() -> None:
    """Only where a controller answers; ci/slurm.sh starts one, and there a silent one is a failure."""
    answers = shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0
    if not answers:
        assert os.environ.get("REPRO_REQUIRE_SLURM") != "1", "the cluster of ci/slurm.sh does not answer"
        pytest.skip("no Slurm controller answers here; ci/slurm.sh starts one")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest whose one run lasts long enough to be interrupted."""
    path = tmp_path / "killed.yaml"
    path.write_text(MANIFEST)
    return path


def bits(results: Path) -> dict[str, str]:
    """Digest of every piece of evidence that must not depend on interruptions."""
    (folder,) = results.glob("runs/killed/*")
    assert (folder / "done.json").exists()
    kept = [*folder.glob("steps/*"), *folder.glob("activations/*"), *folder.glob("adapter/*")]
    return {str(path.relative_to(folder)): file_digest(path) for path in kept}


@pytest.fixture(scope="module")
def undisturbed(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the local runner measures when nothing happens."""
    place = tmp_path_factory.mktemp("undisturbed")
    (place / "killed.yaml").write_text(MANIFEST)
    command = [sys.executable, "-m", "repro", "run", str(place / "killed.yaml"), "--results", str(place)]
    environment = {**os.environ, "REPRO_CACHE": str(cache)}
    done = subprocess.run(
        [*command, "--max-parallel", "2"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return bits(place)


def submitted(start: Start, manifest: Path, results: Path) -> subprocess.Popen[str]:
    """`repro run` on the cluster, its job past the first checkpoints."""
    process = start("run", str(manifest), "--runner", "slurm", results=results)
    begin = time.monotonic()
    while not list(results.glob("runs/killed/*/steps/000002.parquet")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() - begin < PATIENCE
        time.sleep(0.1)
    return process


def job(results: Path) -> str:
    """The job that the run's folder names."""
    (path,) = results.glob("runs/killed/*/job.json")
    return str(read_json(path)["job"])


def attempts(results: Path) -> int:
    """How often a worker began."""
    (path,) = results.glob("runs/killed/*/provenance.json")
    return len(read_json(path)["attempts"])


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for the command's good end."""
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output


def test_a_killed_job_is_submitted_again_and_ends_in_the_same_numbers(
    start: Start, manifest: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    """kill -9 by Slurm to every process of the job, mid-run."""
    results = tmp_path / "results"
    process = submitted(start, manifest, results)
    first = job(results)
    slurm("scancel", "--signal=KILL", "--full", first)
    finish(process)
    assert job(results) != first
    assert attempts(results) == 2
    assert bits(results) == undisturbed


def test_a_requeued_job_goes_on_and_ends_in_the_same_numbers(
    start: Start, manifest: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    """What Slurm itself does on preemption or when a node fails."""
    results = tmp_path / "results"
    process = submitted(start, manifest, results)
    first = job(results)
    slurm("scontrol", "requeue", first)
    finish(process)
    assert job(results) == first
    assert attempts(results) == 2
    assert bits(results) == undisturbed


def test_a_job_outlives_its_host_and_the_next_host_takes_it_over(
    start: Start, manifest: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    """kill -9 to `repro run`; the second call watches the same job to its end."""
    results = tmp_path / "results"
    process = submitted(start, manifest, results)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = job(results)
    finish(start("run", str(manifest), "--runner", "slurm", results=results))
    assert job(results) == first
    assert attempts(results) == 1
    assert bits(results) == undisturbed


def test_ctrl_c_cancels_the_job(start: Start, manifest: Path, tmp_path: Path):
    """Exit code 130, and Slurm knows the job as cancelled."""
    results = tmp_path / "results"
    process = submitted(start, manifest, results)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert queue_states()[job(results)] == "CANCELLED"
