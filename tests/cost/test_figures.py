"""Estimates read like something a person would say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.cost.figures import Range, digits, figure, write_range


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"), (1.51e-08, "under 0.01"), (0.0099, "under 0.01"), (0.01, "0.01"), (0.0512, "0.051"), (0.996, "1"),
        (1.25, "1.2"), (9.96, "10"), (99.6, "100"), (142.0, "140"), (2534.0, "2,500"), (16000.0, "16,000"), (4096, "4,100"),
    ],
)  # fmt: skip
def test_two_digits_with_thousands_set_apart(value: float, expected: str) -> None:
    assert figure(value) == expected


@given(st.floats(0.01, 1e9))
def test_no_figure_is_further_off_than_two_digits_allow(value: float) -> None:
    assert float(figure(value).replace(",", "")) == pytest.approx(value, rel=0.051)
    assert "e" not in figure(value)


def test_a_range_says_its_ends_once() -> None:
    assert write_range(Range(2500, 16000)) == "2,500–16,000"
    assert write_range(Range(12, 80), " to ") == "12 to 80"
    assert write_range(Range(1e-8, 3e-8)) == "under 0.01"
    assert write_range(Range(1e-8, 0.05)) == "up to 0.05"
    assert write_range(Range(0.8, 0.801)) == "0.8"


@given(st.floats(1e-12, 1e12))
def test_machines_get_three_digits_and_never_zero(value: float) -> None:
    assert digits(value) > 0
    assert digits(value) == pytest.approx(value, rel=0.0051)
