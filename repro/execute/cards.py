"""Which run works on which of this machine's GPUs: each on its own, on several where one does not hold it."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from repro.evidence.folder import RunFolder
from repro.execute.device import Device, Gpu
from repro.execute.jobs import Job, Runner
from repro.plan.budget import gpu_gibibytes
from repro.plan.run import Run


def card_groups(runs: Sequence[Run], cards: Sequence[Gpu]) -> list[str]:
    """Return the cards in groups that hold the largest run each, as numbers with commas between; none without cards.

    Only those that CUDA_VISIBLE_DEVICES names, where it is set.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    numbers = named.split(",") if named else [str(number) for number in range(len(cards))]
    if not cards or not runs:
        return []
    room = min(card.gibibytes for card in cards)
    needed = math.ceil(max(gpu_gibibytes(run).high for run in runs) / room)
    each = min(len(numbers), max(1, needed))
    return [",".join(numbers[at : at + each]) for at in range(0, len(numbers) - each + 1, each)]


@dataclass
class CardRunner:
    """Starts each run on a free group of cards, and takes the cards back when it ends."""

    on: Callable[[str], Runner]
    """Returns the runner that works on a group."""
    free: list[str]
    name: str = field(init=False)
    threads: int = field(init=False)
    device: Device | None = field(init=False)

    def __post_init__(self) -> None:
        inner = self.on(self.free[0])
        self.name, self.threads, self.device = inner.name, inner.threads, inner.device

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Start a worker on each folder. The queue starts no more at once than there are groups."""
        return [self._start(folder) for folder in folders]

    def _start(self, folder: RunFolder) -> Job:
        cards = self.free.pop(0)
        (job,) = self.on(cards).start([folder])
        return CardJob(job, cards, self.free)


@dataclass
class CardJob:
    """A job that gives its cards back once, whichever way it ends."""

    job: Job
    cards: str
    free: list[str]
    held: bool = True

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return self.job.folder

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        code = self.job.poll()
        if code is not None:
            self._give_back()
        return code

    def stop(self) -> None:
        """End it."""
        self.job.stop()
        self._give_back()

    def problem(self, code: int) -> str:
        """Why it ended."""
        return self.job.problem(code)

    def _give_back(self) -> None:
        if self.held:
            self.free.append(self.cards)
        self.held = False
