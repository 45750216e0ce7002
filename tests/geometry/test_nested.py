"""Directions found without the probe they are tested on, beside readouts that are fitted anew."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from repro.geometry.labels import Labels
from repro.geometry.nested import Folds, folds, frozen_scores, refit_scores
from repro.geometry.ridge import Spectrum, spectrum
from repro.geometry.undefined import Array

Design = Callable[..., tuple[Array, dict[str, list[str]]]]
ALPHA = 0.5


def found_in(X: Array, labels: Labels) -> tuple[Spectrum, Array, Folds]:
    """Return the rows, their operator and the directions of every training fold."""
    rows = spectrum(X)
    operator = rows.residual_operator(ALPHA)
    return rows, operator, folds(rows, operator, labels, labels.nominal_rank)


@pytest.fixture(params=[(0, 14, 6), (1, 12, 30)])
def case(request: Any, design: Design) -> tuple[Array, dict[str, list[str]]]:
    """Activations with labels: more probes than features, and fewer."""
    seed, n, d = request.param
    return design(seed, n, d, (3, 2), signal=0.8, offset=0.5)


def test_scores_are_those_of_readouts_fitted_without_the_probe(
    brute: ModuleType, case: tuple[Array, dict[str, list[str]]]
) -> None:
    X, columns = case
    labels, Y = Labels.of(columns), brute.onehot(list(columns.values()))
    rows, operator, found = found_in(X, labels)
    refit, frozen = (
        refit_scores(rows, operator, labels, found, ALPHA),
        frozen_scores(rows, operator, labels, found),
    )
    assert refit.shape == frozen.shape == (labels.nominal_rank, *Y.shape)
    for i in range(len(X)):
        rest = np.arange(len(X)) != i
        mu, nu, W = brute.fit(X[rest], Y[rest], ALPHA)
        U, _, V = brute.svd(W)
        owns = brute.first_of_equals(brute.loadings(V, list(columns.values())))
        assert list(found.own[i, : len(owns)]) == list(owns)
        for a, u in enumerate(U.T):
            x = X[i] - mu
            np.testing.assert_allclose(frozen[a, i], (x - (x @ u) * u) @ W + nu, atol=1e-9)
            Z = brute.without(X, u)
            m2, n2, W2 = brute.fit(Z[rest], Y[rest], ALPHA)
            np.testing.assert_allclose(refit[a, i], (Z[i] - m2) @ W2 + n2, atol=1e-9)


def test_a_fold_of_lower_rank_removes_nothing_in_the_missing_place() -> None:
    """One feature has one direction: in the second place nothing is removed."""
    X = np.arange(8.0)[:, None] ** 2
    labels = Labels.of({"a": list("xxyyzzxy")})
    rows, operator, found = found_in(X, labels)
    refit = refit_scores(rows, operator, labels, found, ALPHA)
    before = labels.onehot - operator @ labels.onehot / np.diagonal(operator)[:, None]
    assert found.U.shape[2] == len(refit) == 1
    assert not np.allclose(refit[0], before)
    none = Folds(0 * found.U, 0 * found.heights, found.own)
    np.testing.assert_allclose(refit_scores(rows, operator, labels, none, ALPHA)[0], before)
    np.testing.assert_allclose(frozen_scores(rows, operator, labels, none)[0], before)
