"""Stated beside measured: equal to the digits that are written, or told with both numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.evidence.measurement import Measurement
from repro.supply.folder import SentFile
from repro.supply.measured import MeasuredFile
from repro.supply.rows import Laid, lay, values_of
from repro.verify.evidence.values import SuppliedRun, SuppliedValue


def measured(value: float | None, step: int = 40, half: bool = False) -> MeasuredFile:
    run = SuppliedRun("m", "B3", 0, step, None, None, ())
    row = Measurement(
        step=step,
        quantity="ei",
        value=value,
        reason=None if value is not None else "no damage",
        n=48,
    )
    file = SentFile("x.npz", "activations", "labels.csv", run, "files.csv: line 2")
    return MeasuredFile(file, (row,), half)


def stated(text: str, step: int = 40, **changes: object) -> SuppliedValue:
    digit = 10.0 ** -len(text.partition(".")[2])
    fields = {"model": "m", "condition": "B3", "seed": 0, "step": step, "quantity": "ei"}
    return SuppliedValue(
        **{**fields, "value": float(text), "digit": digit, "place": "v.csv: line 7", **changes}  # type: ignore[arg-type]  # fields of a value
    )


def laid(text: str, value: float | None, **changes: object) -> Laid:
    return lay([stated(text, **changes)], [measured(value)])


@given(st.floats(0.001, 2), st.integers(1, 6))
def test_a_value_rounded_to_any_digits_agrees(value: float, digits: int) -> None:
    assert not laid(f"{value:.{digits}f}", value).disagreements


@given(st.floats(0.001, 2), st.integers(1, 4), st.sampled_from([-1.5, 1.5, 30]))
def test_a_value_off_by_more_than_its_rounding_is_told(
    value: float, digits: int, off: float
) -> None:
    forged = value + off * 10.0**-digits
    if forged > 0:
        [told] = laid(f"{forged:.{digits}f}", value).disagreements
        assert f"{value:.6g}" in told.line
        assert told.line.startswith("v.csv: line 7: ei (m, B3, seed 0, step 40): stated ")


def test_the_measured_value_counts_and_both_are_kept() -> None:
    found = laid("0.5", 0.9)
    [row] = found.rows
    assert (row.stated, row.measured, row.measured_from) == (0.5, 0.9, "x.npz")
    assert [value.value for value in values_of(found.rows)] == [0.9]


def test_what_the_file_gives_no_value_of_counts_for_nothing() -> None:
    found = laid("0.5", None)
    assert "gives none (no damage)" in found.disagreements[0].line
    assert values_of(found.rows) == []


def test_step_0_is_the_base_model_under_any_condition_and_seed() -> None:
    value = stated("0.5", step=0, condition="", seed=-1)
    assert lay([value], [measured(0.9, step=0)]).disagreements
    assert lay([value], [measured(0.9, step=40)]).compared == 0


def test_naming_the_probe_set_on_one_side_hides_nothing() -> None:
    assert laid("0.5", 0.9, probe_set="mine").disagreements


def test_the_same_number_in_percent_is_told_from_another_number() -> None:
    assert laid("91.7", 0.917).disagreements[0].percent
    assert not laid("0.5", 0.917).disagreements[0].percent


def test_fractions_printed_in_percent_are_compared_in_percent() -> None:
    value = stated("91.7", quantity="ei")
    assert not lay([value], [measured(0.9167)], percent={"ei"}).disagreements
    assert lay([value], [measured(0.9167)]).disagreements


@pytest.mark.parametrize(("half", "told"), [(True, 0), (False, 1)])
def test_activations_of_16_bits_are_given_their_rounding(half: bool, told: int) -> None:
    found = lay([stated("0.9213")], [measured(0.9167, half=half)])
    assert len(found.disagreements) == told
