"""What the queue needs of a runner: it starts workers on run folders, and each can be watched and stopped."""

from collections.abc import Sequence
from typing import Protocol

from repro.evidence.folder import RunFolder
from repro.execute.device import Device
from repro.plain import one_line


class Job(Protocol):
    """One worker at work on one run folder."""

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""

    def poll(self) -> int | None:
        """The exit code, or None while it waits or runs. A negative code is the signal that ended it."""

    def stop(self) -> None:
        """End it, cleanly where it lets us; it goes on from its last checkpoint another time."""

    def problem(self, code: int) -> str:
        """Why it ended with this code without finishing its run, in one line."""


class Runner(Protocol):
    """A place where workers run."""

    @property
    def name(self) -> str:
        """What the record of a run calls it."""

    @property
    def threads(self) -> int:
        """Processor threads each run gets."""

    @property
    def device(self) -> Device | None:
        """What runs are planned for; None where their node decides."""

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Start a worker on each folder, or take over the one that is still at work there."""


def how_it_ended(code: int, folder: RunFolder) -> str:
    """An exit code and the last line of the log, in words."""
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return f"{how}: {last_line(folder) or 'no output'} (log: {folder.log})"


def last_line(folder: RunFolder) -> str:
    """What its worker said last, without the worker's name; empty where it said nothing."""
    lines = (
        folder.log.read_text(errors="replace").strip().splitlines()
        if folder.log.is_file() and not folder.log.is_symlink()
        else []
    )
    return one_line(lines[-1].removeprefix("repro.worker: ")) if lines else ""
