"""The program inside a box, as it runs there: a process of its own that reads and writes frames."""

import json
import math
import os
import subprocess
import sys
from collections import Counter, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from repro.score.box import SOURCE, numpy_folders
from repro.score.inside import HEAD, LARGEST_NUMBER, PACK_FROM, encode, facts
from repro.score.values import decode

Frames = list[tuple[bytes, int, int, bytes]]


def run(*sets: dict[str, Any], memory: int = 1 << 30, cut: int = 0) -> Frames:
    """Kind, set, input and payload of everything that is said about these sets."""
    program = json.dumps({"memory": memory, "sets": sets}).encode()
    sent = len(program).to_bytes(8, "big") + program
    given = json.dumps({"user": None, "packages": numpy_folders(), "alone": False})
    done = subprocess.run(
        [sys.executable, "-S", "-c", SOURCE, given],
        input=sent[: len(sent) - cut],
        capture_output=True,
        check=False,
    )
    frames, rest = [], done.stdout
    while rest:
        length, kind, number, at, seconds = HEAD.unpack_from(rest)
        assert seconds >= 0
        frames.append((kind, number, at, rest[HEAD.size : HEAD.size + length]))
        rest = rest[HEAD.size + length :]
    return frames


def program(code: str, inputs: Any = ((1,), (2,))) -> dict[str, Any]:
    """A set of inputs for the function f."""
    return {"code": code, "entry": "f", "inputs": inputs}


def test_it_says_what_it_is_then_each_output_and_how_the_set_ended() -> None:
    (ready, *frames) = run(program("def f(x): return x * 2"), program("def f(x): return [x]"))
    assert ready[0] == b"R"
    assert json.loads(ready[3])["user"] == os.getuid()
    assert frames == [
        (b"L", 0, 0, b""),
        (b"V", 0, 0, b"2"),
        (b"V", 0, 1, b"4"),
        (b"D", 0, 0, b"0"),
        (b"L", 1, 0, b""),
        (b"V", 1, 0, b"[1]"),
        (b"V", 1, 1, b"[2]"),
        (b"D", 1, 0, b"0"),
    ]


def test_what_is_raised_is_told_by_its_type_and_the_next_set_is_run() -> None:
    failing = program("def f(x): return 1 / (x - 2)")
    frames = run(failing, program("raise SystemExit"), program("def f(x): return 0"))
    assert frames[2:5] == [
        (b"V", 0, 0, b"-1.0"),
        (b"E", 0, 1, b"ZeroDivisionError"),
        (b"D", 0, 0, b"0"),
    ]
    assert frames[5] == (b"E", 1, 0, b"SystemExit")
    assert frames[-1] == (b"D", 2, 0, b"0")


def test_what_a_candidate_prints_or_reads_reaches_no_frame() -> None:
    """And a program that is cut short is never begun."""
    noisy = "import sys, os\nprint('x' * 999)\nos.write(1, b'frame')\ndef f(x): return len(sys.stdin.read())"
    frames = run(program(noisy))
    assert [frame[3] for frame in frames if frame[0] == b"V"] == [b"0", b"0"]
    assert [frame[0] for frame in run(program("def f(x): return x"), cut=1)] == [b"R"]


def test_a_candidate_has_the_view_and_the_memory_of_evalplus() -> None:
    code = (
        "import os, builtins, shutil, subprocess\n"
        "gone = [os.kill, os.system, builtins.open, shutil.rmtree, subprocess.Popen]\n"
        "def f(x):\n    if x == 1: return gone == [None] * 5\n    return len('a' * (1 << 29))\n"
    )
    frames = run(program(code), memory=1 << 28)
    assert (frames[2], frames[3]) == ((b"V", 0, 0, b"true"), (b"E", 0, 1, b"MemoryError"))


Pair = namedtuple("Pair", "a b")


class Named(str):
    """A subclass, as a candidate may define one."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Pair(1, 2), (1, 2)),
        (Counter("aab"), {"a": 2, "b": 1}),
        (Named("x"), "x"),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (Fraction(1, 3), Fraction(1, 3)),
        (Decimal("0.5"), Fraction(1, 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_another_type_equals_its_plain_one_and_is_marked(value: Any, plain: Any) -> None:
    found = decode(encode(value), 9)
    assert found.value == plain
    assert not found.exact


@pytest.mark.parametrize("value", [object(), print, (x for x in ()), np.array([1, 2]), range(3)])
def test_what_is_no_plain_data_is_only_named(value: object) -> None:
    assert json.loads(encode(value)) == {"o": type(value).__name__}


def test_what_has_no_end_is_unreadable() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert encode(endless) == b'{"o":"unreadable"}'


@pytest.mark.parametrize("size", [PACK_FROM - 1, PACK_FROM, 3 * PACK_FROM])
def test_lists_of_floats_are_sent_as_bytes_where_all_are_finite(size: int) -> None:
    floats = [0.1 * number for number in range(size)]
    assert encode(floats).startswith(b'{"F":') is (size >= PACK_FROM)
    assert decode(encode(floats), 0).value == floats
    assert encode([*floats, math.inf]).startswith(b"[")
    assert encode([*floats, 1]).startswith(b"[")


@pytest.mark.parametrize("number", [LARGEST_NUMBER - 1, LARGEST_NUMBER, -LARGEST_NUMBER, 10**400])
def test_large_numbers_keep_every_digit(number: int) -> None:
    assert decode(encode(number), 0).value == number
    assert encode(number).startswith(b"{") is (abs(number) >= LARGEST_NUMBER)


def test_the_facts_are_those_of_the_kernel() -> None:
    found = facts()
    assert found["user"] == os.getuid()
    assert "lo" in found["interfaces"] or found["interfaces"] == []
    assert found["processes"] >= 1
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    options = next(words[3] for words in reversed(mounts) if words[1] == "/")
    assert found["root_read_only"] is ("ro" in options.split(","))
