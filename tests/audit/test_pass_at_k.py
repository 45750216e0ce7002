"""Rates of more samples beside rates of fewer: possible ones are left alone, impossible found."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import comb

from repro.audit import Check

Said = Callable[..., list[Check]]


def rates(**printed: str) -> list[dict[str, str]]:
    """Return the claims of one cell, by quantity."""
    return [{"printed": value, "quantity": name} for name, value in printed.items()]


@pytest.mark.parametrize(
    ("one", "ten", "verdict"),
    [
        ("20.0%", "55.0%", "consistent"),
        ("20.0%", "19.0%", "inconsistent"),
        ("2.0%", "21.0%", "inconsistent"),
        ("60.0%", "100.0%", "consistent"),
        ("0.0%", "0.8%", "inconsistent"),
        ("0.30", "0.27", "inconsistent"),
    ],
)
def test_ten_samples_solve_no_less_than_one_and_at_most_ten_times_as_much(
    said: Said, one: str, ten: str, verdict: str
) -> None:
    (check,) = said("pass_at_k", *rates(pass_at_1=one, pass_at_10=ten))
    assert check.verdict == verdict
    assert check.severity == ("none" if verdict == "consistent" else "substantive")


@pytest.mark.parametrize(("ten", "verdict"), [("49.0%", "consistent"), ("52.0%", "inconsistent")])
def test_ten_samples_solve_at_most_five_times_as_much_as_two(
    said: Said, ten: str, verdict: str
) -> None:
    (check,) = said("pass_at_k", *rates(pass_at_2="10.0%", pass_at_10=ten))
    assert check.verdict == verdict


@given(correct=st.lists(st.integers(0, 20), min_size=1, max_size=30))
@settings(max_examples=40)
def test_the_unbiased_estimator_is_never_called_impossible(said: Said, correct: list[int]) -> None:
    """1 − C(n − c, k)/C(n, k) of twenty samples a problem, averaged and printed to a tenth."""
    c = np.array(correct)
    printed = {
        f"pass_at_{k}": f"{100 * float(np.mean(1 - comb(20 - c, k) / comb(20, k))):.1f}%"
        for k in (1, 2, 5, 10, 20)
    }
    checks = said("pass_at_k", *rates(**printed))
    assert len(checks) == 4
    assert {check.verdict for check in checks} == {"consistent"}


def test_rates_of_different_cells_are_not_compared(said: Said) -> None:
    few, many = rates(pass_at_1="50.0%", pass_at_10="20.0%")
    assert said("pass_at_k", {**few, "model": "m"}, {**many, "model": "n"}) == []
    assert said("pass_at_k", few, {**many, "quantity": "strict_pass_at_10"}) == []
