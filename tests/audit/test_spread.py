"""Printed spreads against their runs: the denominator is named, and what cannot be is found."""

from collections.abc import Callable
from statistics import pstdev, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.audit import Check

Said = Callable[..., list[Check]]
SCORE: dict[str, Any] = {"quantity": "score", "condition": "X"}
EI: dict[str, Any] = {"quantity": "entanglement_intensity", "model": "m", "condition": "B1"}


def runs(
    *printed: str, last: str, cell: dict[str, Any] = SCORE, **fields: Any
) -> list[dict[str, Any]]:
    """Return single runs, and what is printed as their mean and its spread."""
    single = [{"printed": one, "seed": seed, **cell} for seed, one in enumerate(printed)]
    return [*single, {"printed": last, "over": "seed", **cell, **fields}]


@pytest.mark.parametrize(
    ("spread", "fits"),
    [
        ("1.6", "the SD dividing by n − 1"),
        ("1.4", "the SD dividing by n"),
        ("0.71", "SD/√n"),
        ("1.96", "the half-width of the 95 % interval, t"),
        ("1.39", "the half-width of the 95 % interval, normal"),
        ("2.0", "half the range"),
    ],
)
def test_an_undeclared_spread_is_tried_as_each_and_the_one_that_fits_is_named(
    said: Said, spread: str, fits: str
) -> None:
    (check,) = said("sd", *runs(*"12345", last=f"3.0 ± {spread}"))
    assert check.verdict == "consistent"
    assert f"equals {fits}" in check.explanation or f"or {fits}" in check.explanation


def test_a_spread_that_is_none_of_them_is_an_alarm(said: Said) -> None:
    (check,) = said("sd", *runs(*"12345", last="3.0 ± 1.10"))
    assert (check.verdict, check.severity) == ("inconsistent", "substantive")


@pytest.mark.parametrize(
    ("kind", "printed", "verdict"),
    [
        ("se", "0.71", "consistent"),
        ("se", "1.58", "inconsistent"),
        ("ci", "1.96", "consistent"),
        ("ci", "0.71", "inconsistent"),
        ("range", "2.0", "consistent"),
        ("range", "1.58", "inconsistent"),
        ({"kind": "ci", "level": 90}, "1.51", "consistent"),
        ({"kind": "ci", "level": 90}, "1.96", "inconsistent"),
    ],
)
def test_a_declared_spread_is_held_to_its_word(
    said: Said, kind: Any, printed: str, verdict: str
) -> None:
    (check,) = said("spread", *runs(*"12345", last=f"3.0 ± {printed}", spread=kind))
    assert check.verdict == verdict


def test_what_a_declared_spread_is_instead_is_told(said: Said) -> None:
    (check,) = said("spread", *runs(*"12345", last="3.0 ± 1.58 (SE)"))
    assert "it equals the SD dividing by n − 1, which is not what" in check.explanation


@given(values=st.lists(st.integers(0, 9999), min_size=2, max_size=6), sample=st.booleans())
@settings(max_examples=40)
def test_the_sd_of_printed_runs_is_never_called_wrong(
    said: Said, values: list[int], sample: bool
) -> None:
    printed = [f"{value / 100:.2f}" for value in values]
    spread = (stdev if sample else pstdev)([value / 100 for value in values])
    mean = sum(values) / 100 / len(values)
    (check,) = said("sd", *runs(*printed, last=f"{mean:.2f} ± {spread:.2f} (SD)"))
    assert check.verdict == "consistent", check.explanation


def test_a_paper_that_divides_by_n_here_and_by_n_minus_1_there_is_told_so(said: Said) -> None:
    first = runs(*"12345", last="3.00 ± 1.58 (SD)")
    second = runs(*"12345", last="3.00 ± 1.41 (SD)", cell={**SCORE, "condition": "Y"})
    assert said("sd_denominator", *first) == []
    (check,) = said("sd_denominator", *first, *second)
    assert (check.verdict, check.severity) == ("inconsistent", "minor")


@pytest.mark.parametrize(
    ("spread", "verdict"),
    [("0.18", "consistent"), ("0.05", "inconsistent"), ("0.35", "inconsistent")],
)
def test_runs_that_cannot_be_negative_leave_room_for_some_sds_alone(
    said: Said, spread: str, verdict: str
) -> None:
    """Beside 0.4 two runs share 0.2: from 0.1 and 0.1 (SD 0.173) to 0.2 and 0 (SD 0.2)."""
    found = said(
        "sd_possible",
        {"printed": "three", "statistic": "count", **EI},
        {"printed": "0.40", "seed": 0, "step": 500, **EI},
        {"printed": f"0.20 ± {spread} (SD)", "over": "seed", "step": 500, **EI},
    )
    assert [check.verdict for check in found] == [verdict]


def test_a_run_that_has_collapsed_counts_as_zero(said: Said) -> None:
    """Of 0.3, 0 and 0.3 the SD is 0.173; without the zero it could be as small as nothing."""
    found = said(
        "sd_possible",
        {"printed": "three", "statistic": "count", **EI},
        {"printed": "400", "seed": 1, **EI, "quantity": "collapse_step"},
        {"printed": "0.20 ± 0.05 (SD)", "over": "seed", "step": 500, **EI},
    )
    assert [check.verdict for check in found] == ["inconsistent"]
    assert "1 are known (1: 0)" in found[0].explanation


@pytest.mark.parametrize(
    ("mean", "spread", "verdict"),
    [
        ("0.50", "0.15", "consistent"),
        ("0.50", "0.25", "inconsistent"),
        ("0.80", "0.15", "inconsistent"),
    ],
)
def test_no_sd_exceeds_what_the_extremes_allow_and_no_mean_leaves_them(
    said: Said, mean: str, spread: str, verdict: str
) -> None:
    """Of five runs from 0.30 to 0.70 the SD is at most 0.2·√(5/4) = 0.224."""
    found = said(
        "range",
        {"printed": "five", "statistic": "count", **SCORE},
        {"printed": f"{mean} ± {spread} (SD)", "over": "seed", **SCORE},
        *(
            {"printed": value, "statistic": end, "over": "seed", **SCORE}
            for end, value in (("min", "0.30"), ("max", "0.70"))
        ),
    )
    assert [check.verdict for check in found] == [verdict]
