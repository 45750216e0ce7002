"""Similarity of domains, and debiased CKA against its own definition."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

from repro.errors import InputError
from repro.geometry import Labels, Undefined
from repro.geometry.similarity import (
    binary_accuracy,
    centroid_cosine,
    debiased_cka,
    similarity,
    subspace_dimension,
    subspace_overlap,
)


def hsic_by_counting(K, L):
    """Unbiased HSIC as the mean over all ordered distinct quadruples (Gretton et al. 2005; Song et al. 2012)."""
    total, count = 0.0, 0
    for i, j, q, r in permutations(range(len(K)), 4):
        total += K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q])
        count += 1
    return total / count


@pytest.mark.parametrize("seed", range(3))
def test_debiased_cka_equals_the_count_over_quadruples(seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(8, 5)) + 3, rng.normal(size=(8, 7))
    K, L = X @ X.T, Y @ Y.T
    expected = hsic_by_counting(K, L) / np.sqrt(hsic_by_counting(K, K) * hsic_by_counting(L, L))
    assert debiased_cka(X, Y) == pytest.approx(expected)


def test_cka_is_one_for_a_rotated_copy_and_centred_on_zero_for_strangers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 30))
    Q = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    assert debiased_cka(X, 5 * X @ Q + 2) == pytest.approx(1.0)
    strangers = [debiased_cka(rng.normal(size=(20, 200)), rng.normal(size=(20, 200))) for _ in range(100)]
    assert abs(np.mean(strangers)) < 4 * np.std(strangers) / 10


def test_cka_of_different_texts_or_of_nothing_is_refused():
    with pytest.raises(InputError, match="same texts"):
        debiased_cka(np.ones((5, 2)), np.ones((6, 2)))
    assert isinstance(debiased_cka(np.ones((5, 2)), np.ones((5, 2))), Undefined)


def test_overlap_is_one_inside_the_same_subspace_and_zero_across_orthogonal_ones():
    rng = np.random.default_rng(0)
    A, B = np.zeros((20, 12)), np.zeros((20, 12))
    A[:, :5], B[:, :5] = rng.normal(size=(20, 5)), rng.normal(size=(20, 5))
    assert subspace_overlap(A, B) == pytest.approx(1.0)
    assert subspace_overlap(A, np.roll(B, 6, axis=1)) == pytest.approx(0.0, abs=1e-12)
    half = np.zeros((20, 12))
    half[:, [0, 6]] = rng.normal(size=(20, 2))
    assert 0 < subspace_overlap(A, half) < 1


def test_binary_accuracy_is_that_of_refitted_ridges():
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(12, 4)), rng.normal(size=(10, 4)) + 0.8
    X, Y = np.vstack([A, B]), np.repeat(np.eye(2), [12, 10], axis=0)
    rows = np.arange(22)
    predicted = [Ridge(alpha=1.0).fit(X[rows != i], Y[rows != i]).predict(X[i : i + 1])[0].argmax() for i in rows]
    assert binary_accuracy(A, B) == np.mean(predicted == Y.argmax(axis=1))


def test_three_equal_domains_have_centroid_cosine_minus_a_half_whatever_they_are():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 400)) + 20 * np.repeat(rng.normal(size=(3, 400)), 20, axis=0)
    found = similarity(X, Labels.of({"domain": ["a"] * 20 + ["b"] * 20 + ["c"] * 20}))
    assert found.centroid_cosine_by_construction == -0.5
    assert found.centroid_cosine == pytest.approx(-0.5, abs=0.03)
    assert found.binary_accuracy == 1.0
    assert len(found.pairs) == 3


def test_cosines_are_those_of_scikit_learn():
    X = np.random.default_rng(3).normal(size=(12, 5)) + 1
    found = similarity(X, Labels.of({"domain": ["a"] * 6 + ["b"] * 6}))
    cosines = cosine_similarity(X - X.mean(axis=0))
    assert found.cosine_between == pytest.approx(cosines[:6, 6:].mean())
    distinct = np.triu_indices(6, 1)
    assert found.cosine_within == pytest.approx(
        (cosines[:6, :6][distinct].mean() + cosines[6:, 6:][distinct].mean()) / 2
    )


def test_a_centroid_at_the_grand_mean_has_no_cosine():
    assert isinstance(centroid_cosine(np.array([[1.0], [-1.0]]), np.ones((2, 1))), Undefined)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_dimension_of_a_subspace_is_that_of_scikit_learns_pca(share):
    X = np.random.default_rng(3).normal(size=(40, 60)) * np.geomspace(5, 0.1, 60) + 7
    assert subspace_dimension(X, share) == PCA(n_components=share, svd_solver="full").fit(X).n_components_


def test_three_directions_are_three_and_an_offset_is_none():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(80, 3)) @ np.linalg.qr(rng.normal(size=(50, 3)))[0].T + 100
    assert subspace_dimension(X, 1.0) == 3
    assert isinstance(subspace_dimension(np.full((5, 4), 2.0)), Undefined)
