"""No worker goes on alone, however its host ends; and the next host takes over what was left."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MANIFEST = """
id: slow
title: Two small runs long enough to be stopped
image: local
probe_set: factorial_48
sources: {short: {kind: file, path: short.jsonl}}
domains: {code: [short]}
conditions: {only: {title: code, phases: [{steps: 20000, mixture: {code: 1.0}}]}}
training: {lora: {rank: 4, alpha: 8}, accumulation: 2, max_length: 32, compute: float32, checkpoint_every: 20}
diagnostics: {every: 20000}
arms: [{models: [tiny-llama], conditions: [only], seeds: [0, 1]}]
"""
PATIENCE = 120.0
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def hangs_up() -> Iterator[None]:
    """Commands started here hear SIGHUP, also where the tests were started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def workers(results: Path) -> list[int]:
    """Processes of this machine that work in a results folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "repro.worker" in words and str(results) in words:
            found.append(int(path.parent.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


@pytest.fixture
def at_work(
    start: Start, tiny_llama: Path, tmp_path: Path, results: Path
) -> Callable[[], subprocess.Popen[str]]:
    """`repro run` whose two workers have begun to train."""
    assert tiny_llama.exists()
    (tmp_path / "slow.yaml").write_text(MANIFEST)
    lines = (json.dumps({"text": f"def f{number}(x): return x + {number}"}) for number in range(40))
    (tmp_path / "short.jsonl").write_text("\n".join(lines))

    def begin() -> subprocess.Popen[str]:
        process = start("run", str(tmp_path / "slow.yaml"), "--max-parallel", "2", results=results)
        assert wait_until(lambda: len(training(results)) == 2 or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        return process

    return begin


def training(results: Path) -> list[int]:
    """Workers at work that have taken a step and left a state to go on from."""
    alive, found = workers(results), []
    for folder in results.glob("runs/slow/*"):
        try:
            now = json.loads((folder / "progress.json").read_text())
        except (OSError, ValueError):
            continue
        if now.get("pid") in alive and "step" in now and (folder / "state.safetensors").exists():
            found.append(now["pid"])
    return found


def test_ctrl_c_twice_leaves_no_worker(
    at_work: Callable[[], subprocess.Popen[str]], results: Path
) -> None:
    """The second one, while the first is being heeded, changes nothing: 130, and nobody is left."""
    process = at_work()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in output
    assert workers(results) == []


def test_a_closed_terminal_and_a_killed_host_leave_no_worker(
    at_work: Callable[[], subprocess.Popen[str]], results: Path
) -> None:
    """SIGHUP is an interruption; after kill -9 the workers notice by themselves; then the next run
    goes on.
    """
    process = at_work()
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert workers(results) == []
    process = at_work()
    process.kill()
    process.wait()
    assert wait_until(lambda: workers(results) == [], 25.0)
    process = at_work()
    os.kill(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE)
    assert output.count("goes on from its last checkpoint") == 2
    assert workers(results) == []
