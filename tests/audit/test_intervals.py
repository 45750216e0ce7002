"""Intervals of one mean and numbers in brackets: the reading that gives them is named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from repro.audit import Check

Said = Callable[..., list[Check]]
SCORE: dict[str, Any] = {"quantity": "score", "condition": "X"}


def runs(*printed: str, last: str, **fields: Any) -> list[dict[str, Any]]:
    """Return single runs, and what is printed as their mean with something beside it."""
    single = [{"printed": one, "seed": seed, **SCORE} for seed, one in enumerate(printed)]
    return [*single, {"printed": last, "over": "seed", **SCORE, **fields}]


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        ("3.0 (95% CI 1.04–4.96)", "consistent"),
        ("3.0 [95% CI: 1.61, 4.39]", "consistent"),
        ("3.0 (95% CI 2.04–4.96)", "inconsistent"),
        ("3.0 (95% CI 3.2–4.96)", "inconsistent"),
    ],
)
def test_the_interval_of_a_mean_is_recomputed_from_its_runs(
    said: Said, cell: str, verdict: str
) -> None:
    (check,) = said("mean_interval", *runs(*"12345", last=cell))
    assert check.verdict == verdict


@pytest.mark.parametrize("seed", range(5))
def test_students_interval_of_any_runs_is_never_called_wrong(said: Said, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 10, rng.integers(2, 8)).round(2)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    cell = f"{values.mean():.2f} (95% CI {low:.2f} to {high:.2f})"
    (check,) = said("mean_interval", *runs(*(f"{one:.2f}" for one in values), last=cell))
    assert check.verdict == "consistent", check.explanation
    assert "interval, t" in check.explanation


@pytest.mark.parametrize(
    ("inside", "verdict", "words"),
    [("1.58", "consistent", "it equals the SD"), ("9.9", "undecidable", "give it as no spread")],
)
def test_a_number_in_brackets_is_tried_and_never_held_against_the_paper(
    said: Said, inside: str, verdict: str, words: str
) -> None:
    (check,) = said("in_brackets", *runs(*"12345", last=f"3.0 ({inside})"))
    assert check.verdict == verdict
    assert words in check.explanation
    assert "its meaning not declared" in check.explanation


@pytest.mark.parametrize(
    ("inside", "verdict", "words"),
    [
        ("1.0–5.0", "consistent", "or smallest and largest"),
        ("2.0–4.0", "consistent", "equals the quartiles"),
        ("1.42–4.58", "consistent", "equals the mean ± the SD dividing by n − 1"),
        ("0.1–9.9", "undecidable", "no reading of the printed runs gives it"),
    ],
)
def test_two_numbers_in_brackets_are_tried_as_extremes_quartiles_and_ends(
    said: Said, inside: str, verdict: str, words: str
) -> None:
    (check,) = said("in_brackets", *runs(*"12345", last=f"3.0 ({inside})"))
    assert check.verdict == verdict, check.explanation
    assert words in check.explanation


def test_brackets_whose_runs_are_not_printed_are_undecidable(said: Said) -> None:
    (check,) = said("in_brackets", {"printed": "3.0 (1.58)", "over": "seed", **SCORE})
    assert check.verdict == "undecidable"
    assert "its runs are not printed" in check.explanation
