"""Seeds that all agree: how many others they leave open, and what runs that differ then prove."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.verify.judge.zero_spread import (
    agreeing_base,
    agreeing_seeds,
    no_spread,
    others_among_ours,
    share_bound,
)
from repro.verify.verdict import MeasuredCell, Verdict
from tests.verify.judge.test_promises import here, measured, paper
from tests.verify.judge.test_promises import judged as judged_on
from tests.verify.judge.test_promises import outcome as outcome_of

AFTER = {"model": "m", "condition": "B3", "step": 5000}
BASE = {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
DETERMINISTIC = {
    "printed": "deterministic",
    "statistic": "equals",
    "of": "sd",
    "where": {"equals": 0},
    **AFTER,
}
Judged = Callable[..., list[Verdict]]
Outcome = Callable[..., str]


@pytest.mark.parametrize(
    ("after", "expected"),
    [([0.0] * 2, "inconclusive"), ([0.0] * 8, "consistent"), ([0.4, 0.4], "contradicted"), ([0.4], "inconclusive"),
     ([0.0, 0.0, 0.4], "inconclusive")],
)  # fmt: skip
def test_seeds_that_all_agree_bound_the_share_of_others_and_are_no_certainty(
    outcome: Outcome, judged: Judged, after: list[float], expected: str
) -> None:
    """Of 8 zeros and 2 others the others are all ours in 1 of 45 cases; 8 zeros of ours leave 31 %
    others open.
    """
    assert (
        outcome(judged({"printed": "0.000 ± 0.000", **AFTER}, BASE, SEEDS, after=after), "c0")
        == expected
    )


@pytest.mark.parametrize(
    ("printed", "seeds", "ours", "p"),
    [
        ("0.000 ± 0.000", 8, [0.188], 1 / 9),
        ("0.000 ± 0.000", 3, [0.2, 0.0], 2 / 5),
        ("1.000 ± 0.000", 5, [0.4] * 2, 1 / 21),
    ],
)
def test_what_n_of_n_seeds_do_is_judged_by_the_share_it_leaves_open(
    printed: str, seeds: int, ours: list[float], p: float
) -> None:
    claims = paper({"printed": printed, **AFTER}, {"printed": "0.600", "statistic": "mean", "model": "m", "step": 0},
                   {"printed": str(seeds), "statistic": "count", **AFTER})  # fmt: skip
    found, _ = judged_on(claims, measured(here(ours)))
    assert found.p == pytest.approx(p)
    assert (found.outcome == "contradicted") == (p * claims[0].tests < 0.05)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [([0.0] * 2, "inconclusive"), ([0.0] * 8, "consistent"), ([0.5] * 8, "consistent"), ([0.0, 0.0, 0.188], "inconclusive"),
     ([0.0, 0.2, 0.4, 0.5, 0.6, 0.7], "contradicted")],
)  # fmt: skip
def test_deterministic_is_never_shown_by_runs_that_agree(ours: list[float], expected: str) -> None:
    claims = paper(DETERMINISTIC, {"printed": "8", "statistic": "count", **AFTER})
    assert outcome_of(claims, here(ours)) == expected


@given(st.integers(1, 60))
def test_agreeing_runs_leave_open_the_share_that_would_agree_in_five_percent(runs: int) -> None:
    assert stats.binom.pmf(0, runs, share_bound(runs)) == pytest.approx(0.05)


@given(st.integers(0, 12), st.integers(1, 12), st.integers(1, 12))
def test_others_fall_among_ours_as_often_as_draws_without_replacement(
    others: int, ours: int, theirs: int
) -> None:
    """More others than we have runs are never all ours."""
    if others > ours + theirs:
        return
    chance = stats.hypergeom.pmf(others, ours + theirs, ours, others)
    assert others_among_ours(others, ours, theirs) == pytest.approx(chance, abs=1e-12)


def test_one_run_that_differs_is_laplaces_rule_of_succession() -> None:
    assert others_among_ours(1, 1, 8) == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("difference", "outcome"),
    [(0.01, "consistent"), (-0.01, "consistent"), (0.011, "inconclusive")],
)
def test_one_measurement_of_a_base_model_is_never_more_than_consistent(
    difference: float, outcome: str
) -> None:
    judged = agreeing_base(difference, 0.01, "0.95")
    assert (judged.outcome, judged.p) == (outcome, None)
    assert judged.reason.startswith("0.95: one measurement of the base model")


@pytest.mark.parametrize(("runs", "words"), [(1, "one run shows none"), (4, "our runs all agree")])
def test_without_any_spread_nothing_is_decided(runs: int, words: str) -> None:
    cell = MeasuredCell(name="c", mean=0.5, sd=0.0 if runs > 1 else None, runs=runs)
    judged = no_spread((cell,), "0.5")
    assert judged.outcome == "inconclusive"
    assert words in judged.reason


def test_an_agreed_value_that_is_not_printed_cannot_be_differed_from() -> None:
    """The change is printed with seeds that agree; whose value is not."""
    cell = MeasuredCell(
        name="c",
        mean=0.5,
        sd=None,
        runs=1,
        slope=2.0,
        printed_sd=0.0,
        printed_seeds=8,
        values=(0.5,),
    )
    other = cell.model_copy(update={"name": "d", "printed_sd": None})
    (claim, *_) = paper({"printed": "0.100", **AFTER})
    found, estimated = judged_on([claim], measured(here([0.5])))
    assert found.outcome == "inconclusive"
    two = estimated.model_copy(update={"cells": (cell, other)})
    judged = agreeing_seeds(claim, two)
    assert judged.outcome == "inconclusive"
    assert "the value that they agree on is not printed" in judged.reason
