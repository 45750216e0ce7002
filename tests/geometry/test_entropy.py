"""Entanglement profiles against decompositions of the whole matrix, quimb's matrix product states,
and states known by heart.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quimb.tensor import MatrixProductState

from repro.errors import InputError
from repro.geometry.entropy import (
    factors,
    middle,
    most,
    product_profile,
    profile,
    profile_distance,
    valley_depth,
    volume_law_slope,
)
from repro.geometry.undefined import Array, Undefined

SIZES = st.sampled_from([1, 2, 3, 4, 6, 7, 8, 12, 16, 20, 30])


def by_svd(M: Array) -> Array:
    """Entropies from the singular values of the matrix, reshaped at every cut."""
    state = (M / np.linalg.norm(M)).reshape(-1)
    found, left = [], 1
    for site in (factors(M.shape[0]) + factors(M.shape[1]))[:-1]:
        left *= site
        weights = np.linalg.svd(state.reshape(left, -1), compute_uv=False) ** 2
        weights = weights[weights > 0]
        found.append(-float(weights @ np.log(weights)))
    return np.array(found)


def draw(p: int, q: int, r: int, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng([p, q, r, seed])
    return random.normal(size=(p, r)), random.normal(size=(r, q))


@given(SIZES, SIZES, st.integers(1, 5))
def test_profiles_are_those_of_whole_decompositions(p: int, q: int, r: int) -> None:
    B, A = draw(p, q, r)
    if len(factors(p) + factors(q)) < 2:
        with pytest.raises(InputError, match="cannot be cut"):
            profile(B @ A)
        return
    expected = by_svd(B @ A)
    assert profile(B @ A) == pytest.approx(expected, abs=1e-10)
    assert product_profile(B, A) == pytest.approx(expected, abs=1e-10)
    assert (expected <= most(p, q, min(r, p, q)) + 1e-9).all(), "no state of this rank has more"


@pytest.mark.parametrize(("p", "q", "r"), [(64, 64, 4), (128, 32, 8), (60, 42, 3)])
def test_profiles_are_quimbs(p: int, q: int, r: int) -> None:
    B, A = draw(p, q, r)
    M = B @ A
    state = MatrixProductState.from_dense(
        (M / np.linalg.norm(M)).reshape(-1), dims=factors(p) + factors(q)
    )
    # quimb counts in bits
    expected = [float(state.entropy(cut)) * np.log(2) for cut in range(1, state.L)]
    assert product_profile(B, A) == pytest.approx(expected, abs=1e-8)
    assert profile(M) == pytest.approx(expected, abs=1e-8)


def test_a_product_state_has_none() -> None:
    rows, columns = np.ones(1), np.ones(1)
    random = np.random.default_rng(1)
    for site in factors(24):
        rows = np.kron(rows, random.normal(size=site))
    for site in factors(40):
        columns = np.kron(columns, random.normal(size=site))
    assert profile(np.outer(rows, columns)) == pytest.approx(np.zeros(7), abs=1e-12)
    assert product_profile(rows[:, None], columns[None]) == pytest.approx(np.zeros(7), abs=1e-12)
    assert profile(np.outer(rows, columns) + np.eye(24, 40)).max() > 0.1, "the control"


def test_the_identity_is_maximally_entangled_between_rows_and_columns() -> None:
    """Each row site is entangled with its own column site: S grows by ln 2 to the middle, and falls
    again.
    """
    found = profile(np.eye(32))
    assert found == pytest.approx(np.log(2) * np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]), abs=1e-12)
    assert found == pytest.approx(most(32, 32), abs=1e-12)
    interleaved = profile(np.eye(32), interleaved=True)
    assert interleaved == pytest.approx(
        np.log(2) * np.array([1, 0, 1, 0, 1, 0, 1, 0, 1]), abs=1e-12
    )
    assert volume_law_slope(found, 32) is not None
    assert valley_depth(found, 32) == pytest.approx(-np.log(2))


def test_interleaved_sites_are_those_of_a_matrix_with_its_digits_moved() -> None:
    """12 = 2·2·3 and 10 = 2·5: the order is 2, 2, 2, 5, 3."""
    M = draw(12, 10, 4)[0] @ draw(12, 10, 4)[1]
    moved = M.reshape(2, 2, 3, 2, 5).transpose(0, 3, 1, 4, 2)
    left, expected = 1, []
    for site in (2, 2, 2, 5):
        left *= site
        weights = np.linalg.svd(moved.reshape(left, -1) / np.linalg.norm(M), compute_uv=False) ** 2
        expected.append(-float(weights @ np.log(np.where(weights > 0, weights, 1.0))))
    assert profile(M, interleaved=True) == pytest.approx(expected, abs=1e-10)


def test_a_batch_is_its_members() -> None:
    pairs = [draw(16, 12, 3, seed) for seed in range(4)]
    B, A = (np.stack(parts) for parts in zip(*pairs, strict=True))
    for batch in (
        product_profile(B, A),
        profile(B @ A),
        profile((B @ A).reshape(2, 2, 16, 12)).reshape(4, -1),
    ):
        for found, (b, a) in zip(batch, pairs, strict=True):
            assert found == pytest.approx(by_svd(b @ a), abs=1e-10)


@given(st.floats(1e-150, 1e150))
def test_a_factor_changes_nothing(factor: float) -> None:
    B, A = draw(8, 6, 2)
    assert product_profile(B * factor, A) == pytest.approx(by_svd(B @ A), abs=1e-9)


def test_what_has_no_entropy_is_refused_or_undefined() -> None:
    for M in (np.zeros((4, 4)), np.full((4, 4), np.nan), np.full((4, 4), np.inf)):
        with pytest.raises(InputError, match="no entropy"):
            profile(M)
    assert profile(np.full((4, 4), 1e300) * np.eye(4)) == pytest.approx(profile(np.eye(4))), (
        "squares beyond doubles"
    )
    M = np.random.default_rng(2).normal(size=(7, 16))
    assert isinstance(valley_depth(profile(M), 7), Undefined)
    assert isinstance(volume_law_slope(profile(M), 7), Undefined)
    assert middle(16) == 3
    assert profile_distance(np.array([0.0, 1.0]), np.array([0.0, 3.0])) == pytest.approx(2**0.5)


def test_random_factors_have_a_valley_too() -> None:
    """So a valley alone is no sign of training: between rows and columns S is at most ln r."""
    B, A = draw(256, 256, 8)
    found = product_profile(B, A)
    depth = valley_depth(found, 256)
    assert not isinstance(depth, Undefined)
    assert depth > 1
    assert found[middle(256)] <= np.log(8)
    whole = valley_depth(profile(np.random.default_rng(3).normal(size=(256, 256))), 256)
    assert not isinstance(whole, Undefined)
    assert whole < 0, "the control: a full matrix has none"
