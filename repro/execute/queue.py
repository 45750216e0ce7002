"""Carrying out the runs of a manifest: so many at a time, resumable, stopped cleanly by Ctrl-C."""

import signal
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from repro.evidence.folder import RunFolder
from repro.execute.chain import Hold, held
from repro.execute.folders import Place, prepare
from repro.execute.host_note import note_host
from repro.execute.jobs import Job, Runner

POLL = 0.2  # seconds
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Watcher(Protocol):
    """Whoever shows progress."""

    def started(self, place: Place) -> None:
        """A run was started or goes on."""

    def running(self, folders: Sequence[RunFolder]) -> None:
        """These runs are under way."""

    def ended(self, place: Place, problem: str | None) -> None:
        """A run ended; `problem` is None when it finished."""


@dataclass
class Outcome:
    """What became of the runs of one call."""

    finished: list[Place] = field(default_factory=list)
    failed: list[tuple[Place, str]] = field(default_factory=list)

    def words(self) -> str:
        """How many finished, diverged and failed; why, the watcher has said of each when it ended."""
        ends = [place.folder.done() for place in self.finished]
        diverged = sum(end is not None and end.status == "diverged" for end in ends)
        return (
            f"{len(self.finished)} of {len(self.finished) + len(self.failed)} runs finished"
            + (f", {diverged} of them diverged" if diverged else "")
            + (f"; {len(self.failed)} failed, why is said above" if self.failed else "")
        )


def carry_out(
    places: Sequence[Place], claims: Mapping[str, str], runner: Runner, at_once: int, watcher: Watcher
) -> Outcome:
    """Run every unfinished place; one that fails leaves the others unharmed. KeyboardInterrupt stops all, cleanly."""
    outcome = Outcome(finished=[place for place in places if place.state == "finished"])
    waiting = [place for place in places if place.state != "finished"]
    running: list[tuple[Place, Job]] = []
    try:
        while waiting or running:
            at_work = {place.run.id for place, _ in running}
            waiting = _startable(waiting, at_work, outcome, watcher)
            free = max(0, at_once - len(running))
            next_ones = [place for place in waiting if _hold(place, at_work) is None][:free]
            waiting = [place for place in waiting if place not in next_ones]
            folders = [prepare(place, claims, runner.threads, runner.device) for place in next_ones]
            for folder in folders:
                note_host(folder, runner.name)
            for place, job in zip(next_ones, runner.start(folders) if folders else [], strict=True):
                running.append((place, job))
                watcher.started(place)
            time.sleep(POLL)
            watcher.running([place.folder for place, _ in running])
            running = [pair for pair in running if not _ended(pair, outcome, watcher)]
    finally:
        with unstoppable():
            _stop_all([job for _, job in running])
    return outcome


def _stop_all(jobs: Sequence[Job]) -> None:
    """Stop all at once: each may take its time, and none is left because another did."""
    if jobs:
        with ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(lambda job: job.stop(), jobs))


@contextmanager
def unstoppable() -> Iterator[None]:
    """Let nothing interrupt the stopping of workers: a second Ctrl-C would leave some of them behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hold(place: Place, at_work: Collection[str]) -> Hold | None:
    """Why a place may not start. A worker that has left its marker still has to end, and is the first to be told of."""
    parent = place.run.parent
    if parent and parent.id in at_work:
        return Hold(f"starts from {parent.slot}, which is at work", "not yet")
    return held(place.run, place.folder)


def _startable(waiting: Sequence[Place], at_work: Collection[str], outcome: Outcome, watcher: Watcher) -> list[Place]:
    """Those that may start now or later; the others failed: what they start from diverged, or nobody works on it."""
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


def _ended(pair: tuple[Place, Job], outcome: Outcome, watcher: Watcher) -> bool:
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
