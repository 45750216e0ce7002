"""Similarity of domains, and debiased CKA against its own definition."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

from repro.geometry.labels import Labels
from repro.geometry.similarity import (
    binary_accuracy,
    centroid_cosine,
    similarity,
    subspace_dimension,
    subspace_overlap,
)
from repro.geometry.undefined import Undefined


def test_overlap_is_one_inside_the_same_subspace_and_zero_across_orthogonal_ones() -> None:
    rng = np.random.default_rng(0)
    A, B = np.zeros((20, 12)), np.zeros((20, 12))
    A[:, :5], B[:, :5] = rng.normal(size=(20, 5)), rng.normal(size=(20, 5))
    assert subspace_overlap(A, B) == pytest.approx(1.0)
    assert subspace_overlap(A, np.roll(B, 6, axis=1)) == pytest.approx(0.0, abs=1e-12)
    half = np.zeros((20, 12))
    half[:, [0, 6]] = rng.normal(size=(20, 2))
    assert 0 < subspace_overlap(A, half) < 1


def test_binary_accuracy_is_that_of_refitted_ridges() -> None:
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(12, 4)), rng.normal(size=(10, 4)) + 0.8
    X, Y = np.vstack([A, B]), np.repeat(np.eye(2), [12, 10], axis=0)
    rows = np.arange(22)
    predicted = [
        Ridge(alpha=1.0).fit(X[rows != i], Y[rows != i]).predict(X[i : i + 1])[0].argmax()
        for i in rows
    ]
    assert binary_accuracy(A, B) == np.mean(predicted == Y.argmax(axis=1))


def test_three_equal_domains_have_centroid_cosine_minus_a_half_whatever_they_are() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 400)) + 20 * np.repeat(rng.normal(size=(3, 400)), 20, axis=0)
    found = similarity(X, Labels.of({"domain": ["a"] * 20 + ["b"] * 20 + ["c"] * 20}))
    assert found.centroid_cosine_by_construction == -0.5
    assert found.centroid_cosine == pytest.approx(-0.5, abs=0.03)
    assert found.binary_accuracy == 1.0
    assert len(found.pairs) == 3


def test_cosines_are_those_of_scikit_learn() -> None:
    X = np.random.default_rng(3).normal(size=(12, 5)) + 1
    found = similarity(X, Labels.of({"domain": ["a"] * 6 + ["b"] * 6}))
    cosines = cosine_similarity(X - X.mean(axis=0))
    assert found.cosine_between == pytest.approx(cosines[:6, 6:].mean())
    distinct = np.triu_indices(6, 1)
    assert found.cosine_within == pytest.approx(
        (cosines[:6, :6][distinct].mean() + cosines[6:, 6:][distinct].mean()) / 2
    )


def test_a_centroid_at_the_grand_mean_has_no_cosine() -> None:
    assert isinstance(centroid_cosine(np.array([[1.0], [-1.0]]), np.ones((2, 1))), Undefined)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_dimension_of_a_subspace_is_that_of_scikit_learns_pca(share) -> None:
    X = np.random.default_rng(3).normal(size=(40, 60)) * np.geomspace(5, 0.1, 60) + 7
    assert (
        subspace_dimension(X, share)
        == PCA(n_components=share, svd_solver="full").fit(X).n_components_
    )


def test_three_directions_are_three_and_an_offset_is_none() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(80, 3)) @ np.linalg.qr(rng.normal(size=(50, 3)))[0].T + 100
    assert subspace_dimension(X, 1.0) == 3
    assert isinstance(subspace_dimension(np.full((5, 4), 2.0)), Undefined)
