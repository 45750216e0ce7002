"""Copied rows and habits of rounding are seen; measurements that chance made alike are not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from repro.audit import Check, audit
from repro.audit.duplicates import digits_of, is_measurement
from repro.audit.prints import PrintedNumbers

Read = Callable[..., PrintedNumbers]
NAMES = ("activation_rms", "damage", "loss", "csr_loss")
MEASURED = {"unverifiable": None, "measured_by": "smoke", "model": "m", "condition": "B2"}


def table(values: Any) -> list[dict[str, Any]]:
    """Return a table of four quantities, a row for each seed."""
    return [
        {"printed": f"{value:.2f}", "quantity": name, "seed": seed, "step": 500, **MEASURED}
        for seed, row in enumerate(values)
        for name, value in zip(NAMES, row, strict=True)
    ]


@pytest.fixture(scope="module")
def numbers() -> Any:
    """Forty rows of four measurements without an error."""
    return np.random.default_rng(5).uniform(1, 9, (40, 4)).round(2)


def alarms(read: Read, values: Any) -> list[Check]:
    """Return the checks of a table that raise an alarm."""
    checks = audit(read(*table(values)).claims)
    return [check for check in checks if check.verdict == "inconsistent"]


def test_a_copied_row_and_a_habit_of_rounding_are_seen_and_chance_is_not(
    read: Read, numbers: Any
) -> None:
    copied = numbers.copy()
    copied[7] = copied[3]
    assert alarms(read, numbers) == []
    assert {one.check for one in alarms(read, copied)} == {"duplicated_rows"}
    assert {one.check for one in alarms(read, (numbers * 20).round() / 20)} == {"last_digits"}


def test_a_copied_row_is_named_with_the_row_it_repeats(read: Read, numbers: Any) -> None:
    copied = numbers.copy()
    copied[7] = copied[3]
    (check,) = alarms(read, copied)
    assert check.severity == "minor"
    assert "of seed 7 are those of seed 3, digit for digit" in check.explanation
    assert len(check.inputs) == 8


def test_one_equal_number_is_no_copied_row(read: Read, numbers: Any) -> None:
    alike = numbers.copy()
    alike[7, :1] = alike[3, :1]
    assert alarms(read, alike) == []


def test_rows_that_the_paper_calls_identical_are_no_alarm(read: Read, numbers: Any) -> None:
    copied = numbers.copy()
    copied[7] = copied[3]
    told = [
        {"printed": "the same", "quantity": name, "statistic": "identical", "over": "seed"}
        for name in NAMES
    ]
    checks = audit(read(*table(copied), *told).claims)
    assert [check for check in checks if check.check == "duplicated_rows"] == []


@pytest.mark.parametrize(
    ("printed", "digits", "measured"),
    [("0.0215", 3, True), ("2.10", 3, True), ("0.4", 1, False), ("12", 0, False)],
)
def test_a_measurement_has_two_digits_or_more_and_is_not_whole(
    read: Read, printed: str, digits: int, measured: bool
) -> None:
    (claim,) = read({"printed": printed, "quantity": "loss", "seed": 1, **MEASURED}).claims
    assert (digits_of(claim), is_measurement(claim)) == (digits, measured)


def test_the_base_models_numbers_are_no_measurements_of_a_run(read: Read) -> None:
    (claim,) = read({"printed": "0.215", "quantity": "loss", "step": 0, **MEASURED}).claims
    assert not is_measurement(claim)
