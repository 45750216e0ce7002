"""Fits of entropies against lengths, beside statsmodels; laws that are told apart, and too little
to tell.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from repro.geometry.area_law import Fit, entropy_fits
from repro.geometry.undefined import Undefined

LENGTHS = np.repeat([16.0, 32.0, 64.0, 128.0, 256.0], 3)
LAWS = {"constant": lambda T: 0 * T, "logarithmic": np.log, "linear": lambda T: T / 100}


def noisy(law: str, seed: int = 0) -> np.ndarray:
    """Entropies under a law, with a little noise."""
    return (
        0.3
        + 0.4 * LAWS[law](LENGTHS)
        + 0.02 * np.random.default_rng(seed).standard_normal(len(LENGTHS))
    )


def fits(entropies: np.ndarray) -> dict[str, Fit]:
    found = entropy_fits(LENGTHS, entropies)
    assert not isinstance(found, Undefined)
    return dict(found)


@pytest.mark.parametrize("law", ["logarithmic", "linear"])
def test_the_law_behind_the_entropies_has_the_smallest_aic(law: str) -> None:
    found = fits(noisy(law))
    assert min(found, key=lambda name: found[name].aic) == law
    assert found[law].intercept == pytest.approx(0.3, abs=0.05)
    assert found["logarithmic"].slope == pytest.approx(0.4, abs=0.02) or law != "logarithmic"


def test_a_plain_area_law_is_the_constant_in_most_draws() -> None:
    """A needless slope costs 2 and gains the square of a standard normal number: it wins in about
    16 % of draws.
    """
    won = [
        min(found := fits(noisy("constant", seed)), key=lambda name: found[name].aic)
        for seed in range(60)
    ]
    assert 0.6 < np.mean([name == "constant" for name in won]) < 0.97


@given(some.integers(0, 10_000))
def test_they_are_least_squares_and_differ_by_aic_as_statsmodels_has_it(seed: int) -> None:
    models = pytest.importorskip("statsmodels.api")
    y = noisy("logarithmic", seed)
    found = fits(y)
    theirs = {
        "constant": models.OLS(y, np.ones(len(y))).fit(),
        "logarithmic": models.OLS(y, models.add_constant(np.log(LENGTHS))).fit(),
        "linear": models.OLS(y, models.add_constant(LENGTHS)).fit(),
    }
    for name, fit in theirs.items():
        assert fits(y)[name].aic - found["linear"].aic == pytest.approx(
            fit.aic - theirs["linear"].aic, abs=1e-8
        )
        expected = [fit.params[0], fit.params[1] if name != "constant" else 0.0]
        assert [found[name].intercept, found[name].slope] == pytest.approx(expected, abs=1e-9)


def test_too_few_points_or_lengths_tell_nothing() -> None:
    for lengths in ([16.0, 32.0, 64.0], [16.0, 16.0, 32.0, 32.0]):
        found = entropy_fits(np.array(lengths), np.ones(len(lengths)))
        assert isinstance(found, Undefined)
    assert isinstance(entropy_fits(np.array([16.0, 32.0, 64.0, 128.0]), np.ones(4)), dict)
