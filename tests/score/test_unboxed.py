"""A plain process in the place of a box: for one's own code, and with the same meters."""

import time
from contextlib import suppress

import psutil
import pytest

from repro.score.attempt import Limits, Work, attempt
from repro.score.box import Box, Closed, ExhaustedError
from repro.score.unboxed import Process, Unboxed

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


def run(box: Box, code: str) -> str:
    """How a program of one input ends whose right answer is 1."""
    work = Work(code, "f", [[]], Limits([60], 60), lambda _: 99, lambda _, sent, __: sent == b"1")
    (end,), _ = attempt(box, Closed(expected=False), [work])
    return end.how


def test_numpy_is_there_and_its_neighbours_are_not() -> None:
    box = Unboxed().open()
    assert run(box, "import numpy\ndef f(): return int(numpy.int64(1))") == "passed"
    box.close()
    box = Unboxed().open()
    assert run(box, "import pydantic\ndef f(): return 1") == "raised"
    box.close()


def test_no_variable_of_the_host_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    box = Unboxed().open()
    code = "import os\nnone = 'HF_TOKEN' not in os.environ and os.environ['HOME'] == '/tmp'\n"
    assert run(box, code + "def f(): return int(none)") == "passed"
    box.close()


def test_processor_time_of_a_child_that_has_ended_counts() -> None:
    box = Unboxed().open()
    begin = box.processor_seconds()
    code = "import posix\nif posix.fork() == 0:\n" + "".join(
        f"    {line}\n" for line in [*BURN.splitlines(), "posix._exit(0)"]
    )
    assert run(box, code + "posix.wait()\ndef f(): return 1") == "passed"
    end = time.monotonic() + 30  # until the set's process, which is a child too, has ended
    while box.processor_seconds() - begin < 0.3 and time.monotonic() < end:
        time.sleep(0.01)
    assert box.processor_seconds() - begin >= 0.3
    assert box.out_of_memory() == "no"
    box.close()


def test_a_process_ends_with_its_children_and_closing_twice_is_no_error() -> None:
    box = Unboxed().open()
    assert isinstance(box, Process)
    code = "import posix, time\nif posix.fork() == 0:\n    while True: time.sleep(9)\n"
    assert run(box, code + "def f(): return 1") == "passed"
    family = [psutil.Process(box.process.pid), *psutil.Process(box.process.pid).children(True)]
    box.close()
    assert psutil.wait_procs(family[:1], 30)[1] == []
    assert box.processor_seconds() == 0.0
    box.close()
    for orphan in family[1:]:  # this sandbox cannot find it
        with suppress(psutil.NoSuchProcess):
            orphan.kill()


def test_an_interpreter_that_is_not_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/python")
    with pytest.raises(ExhaustedError, match=r"no process could be started \(No such file"):
        Unboxed().open()
