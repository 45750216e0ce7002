"""Speeds are those of the machine: work over the time that the middle one of its repetitions took."""

from time import process_time

import pytest
import torch

from repro.train.speeds import _took, speeds

CORE = torch.device("cpu")


@pytest.mark.worker
def test_every_speed_of_a_core_is_there() -> None:
    measured = speeds("cpu", 0.05)
    assert isinstance(measured["products"], dict)
    numbers = [*measured["products"].values(), measured["moved"], measured["block"]]
    assert all(float(str(number)) > 0 for number in numbers)


@pytest.mark.worker
def test_a_call_takes_what_it_uses_of_the_processor_and_an_odd_one_out_does_not_count() -> None:
    """The first call prepares; one of the others is held up ten times as long."""
    calls: list[float] = []

    def work() -> None:
        calls.append(0.5 if len(calls) in (0, 3) else 0.02)
        end = process_time() + calls[-1]
        while process_time() < end:
            pass

    took = _took(CORE, 1.0, work)
    assert {0.5, 0.02} == set(calls[1:])
    assert 0.02 <= took < 0.5
