"""Define what the queue needs of a runner.

It starts workers on run folders, and each can be watched and stopped.
"""

from collections.abc import Sequence
from typing import Protocol

from repro.cost.fit import run_out
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.execute.worker_command import last_words
from repro.plain import one_line


class Job(Protocol):
    """One worker on one run folder."""

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it waits or runs.

        A negative code is the signal that ended it.
        """

    def stop(self) -> None:
        """Stop it, cleanly if it reacts. It can continue from its last checkpoint later."""

    def problem(self, code: int) -> str:
        """Return in one line why it ended with this code without finishing its run."""


class Runner(Protocol):
    """A place where workers run."""

    @property
    def name(self) -> str:
        """Return the name that a run's record uses."""

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Start a worker on each folder, or take over the one still running there."""


def how_it_ended(code: int, folder: RunFolder) -> str:
    """Return an exit code and the last line of the log, in words."""
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    if "out of memory" in last_said(folder).lower():
        return f"{how}: {run_out(read_request(folder.path).run)} (log: {folder.log})"
    return f"{how}: {last_said(folder) or 'no output'} (log: {folder.log})"


def last_said(folder: RunFolder) -> str:
    """Return the worker's last words without its name; empty where it said nothing."""
    there = folder.log.is_file() and not folder.log.is_symlink()
    return (
        one_line(last_words(folder.log.read_text(encoding="utf-8", errors="replace"), ""))
        if there
        else ""
    )
