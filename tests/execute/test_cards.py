"""With several GPUs each run gets its own, two where one does not hold it, and a card is free again when its run ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.execute.cards import CardRunner, card_groups
from repro.execute.device import Gpu
from repro.execute.local import LocalJob, LocalRunner
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


def test_each_run_gets_a_card_and_a_larger_one_two():
    """A 32B run takes up to 43 GiB: one card of 80, two of 24 GiB, all there are of smaller ones; no card, no group."""
    assert card_groups(ladder("32b"), EIGHT) == [str(number) for number in range(8)]
    assert card_groups(ladder("32b"), [Gpu("4090", 24.0, "580")] * 4) == ["0,1", "2,3"]
    assert card_groups(ladder("32b"), [Gpu("tiny", 8.0, "580")] * 3) == ["0,1,2"]
    assert card_groups(ladder("32b"), []) == []
    assert card_groups([], EIGHT) == []


def test_only_the_cards_that_were_chosen_are_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert card_groups(ladder("7b"), EIGHT) == ["2", "5"]


def test_a_worker_sees_its_own_cards_and_gives_them_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Real processes that say which cards they see: two at once have different ones, a third waits for none."""
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def program(_command: list[str], **given: object) -> "subprocess.Popen[bytes]":
        code = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['CUDA_DEVICE_ORDER'])"
        started.append(real([sys.executable, "-c", code], **given))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr("repro.execute.local.subprocess.Popen", program)
    folders = [RunFolder(tmp_path / name) for name in "abc"]
    for folder in folders:
        os.mkdir(folder.path)
    runner = CardRunner(lambda group: LocalRunner(tmp_path, 1, group), ["0", "1"])
    assert (runner.name, runner.threads) == ("local", 1)
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
