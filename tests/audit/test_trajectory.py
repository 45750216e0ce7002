"""Collapse steps against printed trajectories: something is left before, nothing from it on."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.audit import Check

Said = Callable[..., list[Check]]
RUN: dict[str, Any] = {"model": "m", "condition": "B1"}


def trajectory(values: dict[int, str], **fields: Any) -> list[dict[str, Any]]:
    """Return the printed values of a run, by step."""
    return [
        {"printed": value, "quantity": "entanglement_intensity", "step": step, **RUN, **fields}
        for step, value in values.items()
    ]


@pytest.mark.parametrize(
    ("values", "verdict", "words"),
    [
        (
            {1000: "0.30", 2000: "0.10", 3000: "0.000"},
            "consistent",
            "the printed trajectory agrees",
        ),
        ({2000: "0.10", 3000: "0.05"}, "inconsistent", "but step 3000 is still above 0"),
        (
            {1000: "0.30", 2000: "0.000", 3000: "0.000"},
            "inconsistent",
            "but step 2000 is 0 already",
        ),
        # what lies between a zero and the collapse is not printed, and may have been above
        ({1000: "0.30", 2000: "0.000"}, "consistent", "the printed trajectory agrees"),
        ({}, "undecidable", "no trajectory of it is printed"),
    ],
)
def test_a_collapse_step_is_held_against_the_printed_trajectory(
    said: Said, values: dict[int, str], verdict: str, words: str
) -> None:
    step = {"printed": "3000", "quantity": "collapse_step", "seed": 1, **RUN}
    (check,) = said("collapse_trajectory", *trajectory(values, seed=1), step)
    assert (check.verdict, check.severity == "substantive") == (verdict, verdict == "inconsistent")
    assert words in check.explanation


def test_the_trajectory_of_another_seed_says_nothing(said: Said) -> None:
    step = {"printed": "3000", "quantity": "collapse_step", "seed": 1, **RUN}
    (check,) = said("collapse_trajectory", *trajectory({3000: "0.30"}, seed=2), step)
    assert check.verdict == "undecidable"


@pytest.mark.parametrize(("second", "verdict"), [("0.000", "consistent"), ("0.05", "inconsistent")])
def test_a_step_by_which_all_seeds_have_collapsed_is_that_of_the_last(
    said: Said, second: str, verdict: str
) -> None:
    prints = [
        *trajectory({2000: "0.20", 3500: "0.000"}, seed=0),
        *trajectory({2000: "0.20", 3500: second}, seed=1),
    ]
    step = {
        "printed": "3500",
        "quantity": "collapse_step",
        "statistic": "max",
        "over": "seed",
        "among": [0, 1],
        **RUN,
    }
    (check,) = said("collapse_trajectory", *prints, step)
    assert check.verdict == verdict, check.explanation
