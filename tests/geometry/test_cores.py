"""Entropies out of an MPS adapter's cores, against the dense matrix and quimb."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from repro.errors import InputError
from repro.geometry.cores import cores_profile
from repro.geometry.entropy import entropies, factors, product_profile, profile

sizes = some.integers(1, 12)


def drawn(
    p: int, r: int, d1: int, bond: int, d2: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """B and two cores."""
    random = np.random.default_rng(seed)
    shapes = ((p, r), (r, d1, bond), (bond, d2))
    B, first, second = (random.normal(size=shape) for shape in shapes)
    return B, first, second


@settings(max_examples=150, deadline=None)
@given(
    p=sizes,
    r=some.integers(1, 6),
    d1=sizes,
    bond=some.integers(1, 6),
    d2=sizes,
    seed=some.integers(0, 9),
)
def test_they_are_those_of_the_dense_matrix_over_the_same_sites(
    p: int, r: int, d1: int, bond: int, d2: int, seed: int
) -> None:
    B, first, second = drawn(p, r, d1, bond, d2, seed)
    sites = factors(p) + factors(d1) + factors(d2)
    if len(sites) < 2:
        return
    dense = np.einsum("pr,rac,cb->pab", B, first, second)
    assert cores_profile(B, first, second) == pytest.approx(
        entropies(dense.reshape(-1), sites), abs=1e-9
    )


def test_they_are_those_of_lora_where_the_sites_ascend_and_another_order_elsewhere() -> None:
    for d1, d2, same in ((8, 8, True), (4, 12, True), (6, 6, False)):
        B, first, second = drawn(16, 5, d1, 3, d2)
        A = (first @ second).reshape(5, -1)
        found = cores_profile(B, first, second)
        for expected in (product_profile(B, A), profile(B @ A)):
            assert np.allclose(found, expected, atol=1e-10) is same
            assert found[: len(factors(16))] == pytest.approx(
                expected[: len(factors(16))], abs=1e-10
            )


@pytest.mark.worker
def test_they_are_quimbs() -> None:
    tensor = pytest.importorskip("quimb.tensor")
    B, first, second = drawn(16, 5, 6, 3, 6)
    dense = (B @ (first @ second).reshape(5, -1)).reshape(-1)
    sites = factors(16) + factors(6) + factors(6)
    state = tensor.MatrixProductState.from_dense(dense / np.linalg.norm(dense), dims=sites)
    expected = [float(state.entropy(cut)) * np.log(2) for cut in range(1, state.L)]
    assert cores_profile(B, first, second) == pytest.approx(np.array(expected), abs=1e-8)


def test_the_bond_bounds_the_cut_between_the_cores_and_the_rank_that_before_them() -> None:
    B, first, second = drawn(64, 4, 8, 2, 8)
    found = cores_profile(B, first, second)
    assert found[5] <= np.log(4) + 1e-12
    assert found[8] <= np.log(2) + 1e-12
    assert profile(np.random.default_rng(0).normal(size=(64, 64)))[8] > np.log(4)


def test_an_update_of_zero_has_none() -> None:
    B, first, second = drawn(16, 4, 4, 2, 4)
    with pytest.raises(InputError, match="a matrix of zeros"):
        cores_profile(0 * B, first, second)
