"""A killed, requeued or orphaned job of a real Slurm ends with the numbers of a run that nothing
disturbed.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from repro.evidence.folder import read_json
from repro.execute.slurm import queue_states, slurm

PATIENCE = 240.0
Begin = Callable[..., subprocess.Popen[str]]
Bits = Callable[[Path], dict[str, str]]
FIRST = "steps/000002.parquet"
"""What a job past its first checkpoints has left."""


@pytest.fixture(autouse=True, scope="module")
def cluster() -> None:
    """Only where a controller answers; ci/slurm.sh starts one, and there a silent one is a failure."""
    answers = (
        shutil.which("sinfo")
        and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0
    )
    if not answers:
        assert os.environ.get("REPRO_REQUIRE_SLURM") != "1", (
            "the cluster of ci/slurm.sh does not answer"
        )
        pytest.skip("no Slurm controller answers here; ci/slurm.sh starts one")


@pytest.fixture(scope="module")
def undisturbed(
    cache: Path, long_manifest: Path, bits: Bits, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What the local runner measures when nothing happens."""
    place = tmp_path_factory.mktemp("undisturbed")
    command = [sys.executable, "-m", "repro", "run", str(long_manifest), "--results", str(place)]
    environment = {**os.environ, "REPRO_CACHE": str(cache)}
    done = subprocess.run(
        [*command, "--max-parallel", "2"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return bits(place)


def job(results: Path) -> str:
    """The job that the run's folder names."""
    (path,) = results.glob("runs/killed/*/job.json")
    return str(read_json(path)["job"])


def attempts(results: Path) -> list[dict[str, Any]]:
    """What every worker that began found."""
    (path,) = results.glob("runs/killed/*/provenance.json")
    return list(read_json(path)["attempts"])


def kill(job: str) -> None:
    """End every process of a job at once, as the kernel does: nobody asked Slurm to cancel it."""
    array, _, task = job.partition("_")
    (number,) = (
        line.split()[0]
        for line in slurm("squeue", "--noheader", "--array", "--format=%A %F_%K").splitlines()
        if line.split()[1] == f"{array}_{task or 'N/A'}"
    )
    pids = [line.split()[0] for line in slurm("scontrol", "listpids", number).splitlines()[1:]]
    found = [process for pid in pids for process in _tree(int(pid))]
    assert found
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _tree(pid: int) -> list[psutil.Process]:
    """A process and all it began; empty where it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for the command's good end."""
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output


def environments(words: str) -> list[bytes]:
    """What the processes of this machine with these words in their command line were given, as the
    kernel tells it.
    """
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if words in " ".join(process.info["cmdline"] or []):
            with suppress(OSError):  # it ended meanwhile
                found.append(Path(f"/proc/{process.pid}/environ").read_bytes())
    return found


def test_a_killed_job_is_submitted_again_and_ends_in_the_same_numbers(
    begin: Begin,
    results: Path,
    bits: Bits,
    undisturbed: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """kill -9 to every process of the job, mid-run. Nothing of the job was given the
    host's tokens.
    """
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_test")
    process = begin("slurm", until=FIRST)
    assert b"hf_of_this_test" in Path(f"/proc/{process.pid}/environ").read_bytes(), (
        "the control: the host"
    )
    given = environments("submitit.core._submit")
    assert given
    assert not any(b"hf_of_this_test" in found for found in given)
    first = job(results)
    kill(first)
    finish(process)
    assert job(results) != first
    assert [attempt["host"]["runner"] for attempt in attempts(results)] == ["slurm", "slurm"]
    assert bits(results) == undisturbed


def test_a_requeued_job_goes_on_and_ends_in_the_same_numbers(
    begin: Begin, results: Path, bits: Bits, undisturbed: dict[str, str]
) -> None:
    """What Slurm itself does on preemption or when a node fails."""
    process = begin("slurm", until=FIRST)
    first = job(results)
    slurm("scontrol", "requeue", first)
    finish(process)
    assert (job(results), len(attempts(results))) == (first, 2)
    assert bits(results) == undisturbed


def test_a_job_outlives_its_host_and_the_next_host_takes_it_over(
    begin: Begin, results: Path, bits: Bits, undisturbed: dict[str, str]
) -> None:
    """kill -9 to `repro run`; the second call watches the same job to its end."""
    process = begin("slurm", until=FIRST)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = job(results)
    finish(begin("slurm"))
    assert (job(results), len(attempts(results))) == (first, 1)
    assert bits(results) == undisturbed


@pytest.mark.usefixtures("image")
def test_a_job_in_a_container_is_shut_in_and_outlives_the_job_that_began_it(
    begin: Begin,
    results: Path,
    bits: Bits,
    undisturbed: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """kill -9 to the job: its container works on, to the end or into the hands of the next job; the
    same bits as bare.
    """
    (tmp_path / "cluster.yaml").write_text("container: docker\n")
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    process = begin("slurm", until=FIRST)
    first = job(results)
    kill(first)
    finish(process)
    assert queue_states()[first] != "COMPLETED"
    (attempt,) = attempts(results)
    assert attempt["host"]["runner"] == "slurm, docker"
    assert (
        attempt["isolation"].items()
        >= {"network": "none", "root": "read-only", "no_new_privileges": "1"}.items()
    )
    assert bits(results) == undisturbed


def test_ctrl_c_cancels_the_job(begin: Begin, results: Path) -> None:
    """Exit code 130, and Slurm knows the job as cancelled."""
    process = begin("slurm", until=FIRST)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert queue_states()[job(results)] == "CANCELLED"


def test_a_job_that_its_user_cancels_stays_cancelled_until_it_is_asked_for_again(
    begin: Begin, results: Path, bits: Bits, undisturbed: dict[str, str]
) -> None:
    process = begin("slurm", until=FIRST)
    first = job(results)
    slurm("scancel", first)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, output
    assert f"Slurm job {first} was cancelled; the same command submits it again" in output
    assert job(results) == first
    assert set(queue_states().values()) <= {"CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL"}
    finish(begin("slurm"))
    assert job(results) != first
    assert bits(results) == undisturbed


def test_a_worker_has_the_processors_that_its_job_asks_for(
    begin: Begin, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster binds steps to processors; a step alone would get one."""
    asked = min(2, len(os.sched_getaffinity(0)))
    (tmp_path / "cluster.yaml").write_text(f"cpus: {asked}\n")
    monkeypatch.setenv("REPRO_SLURM", str(tmp_path / "cluster.yaml"))
    process = begin("slurm", until=FIRST)
    allowed = [
        len(psutil.Process(worker.pid).cpu_affinity())
        for worker in psutil.process_iter(["cmdline"])
        if "repro.worker" in (words := worker.info["cmdline"] or [])
        and "run" in words
        and str(results) in " ".join(words)
    ]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert allowed
    assert set(allowed) == {asked}
