"""Margin: the least between-class variance that any concept has along any informative direction."""

import numpy as np
import pytest

from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.margin import between_class_variance, margin
from repro.geometry.undefined import Undefined


def test_variance_follows_the_papers_formula(design) -> None:
    X, columns = design(1, 30, 12, (3, 4))
    g, labels = diagnose(X, columns), Labels.of(columns)
    expected = np.zeros((g.rank, 2))
    for i, u in enumerate(g.directions.T):
        for j, column in enumerate(columns.values()):
            for name in set(column):
                members = X[[c == name for c in column]]
                expected[i, j] += (
                    len(members) / 30 * (u @ (members.mean(axis=0) - X.mean(axis=0))) ** 2
                )
    np.testing.assert_allclose(
        between_class_variance(X @ g.directions, labels), expected, rtol=1e-10
    )
    assert g.margin == pytest.approx(expected.min())
    assert g.weakest_concept == list(columns)[int(expected.min(axis=0).argmin())]


def test_a_concept_absent_from_a_direction_has_margin_zero_and_a_present_one_has_not() -> None:
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 3)
    labels = Labels.of({"a": [str(v) for v in codes[:, 0]], "b": [str(v) for v in codes[:, 1]]})
    along_a = (2.0 * codes[:, :1] - 1) * 3
    variance = between_class_variance(along_a, labels)
    np.testing.assert_allclose(variance, [[9.0, 0.0]], atol=1e-15)
    assert margin(along_a, labels) == (pytest.approx(0.0, abs=1e-15), "b")


def test_without_directions_there_is_no_margin() -> None:
    assert isinstance(margin(np.empty((4, 0)), Labels.of({"a": ["x", "x", "y", "y"]})), Undefined)
