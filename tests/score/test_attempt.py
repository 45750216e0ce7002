"""One candidate in one box: its outputs are taken in order, and its limits end it.

The programs are ours, and run as plain processes; hostile ones run in boxes elsewhere.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from repro.errors import SetupError
from repro.score.attempt import End, Limits, Work, attempt
from repro.score.box import Box, Closed, ExhaustedError, Memory
from repro.score.inside import HEAD
from repro.score.unboxed import Unboxed

OPEN = Closed(expected=False)


@pytest.fixture
def box() -> Iterator[Box]:
    """A process without a box."""
    made = Unboxed().open()
    yield made
    made.close()


def work(
    code: str, inputs: Sequence[Any] = ([1], [2]), each: float = 60.0, longest: int = 1 << 20
) -> Work:
    """A set whose right answers are the inputs plus one."""
    return Work(
        code,
        "f",
        inputs,
        Limits([each] * len(inputs), 60.0),
        lambda _: longest,
        lambda index, payload, _: json.loads(payload) == inputs[index][0] + 1,
    )


RIGHT = work("def f(x): return x + 1")


def test_sets_are_run_in_order_until_one_does_not_pass(box: Box) -> None:
    """Each in a process of its own: what one leaves behind is not there for the next."""
    again = work("import sys\nseen = sys.modules.get('odd')\nsys.modules['odd'] = 1\n"
                 "def f(x): return x + 1 if seen is None else 0")  # fmt: skip
    wrong = work("def f(x): return 2")
    ends, facts = attempt(box, OPEN, [again, again, wrong, RIGHT])
    assert ends == [End("passed"), End("passed"), End("wrong", "input 1")]
    assert facts["python"] == sys.version.split()[0]


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("def f(x): raise KeyError(x)", End("raised", "KeyError at input 0")),
        ("def f(x) return x", End("raised", "SyntaxError before its first input")),
        ("def g(x): return x", End("raised", "KeyError before its first input")),
        ("import posix\ndef f(x): posix._exit(7)", End("crashed", "exited with code 7 at input 0")),
        (
            "import posix\ndef f(x): posix.kill(posix.getpid(), 9)",
            End("crashed", "was ended by signal 9 at input 0"),
        ),
    ],
)
def test_a_candidate_that_gives_no_answer_is_told_with_its_input(
    box: Box, code: str, end: End
) -> None:
    ends, _ = attempt(box, OPEN, [work(code)])
    assert ends == [end]


def test_an_output_longer_than_any_right_one_is_not_read(box: Box) -> None:
    ends, _ = attempt(box, OPEN, [work("def f(x): return 'a' * 5000", longest=4000)])
    assert ends == [End("crashed", "sent an output of 5,002 bytes")]


@pytest.mark.worker
def test_processor_time_ends_an_input_and_time_that_passes_does_not(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second of waiting is no work; what only waits is ended for that."""
    slow = work("import time\ndef f(x):\n    time.sleep(0.6)\n    return x + 1", each=0.3)
    burning = work("def f(x):\n    while True: pass", each=0.3)
    ends, _ = attempt(box, OPEN, [slow, burning])
    assert [end.how for end in ends] == ["passed", "time"]
    assert ends[1].why.startswith("input 0 used ")
    assert ends[1].why.endswith(" s of processor time, 0.3 s are allowed")
    monkeypatch.setattr("repro.score.attempt.IDLE", 0.3)
    other = Unboxed().open()
    (end,), _ = attempt(other, OPEN, [work("import time\ndef f(x): time.sleep(600)")])
    other.close()
    assert end.how == "idle"


def test_a_box_that_is_not_closed_gets_no_candidate(box: Box) -> None:
    with pytest.raises(SetupError, match="as seen from inside; no candidate is run in it"):
        attempt(box, Closed(), [RIGHT])


