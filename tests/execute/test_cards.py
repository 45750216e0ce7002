"""With several GPUs each run gets its own, two where one does not hold it, and a card is free again
when its run ends.
"""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from repro.cli import main
from repro.evidence.folder import RunFolder
from repro.execute.cards import CardRunner, card_groups, idle_cards
from repro.execute.container import GPU_LABEL, ContainerLimits, ContainerRunner, settings
from repro.execute.device import Gpu, planned_gpus
from repro.execute.folders import place_run, place_runs, prepare
from repro.execute.local import LocalJob, LocalRunner
from repro.execute.queue import run_queue
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run

EIGHT = [Gpu("A100", 80.0, "580.65.06")] * 8


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has chosen cards."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def ladder(ending: str) -> list[Run]:
    """Runs of the scale ladder."""
    runs = expand(load_experiment("scale_ladder"), local_environment())
    return [run for run in runs if run.model.id.endswith(ending)]


def test_each_run_gets_a_card_and_a_larger_one_two() -> None:
    """A 32B run takes up to 43 GiB: one card of 80, two of 24 GiB, all there are of smaller ones;
    no card, no group.
    """
    assert card_groups(ladder("32b"), EIGHT) == [str(number) for number in range(8)]
    assert card_groups(ladder("32b"), [Gpu("4090", 24.0, "580")] * 4) == ["0,1", "2,3"]
    assert card_groups(ladder("32b"), [Gpu("tiny", 8.0, "580")] * 3) == ["0,1,2"]
    assert card_groups(ladder("32b"), []) == []
    assert card_groups([], EIGHT) == []


def test_only_the_cards_that_were_chosen_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert card_groups(ladder("7b"), EIGHT) == ["2", "5"]


def test_a_worker_sees_its_own_cards_and_gives_them_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real processes that say which cards they see: two at once have different ones, a third waits
    for none.
    """
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def program(_command: list[str], **given: object) -> "subprocess.Popen[bytes]":
        code = (
            "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['CUDA_DEVICE_ORDER'])"
        )
        started.append(real([sys.executable, "-c", code], **given))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr("repro.execute.local.subprocess.Popen", program)
    folders = [RunFolder(tmp_path / name) for name in "abc"]
    for folder in folders:
        os.mkdir(folder.path)
    runner = CardRunner(lambda group: LocalRunner(tmp_path, 1, group), ["0", "1"])
    assert runner.name == "local"
    first, second = runner.start(folders[:2])
    assert runner.free == []
    started[0].wait()
    assert (first.poll(), first.poll()) == (0, 0)
    assert runner.free == ["0"], "given back once, however often it is asked"
    second.stop()
    (third,) = runner.start(folders[2:])
    assert isinstance(third.job, LocalJob)  # type: ignore[attr-defined]
    for process in started:
        process.wait()
    said = [folder.log.read_text().strip() for folder in folders]
    assert (said[0], said[2]) == ("0 PCI_BUS_ID", "0 PCI_BUS_ID")
    assert said[1] in ("1 PCI_BUS_ID", "")  # it may have been stopped before it could speak


def test_a_card_that_is_too_small_takes_no_run_and_that_is_said() -> None:
    """Beside seven of 80 GiB one of 24: 32B goes on the seven; what would fit the eighth is told."""
    mixed = [*EIGHT[:3], Gpu("L4", 24.0, "580"), *EIGHT[:4]]
    assert card_groups(ladder("32b"), mixed) == ["0", "1", "2", "4", "5", "6", "7"]
    (line,) = idle_cards(ladder("32b"), mixed)
    assert line.startswith(
        "card 3 (L4, 24 GiB) stays idle: qwen2.5-coder-32b-B3-s0 takes up to 43 GiB; "
    )
    assert line.endswith("nothing makes it fit"), "it is in 4 bits already"
    (line,) = idle_cards([*ladder("32b"), *ladder("7b")], mixed)
    assert (
        "3 of these runs fit it, qwen2.5-coder-7b-B3-s42 first: CUDA_VISIBLE_DEVICES=3, --only"
        in line
    )
    plain = ladder("14b")[0].training.model_copy(
        update={
            "quantisation": ladder("14b")[0].training.quantisation.model_copy(
                update={"format": "none"}
            )
        }
    )
    whole = ladder("14b")[0].model_copy(update={"training": plain})
    assert "it would fit with 4-bit weights (" in next(
        idle_cards([whole], [*EIGHT, Gpu("A10", 24.0, "580")])
    )
    assert [*idle_cards(ladder("32b"), EIGHT)] == []
    assert [*idle_cards(ladder("32b"), [])] == []


EIGHT_CARDS = """#!/bin/sh
for card in 0 1 2 3 4 5 6 7; do echo "NVIDIA H100 80GB HBM3, 81559, 580.82.07"; done
"""
NOTING = """
import json, os, sys, time
from pathlib import Path
from repro.evidence.folder import RunFolder
folder, notes, together = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
note = notes / f"{folder.name}.json"
note.write_text("begun")
end = time.monotonic() + 30
while len(list(notes.iterdir())) < together and time.monotonic() < end:
    time.sleep(0.01)
