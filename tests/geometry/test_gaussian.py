"""Profiles of random matrices, beside Page's mean and draws of one's own."""

import numpy as np
import pytest

from repro.geometry.entropy import factors, most, product_profile, profile
from repro.geometry.gaussian import gaussian_product_profile, gaussian_profile


def page(m: int, n: int) -> float:
    """Return Page's mean entropy, in nats, of a random state cut into m × n dimensions."""
    small, large = sorted((m, n))
    return float(sum(1 / k for k in range(large + 1, m * n + 1)) - (small - 1) / (2 * large))


@pytest.mark.parametrize(("p", "q"), [(64, 64), (32, 81), (60, 42)])
def test_a_random_matrix_has_pages_entropy_at_every_cut(p: int, q: int) -> None:
    """Page's is of complex states; real ones have a little less, 0.3 at the most in the middle."""
    found = gaussian_profile(p, q)
    sites = factors(p) + factors(q)
    sizes = np.cumprod(sites)[:-1]
    expected = np.array([page(int(size), p * q // int(size)) for size in sizes])
    assert len(found) == len(sites) - 1
    assert (np.abs(found - expected) < 0.02 + 0.1 * expected).all()
    assert (found < most(p, q, None)).all()


@pytest.mark.parametrize(("p", "q", "r"), [(64, 48, 4), (64, 48, 16)])
def test_a_product_of_factors_has_the_profile_of_others_of_its_rank(p: int, q: int, r: int) -> None:
    random = np.random.default_rng(7)
    drawn = [
        product_profile(random.normal(size=(p, r)), random.normal(size=(r, q))) for _ in range(20)
    ]
    found = gaussian_product_profile(p, q, r)
    assert np.abs(found - np.mean(drawn, axis=0)).max() < 0.06
    middle = len(factors(p)) - 1
    assert found[middle] < np.log(r) < gaussian_profile(p, q)[middle]


def test_a_baseline_depends_on_its_shape_alone() -> None:
    first = gaussian_profile(16, 24).copy()
    gaussian_profile.cache_clear()
    np.random.default_rng().normal()
    assert (gaussian_profile(16, 24) == first).all()
    assert not np.allclose(first, profile(np.ones((16, 24))))
