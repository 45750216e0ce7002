"""Run one candidate in one box: read its outputs as they arrive, and end it at its limits.

Limits are of CPU time, read from the box's control group, so a busy machine changes nothing. Only a
box that leaves the processor idle is ended by wall time.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from repro.score.box import MEMORY, Box, Closed, ExhaustedError
from repro.score.inside import HEAD

POLL = 0.02  # seconds between two looks at the meters
START = 120.0  # seconds for a box to be ready on a busy machine
IDLE = 20.0  # seconds in total that a candidate may leave the processor idle
_SHARE = 20.0
"""A candidate that gets at least a twentieth of a processor counts as working, however long it
takes.
"""
LONGEST_WORDS = 1 << 16  # bytes of a frame other than an output
How = Literal["passed", "wrong", "raised", "time", "idle", "memory", "crashed"]


class End(NamedTuple):
    """The end of one set of inputs."""

    how: How
    why: str = ""


@dataclass(frozen=True)
class Limits:
    """CPU seconds of one set."""

    each: Sequence[float]
    """For each input."""
    total: float
    """For all inputs together, including the candidate's own code."""


@dataclass(frozen=True)
class Work:
    """One set of inputs for one piece of code."""

    code: str
    entry: str
    inputs: Sequence[Any]
    limits: Limits
    longest: Callable[[int], int]
    """Function of an input's number: most bytes of its output."""
    take: Callable[[int, bytes, float], bool]
    """Function of (input, output, CPU time of the process that sent it): whether the output is
    right.
    """


class Frame(NamedTuple):
    """A message from the box."""

    kind: bytes
    number: int
    at: int
    seconds: float
    payload: bytes


class _BrokenError(Exception):
    """The box sent something our program never sends, or more than is allowed."""


@dataclass
class _Frames:
    """The messages of a box, split into frames."""

    box: Box
    waiting: bytearray = field(default_factory=bytearray)

    def next(self, longest: int, seconds: float = POLL) -> Frame | None:
        """Return the next frame, or None when there is none yet.

        Raises EOFError at the end, _BrokenError for an invalid frame.
        """
        frame = self._waiting(longest)
        if frame is None:
            data = self.box.read(seconds)
            if data == b"":
                raise EOFError
            self.waiting += data or b""
            frame = self._waiting(longest)
        return frame

    def _waiting(self, longest: int) -> Frame | None:
        """Return the first complete frame of the bytes received; None where it is not complete."""
        if len(self.waiting) < HEAD.size:
            return None
        length, kind, number, index, seconds = HEAD.unpack_from(self.waiting)
        if length > (longest if kind == b"V" else LONGEST_WORDS):
            raise _BrokenError(
                f"an output of {length:,} bytes"
                if kind == b"V"
                else "output of its own on the channel"
            )
        if len(self.waiting) < HEAD.size + length:
            return None
        payload = bytes(self.waiting[HEAD.size : HEAD.size + length])
        del self.waiting[: HEAD.size + length]
        return Frame(kind, number, index, seconds, payload)


def attempt(box: Box, closed: Closed, works: Sequence[Work]) -> tuple[list[End], dict[str, Any]]:
    """Run the works in order until one does not pass.

    Return (how each ended, the box's facts from inside). Raises ExhaustedError when the box
    fails before any candidate's code could run, SetupError when it is not closed.
    """
    frames = _Frames(box)
    facts = _ready(frames)
    closed.refuse(facts)
    _send(box, works)
    ends: list[End] = []
    for number, work in enumerate(works):
        ends.append(_Watch(box, frames, number, work).end())
        if ends[-1].how != "passed":
            break
    return ends, facts


def _ready(frames: _Frames) -> dict[str, Any]:
    """Return what the box reports about itself before the candidate is in it."""
    until = time.monotonic() + START
    try:
        while time.monotonic() < until:
            frame = frames.next(0)
            if frame and frame.kind == b"R":
                facts: dict[str, Any] = json.loads(frame.payload)
                return facts
    except (EOFError, OSError, _BrokenError, ValueError):
        raise ExhaustedError("the box ended before it was ready") from None
    raise ExhaustedError(f"the box was not ready after {START:.0f} s")


