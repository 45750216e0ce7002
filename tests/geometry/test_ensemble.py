"""Many designs at once: each draw is what the slow way makes of it, copies of a probe included."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from repro.geometry.diagnosis import diagnose
from repro.geometry.ensemble import accuracies, intensities, residual_operators, weighted_rows
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array, Undefined

Design = Callable[..., tuple[Array, dict[str, list[str]]]]


def test_rows_are_centred_on_their_weighted_mean(design: Design) -> None:
    X, _ = design(0, 12, 5)
    weights = np.stack([np.ones(12), np.r_[np.full(6, 3.0), np.zeros(6)]])
    rows = weighted_rows(X, weights)
    np.testing.assert_allclose(rows[0], X - X.mean(axis=0))
    np.testing.assert_allclose(rows[1, :6], np.sqrt(3) * (X[:6] - X[:6].mean(axis=0)))
    np.testing.assert_allclose(rows[1, 6:], 0)


def test_an_operator_is_the_residual_of_the_weighted_ridge(design: Design) -> None:
    X, _ = design(1, 10, 4)
    weights = np.random.default_rng(0).integers(1, 4, (3, 10)).astype(float)
    alpha, rows = 0.7, weighted_rows(X, weights)
    operators = residual_operators(rows, weights, alpha)
    for row, w, operator in zip(rows, weights, operators, strict=True):
        ridge = row @ np.linalg.solve(row.T @ row + alpha * np.eye(4), row.T)
        intercept = np.outer(np.sqrt(w), np.sqrt(w)) / w.sum()
        np.testing.assert_allclose(alpha * operator, np.eye(10) - ridge - intercept, atol=1e-9)


@pytest.mark.parametrize(("seed", "n", "d"), [(2, 16, 6), (3, 14, 40)])
def test_a_draw_with_copies_is_the_diagnosis_of_repeated_probes_left_out_together(
    brute: ModuleType, design: Design, seed: int, n: int, d: int
) -> None:
    X, columns = design(seed, n, d, (3, 2), signal=1.2)
    labels = Labels.of(columns)
    draws = np.random.default_rng(seed).integers(1, 4, (6, n)).astype(float)
    rows = weighted_rows(X, draws)
    codes = np.broadcast_to(labels.codes, (6, *labels.codes.shape))
    operators = residual_operators(rows, draws, 1.0)
    found = intensities(rows, operators, codes, draws, labels, 1.0)
    compared = 0
    for value, weights in zip(found, draws.astype(int), strict=True):
        groups = np.repeat(np.arange(n), weights)
        repeated = [list(np.repeat(column, weights)) for column in columns.values()]
        _, _, own, D, gap = brute.damage(X[groups], repeated, groups=groups)
        expected = brute.intensity(D, own)
        if gap > 1e-8:
            compared += 1
            assert np.isnan(value) if expected is None else value == pytest.approx(expected)
    assert compared >= 3


def test_permuted_labels_have_the_accuracy_and_the_intensity_of_a_diagnosis(
    design: Design,
) -> None:
    X, columns = design(4, 20, 30, (3, 4))
    labels = Labels.of(columns)
    orders = np.stack([np.random.default_rng(i).permutation(20) for i in range(4)])
    ones = np.ones((4, 20))
    rows = weighted_rows(X, ones)
    operators = residual_operators(rows, ones, 1.0)
    codes = labels.codes[orders]
    shares = accuracies(operators, codes, labels)
    values = intensities(rows, operators, codes, ones, labels, 1.0)
    for order, share, value in zip(orders, shares, values, strict=True):
        expected = diagnose(X, {name: [c[i] for i in order] for name, c in columns.items()})
        assert share == pytest.approx(list(expected.accuracy.values()))
        ei = expected.entanglement_intensity
        assert np.isnan(value) if isinstance(ei, Undefined) else value == pytest.approx(ei)
