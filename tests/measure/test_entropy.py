"""The profile of a matrix or an update beside that of random ones of its shape and rank."""

import json

import numpy as np
import pytest

from repro.errors import InputError
from repro.geometry.entropy import most, product_profile, profile
from repro.geometry.gaussian import gaussian_product_profile, gaussian_profile
from repro.geometry.undefined import Array, Undefined
from repro.measure.entropy import Profile, of_matrix, of_update, record
from repro.measure.updates import Update


def drawn(*shape: int, seed: int = 0) -> Array:
    """Return a Gaussian matrix."""
    return np.random.default_rng(seed).normal(size=shape)


def test_a_matrix_of_low_rank_stands_beside_random_ones_of_its_rank() -> None:
    """Of full rank, beside Gaussian ones: the two baselines are far apart in the middle."""
    random = np.random.default_rng(0)
    B, A = random.normal(size=(16, 2)), random.normal(size=(2, 24))
    low, full = of_matrix(B @ A, "low"), of_matrix(random.normal(size=(16, 24)), "full")
    assert (low.rank, full.rank) == (2, 16)
    assert low.entropy == pytest.approx(product_profile(B, A))
    assert (low.baseline == gaussian_product_profile(16, 24, 2)).all()
    assert (full.baseline == gaussian_profile(16, 24)).all()
    assert low.bound[3] == pytest.approx(np.log(2))
    assert full.bound[3] == pytest.approx(np.log(16))


def test_an_update_is_its_product_beside_random_products_of_its_rank() -> None:
    B, A = drawn(16, 4), drawn(4, 24, seed=1)
    found = of_update(Update("layer", B, A))
    assert isinstance(found, Profile)
    assert (found.name, found.p, found.q, found.rank) == ("layer", 16, 24, 4)
    assert found.entropy == pytest.approx(profile(B @ A))
    assert (found.baseline == gaussian_product_profile(16, 24, 4)).all()
    assert (found.bound == most(16, 24, 4)).all()
    assert found.sites == (2, 2, 2, 2, 2, 2, 2, 3)


@pytest.mark.parametrize(
    ("B", "A", "words"),
    [
        (np.zeros((4, 2)), drawn(2, 6), "the update is zero, as before training"),
        (np.eye(4, 2), np.array([[0.0] * 6, [0.0] * 6]), "the update is zero, as before training"),
        (np.eye(4, 2)[:, [0, 0]] * [1, -1], np.ones((2, 6)), "zero"),
        (np.ones((1, 2)), np.ones((2, 3)), "cannot be cut"),
    ],
)
def test_an_update_without_a_profile_says_why(B: Array, A: Array, words: str) -> None:
    found = of_update(Update("layer", B, A))
    assert isinstance(found, Undefined)
    assert words in found.reason


def test_a_matrix_without_a_profile_is_refused() -> None:
    with pytest.raises(InputError):
        of_matrix(np.zeros((4, 4)), "zeros")
    with pytest.raises(InputError, match="cannot be cut"):
        of_matrix(np.ones((1, 3)), "prime")


def test_a_record_has_one_entropy_a_cut_and_survives_json() -> None:
    found = of_matrix(drawn(16, 24), "mine")
    held = json.loads(json.dumps(record(found), allow_nan=False))
    assert (held["name"], held["shape"], held["rank"], held["unit"]) == (
        "mine",
        [16, 24],
        16,
        "nat",
    )
    assert np.prod(held["sites"][: held["row_sites"]]) == 16
    assert np.prod(held["sites"][held["row_sites"] :]) == 24
    cuts = len(held["sites"]) - 1
    assert held["entropy"] == pytest.approx(list(found.entropy))
    assert {len(held[key]) for key in ("entropy", "bound")} == {cuts}
    assert held["baseline"]["entropy"] == pytest.approx(list(gaussian_profile(16, 24)))
    assert held["baseline"]["draws"] == 3


def test_what_does_not_exist_is_null_with_its_reason() -> None:
    """Two prime sides have one cut, at the middle: no valley around it, no slope before it."""
    held = record(of_matrix(drawn(5, 7), "mine"))
    assert held["valley_depth"] is None
    assert set(held["undefined"]) >= {"valley_depth", "baseline.valley_depth"}
    assert all(reason for reason in held["undefined"].values())
    whole = record(of_matrix(drawn(16, 24), "mine"))
    assert whole["undefined"] == {}
    assert whole["valley_depth"] is not None
    low = product_profile(drawn(16, 2), drawn(2, 24, seed=1))
    assert record(of_matrix(drawn(16, 2) @ drawn(2, 24, seed=1), "x"))["entropy"] == pytest.approx(
        list(low)
    )
