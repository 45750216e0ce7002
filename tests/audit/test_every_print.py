"""Papers that agree with themselves, in every form of print: no alarm. The same with one wrong
number: found.

REPRO_PAPERS: how many are tried (`make prints`: 200).
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.audit import Check, audit
from repro.claims.papers import load_paper

PAPERS = int(os.environ.get("REPRO_PAPERS", "24"))
FOUND = 0.97
"""Share of planted errors that the audit has to find."""


@pytest.fixture(scope="module")
def printed_paper(helper: Callable[[str], ModuleType]) -> ModuleType:
    return helper("audit/printed_paper.py")


def checks_of(paper: Any, folder: Path) -> tuple[Check, ...]:
    home = folder / "paper"
    home.mkdir(exist_ok=True)
    for name, text in zip(("paper.yaml", "claims.yaml"), paper.text(), strict=True):
        (home / name).write_text(text)
    return audit(load_paper(home).claims)


def alarms(checks: tuple[Check, ...]) -> list[str]:
    return [
        f"{check.id}: {check.explanation}" for check in checks if check.verdict == "inconsistent"
    ]


@pytest.mark.worker
def test_papers_in_every_form_of_print_raise_no_alarm(
    printed_paper: ModuleType, tmp_path: Path
) -> None:
    decided: Counter[str] = Counter()
    wrong = []
    for seed in range(PAPERS):
        checks = checks_of(printed_paper.PrintedPaper(seed), tmp_path)
        wrong += [f"paper {seed}: {alarm}" for alarm in alarms(checks)]
        decided.update(check.check for check in checks if check.verdict == "consistent")
    assert not wrong, "\n".join(wrong[:10])
    kinds = {
        "mean",
        "sd",
        "spread",
        "mean_interval",
        "in_brackets",
        "same_value",
        "ratio",
        "relative_change",
    }
    assert set(decided) >= kinds | {"difference", "percentage", "p", "z", "count", "extreme"}


def test_one_wrong_number_in_them_is_found(printed_paper: ModuleType, tmp_path: Path) -> None:
    rng, missed = random.Random(7), []
    for seed in range(PAPERS):
        name = rng.choice(printed_paper.PrintedPaper(seed).plan)
        if not alarms(checks_of(printed_paper.PrintedPaper(seed, name), tmp_path)):
            missed.append(f"paper {seed}: {name}")
    assert len(missed) <= (1 - FOUND) * PAPERS + 1e-9, missed
