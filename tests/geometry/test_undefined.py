"""What stands where there is no number: a reason, which is equal to no number."""

import dataclasses

import pytest

from repro.geometry.undefined import NotRun, Undefined


def test_what_is_undefined_is_no_number_and_never_false() -> None:
    none = Undefined("no direction damages its own concept")
    assert bool(none)
    with pytest.raises(TypeError):
        float(none)  # type: ignore[arg-type]  # that it is refused is the promise


def test_equal_reasons_are_equal_and_what_was_not_run_is_told_apart() -> None:
    assert Undefined("no value") == Undefined("no value") != Undefined("another")
    assert isinstance(NotRun("no value"), Undefined)
    assert NotRun("no value") != Undefined("no value")


def test_a_reason_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Undefined("no value").reason = "another"  # type: ignore[misc]  # the promise
