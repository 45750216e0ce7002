"""Assign runs to this machine's GPUs: one each, or several where one cannot hold the run."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from repro.cost.fit import savings
from repro.cost.space import gpu_gibibytes
from repro.evidence.folder import RunFolder
from repro.execute.device import Gpu, named_cards
from repro.execute.jobs import Job, Runner
from repro.plan.run import Run


def card_groups(runs: Sequence[Run], cards: Sequence[Gpu]) -> list[str]:
    """Return groups of GPUs that can each hold the largest run, as numbers separated by commas.

    A group is a card where one holds it; the cards that are too small for it are in none then.
    Only GPUs in CUDA_VISIBLE_DEVICES count, where it is set. Without GPUs there is no group.
    """
    if not cards or not runs:
        return []
    numbers, needed = _numbers(cards), max(gpu_gibibytes(run).high for run in runs)
    pairs = list(zip(numbers, cards, strict=False))
    if alone := [number for number, card in pairs if card.gibibytes >= needed]:
        return alone
    each = min(len(pairs), math.ceil(needed / min(card.gibibytes for card in cards)))
    return [",".join(numbers[at : at + each]) for at in range(0, len(pairs) - each + 1, each)]


def _numbers(cards: Sequence[Gpu]) -> list[str]:
    """Return what the cards are called: their numbers, or as CUDA_VISIBLE_DEVICES says."""
    named = named_cards()
    return [str(number) for number in range(len(cards))] if named is None else named


def idle_cards(runs: Sequence[Run], cards: Sequence[Gpu]) -> Iterator[str]:
    """Yield which cards are too small for these runs to share, and what would fit each."""
    used = {number for group in card_groups(runs, cards) for number in group.split(",")}
    for number, card in zip(_numbers(cards), cards, strict=False) if used else ():
        if number in used:
            continue
        largest = max(runs, key=lambda run: gpu_gibibytes(run).high)
        fitting = [run.slot for run in runs if gpu_gibibytes(run).high <= card.gibibytes]
        ways = savings(largest, card.gibibytes)
        would = (
            f"{len(fitting)} of these runs fit it, {fitting[0]} first: CUDA_VISIBLE_DEVICES={number}, --only"
            if fitting
            else f"it would fit with {ways[0]}"
            if ways
            else "nothing makes it fit"
        )
        yield (
            f"card {number} ({card.name}, {card.gibibytes:.0f} GiB) stays idle: {largest.slot} takes "
            f"up to {gpu_gibibytes(largest).high:.0f} GiB; {would}"
        )


@dataclass
class CardRunner:
    """Starts each run on a free group of GPUs, and frees the group when the run ends."""

    on: Callable[[str], Runner]
    """Function that returns the runner for a group."""
    free: list[str]
    held: Callable[[RunFolder], str | None] = lambda _: None
    """Function that returns the group on which a run is at work already, where one goes on without
    a host.
    """
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.on(self.free[0]).name

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Start a worker on each folder. The queue starts no more at once than there are groups."""
        return [self._start(folder) for folder in folders]

    def _start(self, folder: RunFolder) -> Job:
        """Start a worker on the first free group, or take over the one at work on its own."""
        cards = self.held(folder) or self.free[0]
        self.free.remove(cards)
        (job,) = self.on(cards).start([folder])
        return CardJob(job, cards, self.free)


@dataclass
class CardJob:
    """A job that frees its GPUs once, however it ends."""

    job: Job
    cards: str
    free: list[str]
    held: bool = True

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""
        return self.job.folder

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        code = self.job.poll()
        if code is not None:
            self._give_back()
        return code

    def stop(self) -> None:
        """Stop the job and free its GPUs."""
        self.job.stop()
        self._give_back()

    def problem(self, code: int) -> str:
        """Return why it ended."""
        return self.job.problem(code)

    def _give_back(self) -> None:
        """Free the GPUs, once."""
        if self.held:
            self.free.append(self.cards)
        self.held = False
