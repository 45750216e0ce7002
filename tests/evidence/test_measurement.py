"""A row of evidence holds a number, or says why there is none."""

import math

import pytest
from pydantic import ValidationError

from repro.evidence.measurement import Measurement, measured


def test_a_measurement_has_a_value_or_a_reason_and_never_both() -> None:
    with pytest.raises(ValueError, match="either a value or the reason"):
        Measurement(step=0, quantity="q", value=1.0, reason="also", n=1)
    with pytest.raises(ValueError, match="either a value or the reason"):
        Measurement(step=0, quantity="q", value=None, n=1)


def test_a_finite_number_is_kept_as_it_is() -> None:
    row = measured(-0.1, step=3, quantity="loss", n=8, concept="code")
    assert row == Measurement(step=3, quantity="loss", value=-0.1, n=8, concept="code")
    assert row.specification == "default"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_undefined_and_never_zero(value: float) -> None:
    row = measured(value, step=0, quantity="loss", n=8)
    assert (row.value, row.reason) == (None, f"not finite ({value})")


def test_a_row_has_no_number_that_is_not_finite_and_no_field_of_another_name() -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Measurement(step=0, quantity="q", value=math.nan, n=1)
    with pytest.raises(ValidationError, match="concpet"):
        measured(1.0, step=0, quantity="q", n=1, concpet="code")
