"""`make bench` ends a benchmark that takes too long, with every process that it started."""

import time
from pathlib import Path

import psutil
import pytest

from bench import __main__ as bench

STARTS_ANOTHER = """
import subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
open({path!r}, "w").write(str(other.pid))
time.sleep(100)
"""


def test_what_takes_too_long_ends_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = tmp_path / "pid"
    monkeypatch.setattr(bench, "CHILD", STARTS_ANOTHER.format(path=str(noted)))
    monkeypatch.setattr(bench, "LIMIT_SECONDS", 3)
    (row,) = bench.measured("slow")
    assert (row["value"], row["note"]) == (None, "not finished after 3 s")
    pid = int(noted.read_text())
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still at work")


def test_rows_are_those_that_the_benchmark_printed_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "CHILD", "print('words'); print('[{\"name\": \"one\"}]')")
    assert bench.measured("quick") == [{"name": "one"}]
    monkeypatch.setattr(bench, "CHILD", "import sys; sys.exit(4)")
    (row,) = bench.measured("broken")
    assert row["note"] == "failed with code 4; its last words are above"
