"""Work in a process of its own: its answer and code come back, and its limits hold always."""

import os
import signal
import time
from collections.abc import Callable
from typing import NoReturn

import pytest

from repro.cli.limited import run_limited
from repro.errors import InputError

Answer = Callable[[], int]


def answering(words: str, code: int) -> Answer:
    def answer() -> int:
        print(words)
        return code

    return answer


def test_the_answer_is_printed_and_its_code_returned(capfd: pytest.CaptureFixture[str]) -> None:
    """What the work changes stays in its own process."""
    changed: list[int] = []

    def work() -> Answer:
        changed.append(os.getpid())
        return answering("found", 3)

    assert run_limited(work, 30, 1) == 3
    assert capfd.readouterr().out == "found\n"
    assert changed == []


def test_work_without_end_is_stopped_and_the_way_out_is_said() -> None:
    def work() -> NoReturn:
        while True:
            time.sleep(1)

    with pytest.raises(
        InputError, match=r"stopped: no answer after 0.2 s; ask for less .*--timeout"
    ):
        run_limited(work, 0.2, 1)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_the_time_ends_when_the_work_does_and_not_the_printing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def slowly() -> int:
        time.sleep(0.6)
        return answering("late", 0)()

    assert run_limited(lambda: slowly, 0.3, 1) == 0
    assert capfd.readouterr().out == "late\n"


def test_a_process_that_is_killed_is_taken_for_one_without_memory() -> None:
    def work() -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    with pytest.raises(
        InputError, match=r"needed more than 0.5 GiB of memory; ask for less \(a WHERE, a LIMIT\)$"
    ):
        run_limited(work, 30, 0.5)


@pytest.mark.worker
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="only Linux tells what there is")
def test_memory_beyond_the_share_is_not_given(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> Answer:
        try:
            bytearray(1 << 30)
        except MemoryError:
            return answering("refused", 0)
        return answering("given", 0)

    assert run_limited(work, 30, 0.25) == 0
    assert run_limited(work, 30, 4) == 0
    assert capfd.readouterr().out.split() == ["refused", "given"]


def test_bad_input_of_the_work_is_its_line_and_code_2(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> NoReturn:
        raise InputError("no such table")

    assert run_limited(work, 30, 1) == 2
    assert capfd.readouterr().err == "repro sql: no such table\n"
