"""Activations become rows of evidence: the numbers of the geometry, each with its place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.diagnose.diagnostics import (
    SCALARS,
    anchor_of,
    invalid,
    measurements,
    rms_of,
    scale,
)
from repro.evidence.measurement import Measurement
from repro.geometry.diagnosis import diagnose
from repro.geometry.undefined import Array
from repro.manifest.experiment import Diagnostics
from repro.manifest.probes import load_probe_set

LABELS = load_probe_set("factorial_48").labels()


def activations(seed: int = 0) -> Array:
    """Activations of 48 probes, twelve wide, that say something of their labels."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((48, 12))
    for column, values in enumerate(LABELS.values()):
        X[:, column] += 3 * np.unique(values, return_inverse=True)[1]
    return X


def value(rows: list[Measurement], quantity: str, **where: object) -> float | None:
    """The value of the one row of a quantity at a place."""
    found = [
        row
        for row in rows
        if row.quantity == quantity and all(getattr(row, key) == at for key, at in where.items())
    ]
    (row,) = found
    return row.value


def test_every_number_of_the_geometry_has_its_row() -> None:
    X = activations()
    rows = measurements(X, LABELS, 4, Diagnostics(), None)
    geometry = diagnose(X, LABELS)
    for name in SCALARS:
        assert value(rows, name, specification="default") == pytest.approx(getattr(geometry, name))
    for index in range(geometry.rank):
        for column, concept in enumerate(geometry.concepts):
            for quantity, table in (("damage", geometry.damage), ("loading", geometry.loadings),
                                    ("accuracy_after", geometry.accuracy_after)):  # fmt: skip
                found = value(rows, quantity, direction=index, concept=concept)
                assert found == pytest.approx(table[index, column])
    assert {row.step for row in rows} == {4}
    assert {row.n for row in rows} == {48}
    assert {row.layer for row in rows} == {"post_norm"}
    places = [(row.quantity, row.specification, row.direction, row.concept) for row in rows]
    assert len(set(places)) == len(places)


def test_a_change_of_scale_alone_leaves_the_anchored_intensity() -> None:
    """Against the trace of step 0; the plain one, with its fixed penalty, moves."""
    X = activations() * 0.1
    before = measurements(X, LABELS, 0, Diagnostics(), None)
    anchor = anchor_of(before)
    assert anchor is not None
    after = measurements(7 * X, LABELS, 5, Diagnostics(), anchor)
    first, second = (
        value(rows, "entanglement_intensity", specification="anchored") for rows in (before, after)
    )
    assert first == pytest.approx(second)
    assert first == value(before, "entanglement_intensity", specification="default")
    assert anchor_of(after) == pytest.approx(49 * anchor)


def test_what_is_not_finite_is_one_undefined_intensity() -> None:
    X = activations()
    X[3, 0], X[3, 1], X[9, 2] = np.nan, np.inf, -np.inf
    (row,) = measurements(X, LABELS, 2, Diagnostics(), 1.0, "other")
    assert (row.quantity, row.value) == ("entanglement_intensity", None)
    assert row.reason == "2 of 48 activations not finite"
    assert row.probe_set == "other"


@given(st.integers(0, 5), st.floats(0.01, 100))
def test_each_scale_takes_away_what_it_says(seed: int, factor: float) -> None:
    X = activations(seed)
    X[:, 5] = 2.5
    assert scale(X, "none") is X
    assert np.sqrt(np.mean(scale(X, "unit_rms") ** 2)) == pytest.approx(1)
    assert scale(factor * X, "unit_rms") == pytest.approx(scale(X, "unit_rms"))
    found = scale(X * np.linspace(1, factor + 1, 12), "standardise")
    assert found.shape == (48, 11), "a feature that never varies says nothing"
    assert found.mean(axis=0) == pytest.approx(np.zeros(11), abs=1e-9)
    assert found.std(axis=0) == pytest.approx(np.ones(11))


def test_what_step_0_recorded_is_found_by_its_set() -> None:
    own = measurements(activations(), LABELS, 0, Diagnostics(), None)
    other = measurements(activations(1), LABELS, 0, Diagnostics(), None, "other")
    rows = [*own, *other]
    assert anchor_of(rows) == anchor_of(own) != anchor_of(rows, "other")
    assert rms_of(rows, "other") == pytest.approx(np.sqrt(np.mean(activations(1) ** 2)))
    assert anchor_of([]) is rms_of(rows, "third") is None


def test_a_diverged_checkpoint_has_no_intensity_and_keeps_its_other_numbers() -> None:
    rows = measurements(activations(), LABELS, 3, Diagnostics(), None)
    found = invalid(rows, "diverged at step 3")
    assert len(found) == len(rows)
    for before, after in zip(rows, found, strict=True):
        if before.quantity == "entanglement_intensity":
            assert (after.value, after.reason) == (None, "diverged at step 3")
        else:
            assert after == before
