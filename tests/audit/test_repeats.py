"""What is printed more than once: the prints agree, or the odd one is named with the others."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.audit import Check

Said = Callable[..., list[Check]]
LOSS: dict[str, Any] = {"quantity": "loss", "model": "m", "condition": "B1"}


@pytest.mark.parametrize(
    ("prints", "verdict"),
    [
        (("0.62", "0.622"), "consistent"),
        (("0.62", "0.622", "0.618"), "inconsistent"),
        (("0.6", "0.65"), "consistent"),
        (("0.62", "0.629"), "inconsistent"),
        (("~0.62", "0.622", "0.64"), "inconsistent"),
    ],
)
def test_a_number_printed_with_other_decimals_is_the_same_number(
    said: Said, prints: tuple[str, ...], verdict: str
) -> None:
    (check,) = said("same_value", *({"printed": one, "seed": 1, **LOSS} for one in prints))
    assert check.verdict == verdict


def test_of_three_prints_the_one_that_differs_is_named(said: Said) -> None:
    (check,) = said(
        "same_value", *({"printed": one, "seed": 1, **LOSS} for one in ("0.72", "0.62", "0.62"))
    )
    assert (check.printed, check.recomputed, check.severity) == (0.72, 0.62, "substantive")


def test_a_bare_whole_number_may_be_a_rounded_one(said: Said) -> None:
    (check,) = said("same_value", *({"printed": one, "seed": 1, **LOSS} for one in ("12", "12.3")))
    assert (check.verdict, check.severity) == ("undecidable", "rounding")


def test_bounds_are_no_prints_of_the_value(said: Said) -> None:
    prints = ({"printed": one, "seed": 1, **LOSS} for one in ("0.62", "< 0.7", "< 0.9"))
    assert said("same_value", *prints) == []


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("0.50", None),
        ("0.62", ("inconsistent", "minor")),  # of seed 0
        ("0.90", ("inconsistent", "substantive")),
    ],
)
def test_a_value_without_a_seed_is_the_mean_over_seeds_where_one_is_printed(
    said: Said, printed: str, expected: tuple[str, str] | None
) -> None:
    prints = [
        {"printed": "0.62", "seed": 0, **LOSS},
        {"printed": "0.38", "seed": 1, **LOSS},
        {"printed": "0.50", "statistic": "mean", "over": "seed", **LOSS},
    ]
    found = said("unnamed_seed", *prints, {"printed": printed, **LOSS})
    alarms = [(one.verdict, one.severity) for one in found if one.verdict != "consistent"]
    assert alarms == ([expected] if expected else [])
    assert ("the value of seed 0 alone" in "".join(one.explanation for one in found)) == (
        printed == "0.62"
    )


@pytest.mark.parametrize(("printed", "alarm"), [("0.62", False), ("0.90", True)])
def test_a_value_without_a_seed_is_that_of_some_seed_where_no_mean_is_printed(
    said: Said, printed: str, alarm: bool
) -> None:
    seeds = [{"printed": one, "seed": s, **LOSS} for s, one in enumerate(("0.62", "0.38"))]
    found = said("unnamed_seed", *seeds, {"printed": printed, **LOSS})
    assert [one.verdict for one in found] == (["inconsistent"] if alarm else [])
    if alarm:
        assert "(seed 0: 0.615 to 0.625, seed 1: 0.375 to 0.385)" in found[0].explanation


@pytest.mark.parametrize(("second", "verdict"), [("0.62", "consistent"), ("0.70", "inconsistent")])
def test_a_base_model_has_no_training_seed(said: Said, second: str, verdict: str) -> None:
    prints = [
        {"printed": "0.62", "seed": 0, "step": 0, **LOSS},
        {"printed": second, "seed": 1, "step": 0, **LOSS},
    ]
    (check,) = said("base_without_seed", *prints)
    assert check.verdict == verdict
    assert ("a base model has no training seed" in check.explanation) == (second == "0.70")
