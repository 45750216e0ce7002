"""Workers as processes of this machine: what they get, how they end, and that they end with us."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from repro.evidence.folder import RunFolder
from repro.execute.local import LocalRunner
from repro.execute.worker_command import LEASH

Program = Callable[[str], None]
REPEATING = "import sys; print('begun', flush=True); sys.stdin.read(); print('over'); sys.exit(3)"
"""A worker that ends when its standard input does."""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """Let a few lines of Python run in the place of the worker, as a process that is as real."""

    def put(code: str) -> None:
        def command(folder: Path, cache: Path, *options: str) -> list[str]:
            return [sys.executable, "-c", textwrap.dedent(code), str(folder), str(cache), *options]

        monkeypatch.setattr("repro.execute.local.run_command", command)

    return put


@pytest.fixture
def folders(tmp_path: Path) -> list[RunFolder]:
    """Two run folders."""
    for name in "ab":
        (tmp_path / name).mkdir()
    return [RunFolder(tmp_path / name) for name in "ab"]


def test_a_worker_sees_no_gpu_unless_it_was_given_one(
    program: Program, folders: list[RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    program("import os, sys; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['OMP_NUM_THREADS'],"
            " *sys.argv[1:])")  # fmt: skip
    for cards, folder in zip(("", "1,2"), folders, strict=True):
        (job,) = LocalRunner(tmp_path / "cache", 3, cards).start([folder])
        assert job.folder == folder
        while job.poll() is None:
            os.sched_yield()
        assert job.poll() == 0
        job.stop()
        said = f"{cards} 3 {folder.path} {tmp_path}/cache {LEASH}\n"
        assert folder.log.read_text() == said


def test_a_worker_is_stopped_by_a_signal_and_its_end_is_told(
    program: Program, folders: list[RunFolder], tmp_path: Path
) -> None:
    """Each is in a session of its own, so that Ctrl-C reaches it through its host alone."""
    program("import time; print('at work', flush=True); time.sleep(600)")
    jobs = LocalRunner(tmp_path, 1).start(folders)
    assert [job.poll() for job in jobs] == [None, None]
    first, second = (job.process for job in jobs)  # type: ignore[attr-defined]  # both are local
    assert len({os.getsid(0), os.getsid(first.pid), os.getsid(second.pid)}) == 3
    for job in jobs:
        while "at work" not in job.folder.log.read_text():
            os.sched_yield()
        job.stop()
        job.stop()  # it may have ended already
        assert job.poll() == -signal.SIGTERM
        assert job.problem(-signal.SIGTERM).startswith("killed by signal 15: at work (log: ")


def test_a_worker_hears_the_end_of_its_host(tmp_path: Path) -> None:
    """The host is killed: what its worker reads ends, as nothing else would tell it."""
    (tmp_path / "run").mkdir()
    host = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        import repro.execute.local as local
        from repro.evidence.folder import RunFolder
        local.run_command = lambda *_: [sys.executable, "-c", {REPEATING!r}]
        (job,) = local.LocalRunner(Path("x"), 1).start([RunFolder(Path({str(tmp_path)!r}) / "run")])
        print(job.process.pid, flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", host], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        worker = psutil.Process(int(process.stdout.readline()))
        log = tmp_path / "run" / "log.txt"
        while "begun" not in log.read_text():
            os.sched_yield()
        assert worker.is_running()
        process.kill()
    assert psutil.wait_procs([worker], 30)[1] == []
    assert log.read_text() == "begun\nover\n"


def test_a_log_is_added_to(program: Program, folders: list[RunFolder], tmp_path: Path) -> None:
    program("print('said')")
    for _ in range(2):
        (job,) = LocalRunner(tmp_path, 1).start(folders[:1])
        while job.poll() is None:
            os.sched_yield()
        job.stop()
    assert folders[0].log.read_text() == "said\nsaid\n"
