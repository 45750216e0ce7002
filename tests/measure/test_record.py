"""The record of a measurement: plain numbers, and a reason for each one that does not exist."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from repro.geometry.labels import Labels
from repro.geometry.specification import Specification, SpecifiedValue
from repro.geometry.undefined import Array, Undefined
from repro.measure.compose import MeasuredActivations, measure
from repro.measure.record import MeasureRecord, QuickRecord, alone, record, specification

Planted = Callable[..., tuple[Array, dict[str, list[str]]]]
CONTEXT = {"entanglement_intensity_ci", "null", "scale_sweep", "specification"}


@pytest.fixture(scope="module")
def whole(planted: Planted) -> MeasuredActivations:
    """A measurement with everything around it, of a few draws."""
    X, columns = planted(0)
    return measure(X, Labels.of(columns), draws=20, null_draws=20)


def test_the_keys_are_those_that_are_declared(whole: MeasuredActivations, planted: Planted) -> None:
    X, columns = planted(0)
    quick = record(measure(X, Labels.of(columns), quick=True))
    assert set(quick) == set(QuickRecord.__annotations__)
    assert set(record(whole)) - set(quick) == CONTEXT
    assert set(record(whole)) == set(MeasureRecord.__annotations__)


def test_numbers_are_those_of_the_measurement_and_survive_json(whole: MeasuredActivations) -> None:
    held = json.loads(json.dumps(record(whole), allow_nan=False))
    geometry = whole.geometry
    assert held["entanglement_intensity"] == geometry.entanglement_intensity
    np.testing.assert_array_equal(held["damage"], geometry.damage)
    assert held["own"] == list(geometry.own)
    assert held["singular_values"] == geometry.singular_values.tolist()
    assert held["similarity"]["concept"] == whole.stratum == "domain"
    assert [point["scale"] for point in held["scale_sweep"]] == sorted(
        point["scale"] for point in held["scale_sweep"]
    )


def test_an_undefined_number_is_null_and_its_reason_has_its_dotted_path(planted: Planted) -> None:
    X, columns = planted(0, strengths=(0, 0, 0), d=1)
    measured = measure(1e-9 * X, Labels.of(columns), draws=5, null_draws=5)
    held = record(measured)
    assert held["entanglement_intensity"] is None
    assert held["undefined"]["entanglement_intensity"]
    for path in held["undefined"]:
        at: object = held
        for step in path.split("."):
            at = at[int(step)] if isinstance(at, list) else at[step]  # type: ignore[index]
        assert at is None, path
    assert "NaN" not in json.dumps(held)


def test_one_concept_alone_is_told_what_its_ei_says(
    whole: MeasuredActivations, planted: Planted
) -> None:
    X, columns = planted(0)
    only = measure(X, Labels.of({"domain": columns["domain"]}), quick=True)
    told = alone(only)
    assert told is not None
    assert told.startswith("'domain' is the only concept: there is no other to damage")
    assert alone(whole) is None


def reading(value: float | Undefined) -> SpecifiedValue:
    """Return EI under one reading of its definition."""
    return SpecifiedValue(Specification(), value)


def test_quantiles_are_of_the_readings_under_which_ei_is_defined() -> None:
    none = Undefined("none")
    found = specification([reading(value) for value in (2.0, none, 0.0, 1.0, -0.5)])
    assert (found["count"], found["undefined"]) == (5, 1)
    assert (found["minimum"], found["median"], found["maximum"]) == (-0.5, 0.5, 2.0)
    assert list(found["share"].values()) == [0.2, 0.2, 0.2, 0.2]
    assert [one["entanglement_intensity"] for one in found["readings"]] == [
        2.0,
        none,
        0.0,
        1.0,
        -0.5,
    ]


def test_without_a_defined_reading_there_are_no_quantiles() -> None:
    found = specification([reading(Undefined("none"))])
    expected = Undefined("EI is undefined under every specification")
    assert found["minimum"] == found["median"] == found["maximum"] == expected
    assert set(found["share"].values()) == {0.0}
