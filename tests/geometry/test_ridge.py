"""The readout against scikit-learn, and its edges; that its scores equal a refit is in
test_refit.py.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from repro.geometry.labels import Labels
from repro.geometry.ridge import (
    accuracy,
    centred,
    first_largest,
    loo_scores,
    readout,
    reduced,
    spectrum,
)

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, d=st.integers(1, 30))
def test_without_intercept_the_scores_equal_a_refit_on_raw_activations(
    brute: ModuleType, design: Any, seed: int, d: int
) -> None:
    X, columns = design(seed, 16, d, (3, 2), offset=3.0)
    Y = Labels.of(columns).onehot
    ours = loo_scores(spectrum(X, intercept=False).residual_operator(0.7), Y)
    theirs = brute.scores(X, Y, 0.7, centre=False)
    assert np.abs(ours - theirs).max() <= 1e-9 * np.abs(theirs).max()


@pytest.mark.parametrize("d", [5, 60])
def test_readout_and_scores_agree_with_scikit_learn(design: Any, d: int) -> None:
    X, columns = design(3, 24, d, (3, 4), offset=10.0)
    Y = Labels.of(columns).onehot
    operator = spectrum(X).residual_operator(1.0)
    np.testing.assert_allclose(
        readout(spectrum(X).X, operator, Y), Ridge(alpha=1.0).fit(X, Y).coef_.T, atol=1e-11
    )
    rows = np.arange(24)
    theirs = [
        Ridge(alpha=1.0).fit(X[rows != i], Y[rows != i]).predict(X[i : i + 1])[0] for i in rows
    ]
    np.testing.assert_allclose(loo_scores(operator, Y), theirs, atol=1e-10)


@pytest.mark.parametrize("d", [6, 50])
def test_a_penalty_far_below_the_spectrum_costs_no_digits(
    brute: ModuleType, design: Any, d: int
) -> None:
    X, columns = design(1, 20, d, (3, 2), scale=1e4)
    Y = Labels.of(columns).onehot
    ours, theirs = loo_scores(spectrum(X).residual_operator(1.0), Y), brute.scores(X, Y, 1.0)
    assert np.abs(ours - theirs).max() <= 1e-9 * np.abs(theirs).max()


def test_the_order_of_probes_changes_nothing(design: Any) -> None:
    X, columns = design(5, 20, 30)
    order = np.random.default_rng(0).permutation(20)
    moved = Labels.of({name: [column[i] for i in order] for name, column in columns.items()})
    ours = loo_scores(spectrum(X).residual_operator(1.0), Labels.of(columns).onehot)
    np.testing.assert_allclose(
        loo_scores(spectrum(X[order]).residual_operator(1.0), moved.onehot), ours[order], atol=1e-10
    )


def test_ties_go_to_the_first_class_even_when_rounding_says_otherwise() -> None:
    scores = np.array([[0.5, 0.5 + 1e-13, 0.1], [0.2, 0.5 + 1e-6, 0.5]])
    assert first_largest(scores).tolist() == [0, 1]


def test_accuracy_counts_each_concept_in_its_own_block() -> None:
    labels = Labels.of({"a": ["x", "y", "x", "y"], "b": ["p", "p", "q", "q"]})
    wrong_a = labels.onehot @ np.kron(np.eye(2), [[0, 1], [1, 0]])
    mixed = np.hstack([wrong_a[:, :2], labels.onehot[:, 2:]])
    assert accuracy(mixed, labels).tolist() == [0.0, 1.0]


def test_centring_removes_an_offset_a_million_times_the_signal() -> None:
    X = np.random.default_rng(0).normal(size=(30, 7))
    far = X + 1e6
    exact = (far - 1e6) - (far - 1e6).mean(axis=0)
    np.testing.assert_allclose(centred(far), exact, atol=1e-15)
    # the positive control: one pass is not enough
    assert np.abs(far - far.mean(axis=0) - exact).max() > 1e-12


def test_reduced_coordinates_keep_every_inner_product() -> None:
    X = np.random.default_rng(0).normal(size=(9, 50))
    assert reduced(X).shape == (9, 9)
    np.testing.assert_allclose(reduced(X) @ reduced(X).T, X @ X.T, atol=1e-12)