@dataclass
class Scripted:
    """A box that says what it was told to, without a process: what none of ours would say."""

    said: list[bytes]
    memory: Memory = "no"
    seconds: float = 0.0
    sent: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> None:
        self.sent += data

    def read(self, _: float) -> bytes | None:
        return self.said.pop(0) if self.said else b""

    def processor_seconds(self) -> float:
        return self.seconds

    def out_of_memory(self) -> Memory:
        return self.memory

    def close(self) -> None: ...


def frame(kind: bytes, payload: bytes = b"", at: int = 0, number: int = 0) -> bytes:
    """One message of a box."""
    return HEAD.pack(len(payload), kind, number, at, 0.0) + payload


READY, LOADED = frame(b"R", b"{}"), frame(b"L")


def test_messages_are_put_together_however_they_arrive() -> None:
    """Byte by byte, and all in one; messages of an earlier set are passed over."""
    whole = b"".join(
        [READY, LOADED, frame(b"V", b"9", number=7), frame(b"V", b"2"), frame(b"V", b"3", at=1)]
    )
    for said in ([whole], [whole[at : at + 1] for at in range(len(whole))]):
        scripted = Scripted(said)
        assert attempt(scripted, OPEN, [RIGHT])[0] == [End("passed")]
        size = int.from_bytes(scripted.sent[:8], "big")
        assert len(scripted.sent) == 8 + size
        (sent,) = json.loads(scripted.sent[8:])["sets"]
        assert sent == {"code": RIGHT.code, "entry": "f", "inputs": [[1], [2]]}


@pytest.mark.parametrize(
    "said",
    [
        [frame(b"V", b"2")],
        [LOADED, frame(b"V", b"3", at=1)],
        [LOADED, frame(b"X")],
        [LOADED, frame(b"Z", b"no process")],
        [LOADED, frame(b"E", b"x" * (1 << 17))],
    ],
    ids=["unloaded", "out of order", "unknown", "late", "long"],
)
def test_what_no_program_of_ours_sends_is_no_pass(said: list[bytes]) -> None:
    ((how, why),), _ = attempt(Scripted([READY, *said]), OPEN, [RIGHT])
    assert how == "crashed"
    assert why.startswith("sent ")


def test_memory_that_ran_out_is_the_candidates_or_the_machines() -> None:
    said = [READY, LOADED, frame(b"V", b"2"), frame(b"D", b"9")]
    assert attempt(Scripted([*said], "limit"), OPEN, [RIGHT])[0] == [
        End("memory", "needed more than 4 GiB at input 1")
    ]
    with pytest.raises(ExhaustedError, match="this machine ran out of memory"):
        attempt(Scripted([*said], "machine"), OPEN, [RIGHT])
    assert attempt(Scripted([*said]), OPEN, [RIGHT])[0] == [
        End("crashed", "was ended by signal 9 at input 1")
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([], "the box ended before it was ready"),
        ([b"\xff" * 40], "the box ended before it was ready"),
        ([READY, frame(b"Z", b"no more processes")], "in the box: no more processes"),
    ],
)
def test_a_box_that_fails_before_the_candidate_ran_scores_nothing(
    said: list[bytes], told: str
) -> None:
    with pytest.raises(ExhaustedError, match=told):
        attempt(Scripted(said), OPEN, [RIGHT])


def test_a_set_has_a_limit_of_its_own_for_all_its_inputs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The meters are read once in a while, also where answers keep coming."""
    monkeypatch.setattr("repro.score.attempt.POLL", 0.0)

    class Metered(Scripted):
        def processor_seconds(self) -> float:
            self.seconds += 0.4
            time.sleep(0.001)
            return self.seconds

    inputs = [[index] for index in range(9)]
    answers = [frame(b"V", b"%d" % (index + 1), at=index) for index in range(9)]
    limited = work("", inputs)
    limited = Work(**{**vars(limited), "limits": Limits([0.7] * 9, 1.0)})
    ends, _ = attempt(Metered([READY, LOADED, *answers]), OPEN, [limited])
    assert ends == [End("time", "the set used 1.2 s of processor time, 1.0 s are allowed")]
