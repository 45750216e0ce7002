"""The calibration itself: its laws are what they say, a broken promise is noticed, a kept one is
not.
"""

from pathlib import Path

import numpy as np
import pytest

from calibration.kinds import KINDS, Truth, outcome_of
from calibration.papers import code
from calibration.promises import promises
from calibration.rates import ABSENT, PAPER, Rate, Setting, full, quick, simulate
from calibration.seeds import LAWS
from calibration.tables import BEGIN, END, write_tables
from repro.verify.judge import counts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", LAWS)
def test_every_law_has_the_mean_and_the_spread_it_is_asked_for(name: str) -> None:
    values = LAWS[name](np.random.default_rng(0), 0.5, 0.06, 400_000)
    assert values.mean() == pytest.approx(0.5, abs=0.001)
    assert values.std() == pytest.approx(0.06, rel=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_judged_and_does_not_contradict_the_truth_as_a_rule(kind: str) -> None:
    rate = simulate(Setting(kind, "normal", "true", 8, 8, 40))
    assert sum(rate.counts.values()) == 40
    assert set(rate.counts) <= {"reproduced", "consistent", "contradicted", "inconclusive"}
    assert rate.of("contradicted") <= 0.2


@pytest.mark.parametrize(
    "kind", ["mean ± SD", "relative change", "no effect", "significant", "equals", "zero print"]
)
def test_the_opposite_is_contradicted(kind: str) -> None:
    """The control of the test above: the same studies, with the effect absent from our runs."""
    assert simulate(Setting(kind, "normal", "none", 8, 8, 40)).of("contradicted") > 0.8


def rate(kind: str, truth: str, outcome: str, share: float, law: str = "normal") -> Rate:
    return Rate(Setting(kind, law, truth, 8, 8, 400), {outcome: round(400 * share)})


@pytest.mark.parametrize(
    ("given", "broken"),
    [
        (rate("falls", "true", "contradicted", 0.05), False),
        (rate("falls", "true", "contradicted", 0.12), True),
        (rate("falls", "true", "contradicted", 0.12, "two clusters"), False),
        (rate("falls", "true", "contradicted", 0.20, "two clusters"), True),
        (rate("falls", "none", "reproduced", 0.12), True),
        (rate("falls", "none", "contradicted", 0.99), False),
        (rate(PAPER, "true", "1", 0.05), False),
        (rate(PAPER, "true", "1", 0.42), True),
        (rate(PAPER, ABSENT, "1", 0.81), False),
        (rate(PAPER, ABSENT, "1", 0.50), True),
    ],
)
def test_a_broken_promise_is_noticed(given: Rate, broken: bool) -> None:
    assert [promise.broken for promise in promises([given])] == [broken]


def test_a_judge_that_forgets_a_rule_breaks_its_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of runs judged at one third instead of one twentieth."""
    setting = Setting("share of seeds", "normal", "true", 8, 8, 300)
    assert not any(promise.broken for promise in promises([simulate(setting)]))
    monkeypatch.setattr(counts, "SIGNIFICANCE", 0.6)
    assert all(promise.broken for promise in promises([simulate(setting)]))


def test_the_same_setting_gives_the_same_counts() -> None:
    setting = Setting("ordering", "skewed", "true", 3, 3, 30)
    assert simulate(setting) == simulate(setting)


def test_a_paper_whose_headline_effect_is_absent_ends_with_1() -> None:
    rng = np.random.default_rng(3)
    assert code(Truth(rng, LAWS["normal"], 1.0, 8, 8), absent=True) == 1
    assert outcome_of(KINDS["falls"], Truth(rng, LAWS["normal"], 0.0, 3, 3)) in (
        "inconclusive",
        "reproduced",
        "contradicted",
    )


def test_the_plans_hold_every_kind_and_every_law() -> None:
    planned, small = list(full()), list(quick())
    assert len(set(planned)) == len(planned)
    assert (
        {setting.kind for setting in planned}
        == {*KINDS, PAPER}
        == {setting.kind for setting in small}
    )
    assert {setting.law for setting in planned} == set(LAWS)


def test_the_tables_of_the_page_are_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "calibration.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_tables(
        [simulate(Setting("falls", "normal", "true", 3, 3, 10)), rate(PAPER, "true", "1", 0.01)],
        page,
    )
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| falls |" in text
    published = (ROOT / "docs" / "calibration.md").read_text()
    assert f"{BEGIN}\n\n20" in published, "with a date"
    assert all(f"| {kind} |" in published for kind in KINDS)
