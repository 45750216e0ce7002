"""Formulas computed over intervals: arithmetic and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.algebra.formula import compute
from repro.claims.algebra.interval import Category, Interval, Value, point
from repro.errors import ManifestError
from repro.geometry.undefined import Undefined

NAMED: dict[str, Value] = {
    "hidden_size": point(896.0),
    "loss": Interval(1.5, 2.5),
    "unknown": Undefined("not printed: unknown"),
    "weakest": Category("syntax"),
}


def value_of(formula: str) -> Value:
    """Compute a formula over a few named values."""
    return compute(formula, NAMED.__getitem__)


@pytest.mark.parametrize(
    ("formula", "value"),
    [("3 * 4 * 4", 48), ("(7 - 3) / 3", 4 / 3), ("2 ** 3 - 1", 7), ("-2 + 5", 3),
     ("hidden_size - 9", 887), ("2 ** -1", 0.5)],
)  # fmt: skip
def test_a_formula_is_arithmetic(formula: str, value: float) -> None:
    found = value_of(formula)
    assert isinstance(found, Interval)
    assert found.middle == pytest.approx(value)


@given(st.floats(0, 1), st.floats(0, 1))
def test_names_and_rounded_numbers_carry_their_decimals(at: float, other: float) -> None:
    found = value_of("loss * rounded(1.20) - loss")
    loss, rounded = 1.5 + at, 1.195 + 0.01 * other
    assert isinstance(found, Interval)
    assert found.low <= loss * rounded - loss <= found.high
    exact = value_of("rounded(1.20)")
    assert isinstance(exact, Interval)
    assert (exact.low, exact.high) == pytest.approx((1.195, 1.205))
    assert math.isclose(exact.high - exact.low, 0.01)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [("unknown + 1", "not printed: unknown"), ("2 * weakest", "not a number"),
     ("1 / (loss - 2)", "the denominator may be zero")],
)  # fmt: skip
def test_what_cannot_be_known_is_undefined_with_its_reason(formula: str, reason: str) -> None:
    assert value_of(formula) == Undefined(reason)


@pytest.mark.parametrize(
    "formula", ["__import__('os')", "3 +", "max(1, 2)", "1 if 2 else 3", "3 % 2", "'a' * 3"]
)
def test_a_formula_is_nothing_but_arithmetic(formula: str) -> None:
    with pytest.raises(ManifestError, match="formula"):
        value_of(formula)
