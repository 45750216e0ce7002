"""The published figures of each check are what a rerun gives, and decide what a check may say."""

from pathlib import Path

import pytest

from calibration.audit.further import random_paper
from calibration.audit.load import load
from calibration.audit.measure import accuracies, clean
from calibration.audit.page import BEGIN, END, broken, table, write
from calibration.audit.plants import PLANTS
from repro.audit import audit
from repro.audit.accuracy import (
    ACCURACY_FILE,
    Accuracy,
    measured_accuracy,
)
from repro.claims.papers import load_claims

ROOT = Path(__file__).parents[2]


def figures(alarmed: int) -> Accuracy:
    return Accuracy(
        clean_papers=200, alarmed_papers=alarmed, clean_checks=900, found={"large": (30, 30)}
    )


def test_the_page_shows_the_shipped_figures() -> None:
    page = (ROOT / "docs" / "audit.md").read_text()
    shown = page.split(BEGIN)[1].split(END)[0]
    assert shown.split("\n\n", 1)[1].strip() == "\n".join(table(measured_accuracy()))


def test_the_shipped_figures_keep_every_promise() -> None:
    assert broken(measured_accuracy()) == []
    assert min(one.clean_papers for one in measured_accuracy().values()) >= 200


@pytest.mark.worker
def test_a_small_rerun_agrees_with_the_shipped_figures() -> None:
    again = accuracies(2, 1)
    assert set(again) == set(measured_accuracy()) == {plant.check for plant in PLANTS}
    assert broken(again) == []


@pytest.mark.worker
def test_every_check_that_is_heard_was_measured() -> None:
    said = {check.check for check in audit(load_claims())} | {
        check.check for check in audit(load(random_paper(1).fields))
    }
    assert said - {"in_brackets"} <= set(
        measured_accuracy()
    )  # in_brackets is never held against a paper


def test_a_paper_with_an_error_is_no_clean_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the clean papers: the counter sees an alarm where there is one."""
    paper = random_paper(3)
    fields = [
        {**each, "printed": "9.999", "says": "9.999"}
        if each["note"].startswith("mean after")
        else each
        for each in paper.fields
    ]
    paper.fields = fields
    monkeypatch.setattr("calibration.audit.measure.random_paper", lambda _: paper)
    _, alarmed, alarms = clean([3])
    assert alarmed["mean"] == 1
    assert alarms


def test_a_broken_promise_is_told_and_both_files_are_written(tmp_path: Path) -> None:
    page, shipped = tmp_path / "audit.md", tmp_path / "accuracy.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    known = {
        "mean": figures(1),
        "sd": Accuracy(clean_papers=9, alarmed_papers=0, clean_checks=9, found={"large": (9, 10)}),
    }
    write(known, page, shipped)
    assert len(broken(known)) == 2
    assert "| `mean` | 1 of 200 |  |  | 30 of 30 |" in page.read_text()
    assert page.read_text().endswith("after\n")
    assert shipped.read_text().count("clean_papers") == 2
    assert ACCURACY_FILE.is_file()
