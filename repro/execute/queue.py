"""Carry out the runs of a manifest, resumable and stopped cleanly by Ctrl-C."""

import signal
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from repro.cost.walked import walks
from repro.errors import EvidenceError
from repro.evidence.folder import BY_BLOCK, Loading, RunFolder
from repro.execute.chain import Hold, hold_reason
from repro.execute.device import memory_gibibytes
from repro.execute.folders import RunPlace, prepare
from repro.execute.host_note import note_host
from repro.execute.jobs import Job, Runner

_POLL = 0.2  # seconds
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class QueueWatcher(Protocol):
    """An observer of progress."""

    def started(self, place: RunPlace) -> None:
        """Show that a run was started or continued."""

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Show the runs that are running."""

    def ended(self, place: RunPlace, problem: str | None) -> None:
        """Show that a run ended; `problem` is None when it finished."""


@dataclass
class QueueOutcome:
    """The result of one call for each run."""

    finished: list[RunPlace] = field(default_factory=list)
    failed: list[tuple[RunPlace, str]] = field(default_factory=list)

    def words(self) -> str:
        """Return how many finished, diverged and failed.

        The watcher has given each reason already.
        """
        ends = [place.folder.done() for place in self.finished]
        diverged = sum(end is not None and end.status == "diverged" for end in ends)
        return (
            f"{len(self.finished)} of {len(self.finished) + len(self.failed)} runs finished"
            + (f", {diverged} of them diverged" if diverged else "")
            + (f"; {len(self.failed)} failed, why is said above" if self.failed else "")
        )


def run_queue(
    places: Sequence[RunPlace],
    seal: str | None,
    runner: Runner,
    at_once: int,
    watcher: QueueWatcher,
) -> QueueOutcome:
    """Run every unfinished place.

    A failure leaves the others running; KeyboardInterrupt stops all, cleanly. `seal`: of the
    claims, as they are before any of these runs.
    """
    outcome = QueueOutcome(finished=[place for place in places if place.state == "finished"])
    waiting = [place for place in places if place.state != "finished"]
    running: list[tuple[RunPlace, Job]] = []
    try:
        while waiting or running:
            at_work = {place.run.id for place, _ in running}
            waiting = _startable(waiting, at_work, outcome, watcher)
            free = max(0, at_once - len(running))
            next_ones = [place for place in waiting if _hold(place, at_work) is None][:free]
            waiting = [place for place in waiting if place not in next_ones]
            next_ones, folders = _prepared(next_ones, seal, outcome, watcher)
            for place, folder in zip(next_ones, folders, strict=True):
                note_host(folder, runner.name, _loading(place, runner))
            for place, job in zip(next_ones, runner.start(folders) if folders else [], strict=True):
                running.append((place, job))
                watcher.started(place)
            time.sleep(_POLL)
            watcher.running([place.folder for place, _ in running])
            running = [pair for pair in running if not _ended(pair, outcome, watcher)]
    finally:
        with unstoppable():
            _stop_all([job for _, job in running])
    return outcome


def _prepared(
    places: Sequence[RunPlace], seal: str | None, outcome: QueueOutcome, watcher: QueueWatcher
) -> tuple[list[RunPlace], list[RunFolder]]:
    """Prepare the folders of runs that start now; one that cannot be leaves the others running."""
    ready, folders = [], []
    for place in places:
        try:
            folders.append(prepare(place, seal))
            ready.append(place)
        except EvidenceError as error:  # a parent, or its own folder, is not what it says
            outcome.failed.append((place, str(error)))
            watcher.ended(place, str(error))
    return ready, folders


def _loading(place: RunPlace, runner: Runner) -> Loading:
    """Tell how a run's model is loaded here. A cluster's nodes have what jobs ask."""
    by_block = runner.name != "slurm" and walks(place.run, memory_gibibytes())
    return BY_BLOCK if by_block else "whole"


def _stop_all(jobs: Sequence[Job]) -> None:
    """Stop all jobs at once: each may take a while, and none must wait for another."""
    if jobs:
        with ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(lambda job: job.stop(), jobs))


@contextmanager
def unstoppable() -> Iterator[None]:
    """Ignore interrupts while workers are stopped: a second Ctrl-C would leave some of them
    running.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hold(place: RunPlace, at_work: Collection[str]) -> Hold | None:
    """Return why a place may not start; None when it may.

    A parent that has written its marker may still be running; wait for its end.
    """
    parent = place.run.parent
    if parent and parent.id in at_work:
        return Hold(f"starts from {parent.slot}, which is at work", "not yet")
    return hold_reason(place.run, place.folder)


def _startable(
    waiting: Sequence[RunPlace],
    at_work: Collection[str],
    outcome: QueueOutcome,
    watcher: QueueWatcher,
) -> list[RunPlace]:
    """Return the runs that can still start.

    Drop those whose parent run diverged or was abandoned.
    """
    ready = any(_hold(place, at_work) is None for place in waiting)
    kept = []
    for place in waiting:
        hold = _hold(place, at_work)
        if hold and (hold.kind == "never" or not (at_work or ready)):
            outcome.failed.append((place, hold.reason))
            watcher.ended(place, hold.reason)
        else:
            kept.append(place)
    return kept


def _ended(pair: tuple[RunPlace, Job], outcome: QueueOutcome, watcher: QueueWatcher) -> bool:
    """Record a job that has ended and return True; False while it runs."""
    place, job = pair
    code = job.poll()
    if code is None:
        return False
    problem = None
    if code == 0 and place.folder.done():
        outcome.finished.append(place)
    else:
        problem = job.problem(code)
        outcome.failed.append((place, problem))
    watcher.ended(place, problem)
    return True