begun = time.monotonic()
time.sleep(0.3)
note.write_text(json.dumps([os.environ["CUDA_VISIBLE_DEVICES"], begun, time.monotonic()]))
RunFolder(folder).finish("done")
"""
"""A worker that only notes its card and when it had it, once as many as are to start have begun."""


@pytest.fixture
def eight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose nvidia-smi shows eight cards, and workers that note theirs: where to."""
    program, notes = tmp_path / "bin" / "nvidia-smi", tmp_path / "notes"
    program.parent.mkdir()
    notes.mkdir()
    program.write_text(EIGHT_CARDS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.setattr("repro.execute.device.processor_chosen", lambda: False)

    def noting(folder: Path, *_: object) -> list[str]:
        return [sys.executable, "-c", NOTING, str(folder), str(notes), "8"]

    monkeypatch.setattr("repro.execute.local.run_command", noting)
    return notes


class Silent:
    """Shows nothing of a queue."""

    def started(self, place: object) -> None: ...
    def running(self, folders: object) -> None: ...
    def ended(self, _: object, problem: str | None) -> None:
        assert problem is None, problem


def shared_out(notes: Path) -> list[tuple[str, float, float]]:
    """Card, begin and end of every run, as its worker noted them."""
    return [tuple(json.loads(file.read_text())) for file in notes.iterdir()]


def never_two_on_one(noted: list[tuple[str, float, float]]) -> bool:
    by_card: dict[str, list[tuple[float, float]]] = {}
    for card, begin, end in sorted(noted):
        by_card.setdefault(card, []).append((begin, end))
    return all(
        before[1] <= after[0] for spans in by_card.values() for before, after in pairwise(spans)
    )


def test_eight_runs_go_side_by_side_on_eight_cards(eight: Path, tmp_path: Path) -> None:
    """Thirteen runs: eight at once, each on a card of its own; the rest as cards become free."""
    places = place_runs(expand(load_experiment("smoke"), local_environment()), tmp_path / "results")
    cards = card_groups([place.run for place in places], planned_gpus())
    assert len(cards) == 8
    runner = CardRunner(lambda group: LocalRunner(tmp_path, 1, group), list(cards))
    outcome = run_queue(places, None, runner, len(cards), Silent())
    assert (len(outcome.finished), outcome.failed) == (13, [])
    noted = shared_out(eight)
    assert {card for card, _, _ in noted} == set("01234567")
    first = sorted(noted, key=lambda one: one[1])[:8]
    assert len({card for card, _, _ in first}) == 8
    assert max(begin for _, begin, _ in first) < min(end for _, _, end in first), "side by side"
    assert never_two_on_one(noted)
    assert not never_two_on_one([*noted, (first[0][0], first[0][1], first[0][2])]), "the control"


def test_the_whole_command_puts_runs_on_cards(
    eight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`repro run` on four of the eight, one of them named twice and one hidden."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "6,1, 6,3,4,-1,0")
    monkeypatch.setattr("repro.execute.device.unusable", lambda _: None)
    monkeypatch.setattr("repro.fetch.models.fetch_models", lambda *_: None)
    monkeypatch.setattr("repro.fetch.texts.fetch_texts", lambda *_: None)
    monkeypatch.setattr("repro.fetch.texts.check_own_texts", lambda *_: None)
    monkeypatch.setattr("repro.execute.local.run_command", lambda folder, *_: [
        sys.executable, "-c", NOTING, str(folder), str(eight), "4",
    ])  # fmt: skip
    assert (
        main(
            [
                "run",
                "smoke",
                "--runner",
                "local",
                "--only",
                "tiny-qwen2*",
                "--results",
                str(tmp_path / "results"),
            ]
        )
        == 0
    )
    noted = shared_out(eight)
    assert {card for card, _, _ in noted} == set("6134")
    assert never_two_on_one(noted)


def test_a_container_has_its_card_alone(tmp_path: Path) -> None:
    """The engine is asked for that card; inside it is the first. No card, no number."""
    folder = prepare(place_run(expand(load_experiment("smoke"), local_environment())[0], tmp_path))
    for gpus, inside in (("3", "0"), ("2,5", "0,1"), ("GPU-1a2b", "0"), ("", None)):
        runner = ContainerRunner(
            None, "image", tmp_path, tmp_path, ContainerLimits(1, 1), gpus, "nvidia"
        )
        given: dict[str, Any] = settings(runner, folder, "1:1")
        assert given["environment"].get("CUDA_VISIBLE_DEVICES") == inside
        assert [one["DeviceIDs"] for one in given["device_requests"]] == (
            [gpus.split(",")] if gpus else []
        )
        assert given["labels"][GPU_LABEL] == gpus


class Going:
    """A job that never ends."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def poll(self) -> None: ...
    def stop(self) -> None: ...
    def problem(self, code: int) -> str:
        return str(code)


def test_a_run_that_is_at_work_already_keeps_its_card(tmp_path: Path) -> None:
    """It goes on without a host, in a container: a new run gets another card, whichever comes first."""
    started: list[tuple[str, str]] = []

    class Place:
        name = "docker"

        def __init__(self, group: str) -> None:
            self.group = group

        def start(self, folders: list[RunFolder]) -> list[Going]:
            started.extend((self.group, folder.path.name) for folder in folders)
            return [Going(folder) for folder in folders]

    def held(folder: RunFolder) -> str | None:
        return "0" if folder.path.name == "b" else None

    runner = CardRunner(Place, ["0", "1"], held)  # type: ignore[arg-type]  # a stand-in for an engine
    jobs = runner.start([RunFolder(tmp_path / name) for name in "ba"])
    assert started == [("0", "b"), ("1", "a")]
    assert runner.free == []
    for job in jobs:
        job.stop()
    assert runner.free == ["0", "1"]
