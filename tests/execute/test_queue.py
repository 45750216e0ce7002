"""A queue starts what may start, as many at once as allowed, and tells how each run ended.

Its workers are stand-ins that end when they are told to; real ones are started elsewhere.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.execute.folders import RunPlace, place_runs
from repro.execute.queue import INTERRUPTS, run_queue, unstoppable
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Parent, Run

End = Callable[[RunFolder], int]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the workers as often as can be."""
    monkeypatch.setattr("repro.execute.queue._POLL", 0.0)


@dataclass
class Worker:
    """Works for two looks, then ends."""

    folder: RunFolder
    end: End
    left: int = 2
    stopped: bool = False

    def poll(self) -> int | None:
        self.left -= 1
        return self.end(self.folder) if self.left == 0 else None

    def stop(self) -> None:
        self.stopped = True

    def problem(self, code: int) -> str:
        return f"code {code}"


@dataclass
class Workers:
    """Starts them, and keeps what was started together."""

    end: End
    together: list[list[str]] = field(default_factory=list)
    jobs: list[Worker] = field(default_factory=list)
    name: str = "local"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Worker]:
        self.together.append([slot(folder) for folder in folders])
        begun = [Worker(folder, self.end) for folder in folders]
        self.jobs += begun
        return begun


@dataclass
class Watcher:
    """Keeps what it was shown."""

    most: int = 0
    begun: list[str] = field(default_factory=list)
    ends: dict[str, str | None] = field(default_factory=dict)

    def started(self, place: RunPlace) -> None:
        self.begun.append(place.run.slot)

    def running(self, folders: Sequence[RunFolder]) -> None:
        self.most = max(self.most, len(folders))

    def ended(self, place: RunPlace, problem: str | None) -> None:
        self.ends[place.run.slot] = problem


def slot(folder: RunFolder) -> str:
    """The name of a run for readers."""
    return read_request(folder.path).slot


def finishing(folder: RunFolder) -> int:
    """A worker that finishes its run."""
    folder.finish("done")
    return 0


@pytest.fixture
def runs() -> list[Run]:
    """Four runs, none of which waits for another."""
    return list(expand(load_experiment("smoke"), local_environment())[:4])


def test_as_many_runs_go_at_once_as_are_allowed_and_what_is_finished_is_left(
    runs: list[Run], tmp_path: Path
) -> None:
    for number in (1, 2):
        places = place_runs(runs, tmp_path)
        workers, watcher = Workers(finishing), Watcher()
        outcome = run_queue(places, "seal", workers, 3, watcher)
        assert len(outcome.finished) == 4
        assert outcome.words() == "4 of 4 runs finished"
        slots = [run.slot for run in runs]
        assert workers.together == ([slots[:3], slots[3:]] if number == 1 else [])
        assert watcher.most == (3 if number == 1 else 0)
        assert watcher.ends == (dict.fromkeys(slots) if number == 1 else {})
    assert read_request(places[0].folder.path).seal == "seal"


def test_a_failure_leaves_the_others_running_and_is_told_with_its_reason(
    runs: list[Run], tmp_path: Path
) -> None:
    """An exit code of 0 without a marker is one; a diverged run has finished."""
    ends: dict[str, End] = {
        runs[0].slot: lambda _: 1,
        runs[1].slot: lambda _: 0,
        runs[2].slot: lambda folder: folder.finish("diverged", "loss is inf") or 0,
        runs[3].slot: finishing,
    }
    watcher = Watcher()
    workers = Workers(lambda folder: ends[slot(folder)](folder))
    outcome = run_queue(place_runs(runs, tmp_path), None, workers, 4, watcher)
    assert [(place.run.slot, why) for place, why in outcome.failed] == [
        (runs[0].slot, "code 1"),
        (runs[1].slot, "code 0"),
    ]
    assert outcome.words() == (
        "2 of 4 runs finished, 1 of them diverged; 2 failed, why is said above"
    )
    assert watcher.ends == {
        runs[0].slot: "code 1",
        runs[1].slot: "code 0",
        runs[2].slot: None,
        runs[3].slot: None,
    }


def test_a_damaged_folder_is_told_and_the_others_run(runs: list[Run], tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "smoke" / runs[0].folder
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    outcome = run_queue(place_runs(runs, tmp_path), None, Workers(finishing), 4, Watcher())
    assert len(outcome.finished) == 3
    ((place, why),) = outcome.failed
    assert place.run.id == runs[0].id
    assert str(folder) in why


def chained(runs: list[Run]) -> list[Run]:
    """Two runs, of which the first in the list starts from the second."""
    first = next(run for run in runs if run.steps)
    parent = Parent(id=first.id, slot=first.slot)
    return [first.model_copy(update={"parent": parent, "condition_id": "after"}), first]


def adapted(folder: RunFolder) -> int:
    """A worker that leaves what another run can start from."""
    for name in ("adapter/adapter_config.json", "steps/000000.parquet"):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text(name)
    return finishing(folder)


def test_a_run_waits_for_the_one_that_it_starts_from(runs: list[Run], tmp_path: Path) -> None:
    after, first = chained(runs)
    workers = Workers(adapted)
    outcome = run_queue(place_runs([after, first], tmp_path), None, workers, 2, Watcher())
    assert outcome.failed == []
    assert workers.together == [[first.slot], [after.slot]]
    origin = outcome.finished[-1].folder.start.path
    assert (origin / "adapter" / "adapter_config.json").read_text() == "adapter/adapter_config.json"


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda folder: folder.finish("diverged", "diverged at step 3") or 0, "diverged at step 3"),
        (lambda _: 1, "is not finished; run it too"),
    ],
    ids=["diverged", "failed"],
)
def test_a_run_whose_start_never_comes_is_given_up(
    runs: list[Run], tmp_path: Path, end: End, told: str
) -> None:
    after, first = chained(runs)
    workers, watcher = Workers(end), Watcher()
    run_queue(place_runs([after, first], tmp_path), None, workers, 2, watcher)
    assert workers.together == [[first.slot]]
    reason = watcher.ends[after.slot]
    assert reason is not None
    assert reason.startswith(f"starts from {first.slot}, which ")
    assert told in reason


def test_an_interruption_stops_every_worker(runs: list[Run], tmp_path: Path) -> None:
    def interrupt(_: RunFolder) -> int:
        raise KeyboardInterrupt

    workers = Workers(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_queue(place_runs(runs, tmp_path), None, workers, 3, Watcher())
    assert [job.stopped for job in workers.jobs] == [True] * 3


def test_a_second_interruption_changes_nothing_while_workers_are_stopped() -> None:
    before = {number: signal.getsignal(number) for number in INTERRUPTS}
    with unstoppable():
        for number in INTERRUPTS:
            signal.raise_signal(number)
    assert {number: signal.getsignal(number) for number in INTERRUPTS} == before
