"""Tests of two proportions and correlations, beside statsmodels and scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from repro.claims.algebra.interval import Interval, point
from repro.claims.algebra.proportions import correlate, is_share, two_proportions
from repro.geometry.undefined import Undefined


@pytest.mark.parametrize(("a", "b"), [(79, 60), (68, 96), (17, 96), (100, 100)])
def test_two_proportions_agree_with_statsmodels(a: int, b: int) -> None:
    shares = [(point(k / 164), 164) for k in (a, b)]
    z, p = proportions_ztest([a, b], [164, 164])
    low, high = confint_proportions_2indep(a, 164, b, 164, method="wald", compare="diff")
    for statistic, value in (
        ("z", z),
        ("p_two", p),
        ("p_one", stats.norm.sf(z)),
        ("ci_low", 100 * low),
        ("ci_high", 100 * high),
    ):
        ours = two_proportions(statistic, shares[0], shares[1])
        assert isinstance(ours, Interval)
        assert ours.middle == pytest.approx(float(value), abs=1e-6)


def test_nothing_solved_against_nothing_solved_has_no_z() -> None:
    assert isinstance(two_proportions("z", (point(0), 164), (point(0), 164)), Undefined)


def test_a_rank_correlation_agrees_with_scipy_and_widens_where_prints_tie() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=6), random.normal(size=6)
    exact = correlate("spearman", [point(v) for v in x], [point(v) for v in y])
    assert isinstance(exact, Interval)
    assert exact.middle == pytest.approx(float(stats.spearmanr(x, y).statistic))
    blurred = correlate("spearman", [Interval(v - 0.5, v + 0.5) for v in x], [point(v) for v in y])
    assert isinstance(blurred, Interval)
    assert blurred.low < exact.low <= exact.high < blurred.high
    assert not math.isclose(blurred.low, blurred.high)


@given(st.floats(0.05, 0.9), st.floats(0.05, 0.9), st.floats(0, 0.05), st.floats(0, 1))
def test_the_z_of_any_shares_inside_lies_inside(
    a: float, b: float, width: float, at: float
) -> None:
    first, second = Interval(a, a + width), Interval(b, b + width)
    found = two_proportions("z", (first, 50), (second, 80))
    assert isinstance(found, Interval)
    one, two = 50 * (a + at * width), 80 * (b + (1 - at) * width)
    z = float(proportions_ztest([one, two], [50, 80])[0])
    assert found.low - 1e-9 <= z <= found.high + 1e-9


def test_a_count_beyond_its_total_and_an_unknown_one_test_nothing() -> None:
    right, beyond = (point(0.5), 164), (point(1.1), 164)
    assert two_proportions("z", right, beyond) == Undefined("a count lies beyond its total")
    missing = Undefined("not printed")
    assert two_proportions("z", right, missing) == two_proportions("z", missing, right) == missing
    assert not is_share(point(0.5), 0)


def test_pearson_moves_with_the_decimals_and_holds_that_of_the_middles() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 3.2, 3.7]
    found = correlate("pearson", [Interval(v - 0.05, v + 0.05) for v in x], [point(v) for v in y])
    assert isinstance(found, Interval)
    assert found.low < float(stats.pearsonr(x, y).statistic) < found.high


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [([1, 2], [1, 2], "three pairs"), ([1, 1, 1], [1, 2, 3], "does not vary")],
)
def test_too_few_pairs_or_constant_ones_have_no_correlation(
    first: list[float], second: list[float], words: str
) -> None:
    found = correlate("spearman", [point(v) for v in first], [point(v) for v in second])
    assert isinstance(found, Undefined)
    assert words in found.reason