def _send(box: Box, works: Sequence[Work]) -> None:
    """Send the candidate's program into the box."""
    sets = [{"code": work.code, "entry": work.entry, "inputs": work.inputs} for work in works]
    program = json.dumps({"memory": MEMORY, "sets": sets}).encode()
    try:
        box.write(len(program).to_bytes(8, "big") + program)
    except OSError as error:
        raise ExhaustedError(
            f"the box ended before it had the candidate ({error.strerror})"
        ) from error


@dataclass
class _Watch:
    """One running set of inputs: its meters and its results so far."""

    box: Box
    frames: _Frames
    number: int
    work: Work
    done: int = 0
    """Inputs with a right answer."""
    loaded: bool = False
    answered: bool = False
    """Since the last look at the meters."""

    def end(self) -> End:
        """Read outputs until the set ends, and return how."""
        self.begun = self.looked = time.monotonic()
        try:
            self.first = self.last = self.box.processor_seconds()
            for end in self._steps():
                if end is not None:
                    return end
        except _BrokenError as broken:
            return End("crashed", f"sent {broken}")
        except (EOFError, OSError):
            return self._gone("the box's first process ended")
        raise AssertionError("steps end by themselves")

    def _steps(self) -> Iterator[End | None]:
        """Yield the set's end once it has one, else None, after each frame and each look at
        the meters.
        """
        while True:
            longest = self.work.longest(self.done) if self.done < len(self.work.inputs) else 0
            frame = self.frames.next(longest)
            if frame is not None and frame.number == self.number:
                yield self._taken(frame)
            if frame is None or time.monotonic() - self.looked > POLL:
                yield self._over_limits()

    def _taken(self, frame: Frame) -> End | None:
        """Handle one frame. Return the set's end if it has one."""
        self.answered = True
        match frame.kind:
            case b"L":
                self.loaded = True
            case b"V" if (
                self.loaded and frame.at == self.done and self.done < len(self.work.inputs)
            ):
                if not self.work.take(self.done, frame.payload, frame.seconds):
                    return End("wrong", f"input {self.done}")
                self.done += 1
            case b"E":
                where = f" at input {self.done}" if self.loaded else " before its first input"
                return End("raised", frame.payload.decode(errors="replace")[:80] + where)
            case b"D":
                return self._gone(_ending(frame.payload))
            case b"Z" if self.number == 0 and not self.loaded:
                raise ExhaustedError(f"in the box: {frame.payload.decode(errors='replace')[:200]}")
            case _:
                return End("crashed", "sent what no program of ours sends")
        return End("passed") if self.loaded and self.done == len(self.work.inputs) else None

    def _over_limits(self) -> End | None:
        """Read the meters, and return the set's end if a limit is exceeded.

        The clock of an input starts at the first reading after the input before it was
        answered.
        """
        used, self.looked = self.box.processor_seconds(), time.monotonic()
        if self.answered:
            self.last, self.answered = used, False
        limits, spent = self.work.limits, used - self.first
        each = (
            limits.each[self.done] if self.loaded and self.done < len(limits.each) else limits.total
        )
        if used - self.last > each:
            return End(
                "time",
                f"input {self.done} used {used - self.last:.1f} s of processor time, "
                f"{each:.1f} s are allowed",
            )
        if spent > limits.total:
            return End(
                "time",
                f"the set used {spent:.1f} s of processor time, {limits.total:.1f} s are allowed",
            )
        # Wall time that is not explained by CPU time at the least accepted rate.
        idle = self.looked - self.begun - _SHARE * spent
        if idle > IDLE:
            return End(
                "idle",
                f"left the processor alone for {idle:.0f} s at input {self.done}; this is no "
                "limit of work",
            )
        return None

    def _gone(self, how: str) -> End:
        """Return the end of a process that gave no answer.

        Raises ExhaustedError when the machine, not the box, ran out of memory.
        """
        match self.box.out_of_memory():
            case "limit":
                return End(
                    "memory", f"needed more than {MEMORY / 2**30:.0f} GiB at input {self.done}"
                )
            case "machine":
                raise ExhaustedError("this machine ran out of memory")
        return End("crashed", f"{how} at input {self.done}")


def _ending(payload: bytes) -> str:
    """Return a wait status in words."""
    try:
        code = os.waitstatus_to_exitcode(int(payload))
    except ValueError:
        return "ended in no way that a process ends"
    return f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
