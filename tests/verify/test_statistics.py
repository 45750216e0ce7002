"""Intervals and tests against scipy and statsmodels, and their stated levels against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from repro.verify.statistics import (
    SIGNIFICANCE,
    Comparison,
    Spread,
    against_margin,
    against_printed,
    compare_parts,
    equivalence_rate,
    rejection_rate,
    smallest_detectable,
    t_quantile,
    t_tail,
    tost,
)


def welch(difference, cells, margin):
    """Compare a difference with none, by the spread of each cell that it combines."""
    own = tuple((cell.sd**2 / cell.n, cell.df) for cell in cells)
    return compare_parts(difference, own, own, margin)


def mean_of(theirs: np.ndarray, ours: np.ndarray, margin: float) -> Comparison:
    """The comparison of two samples as it is made from a printed mean ± SD."""
    n, m = len(theirs), len(ours)
    spread = Spread(float(theirs.std(ddof=1)), n - 1, n)
    own = Spread(float(ours.std(ddof=1)), m - 1, m) if m > 1 else None
    return against_printed(float(ours.mean() - theirs.mean()), [spread], [own], [m], margin)


@given(st.floats(0.001, 0.999), st.floats(1, 200))
def test_quantiles_and_tails_of_t_are_scipys(probability: float, df: float) -> None:
    assert t_quantile(probability, df) == pytest.approx(
        stats.t.ppf(probability, df), rel=1e-6, abs=1e-9
    )
    assert t_tail(1.3, df) == pytest.approx(stats.t.sf(1.3, df), rel=1e-9)


def test_infinite_degrees_of_freedom_are_the_normal() -> None:
    assert t_quantile(0.975, math.inf) == pytest.approx(1.959964, abs=1e-6)
    assert t_tail(1.959964, math.inf) == pytest.approx(0.025, abs=1e-6)


def test_the_prediction_interval_of_one_mean_is_the_written_formula() -> None:
    """t(n−1)·s·√(1/n + 1/m) with the paper's n = 3, s = 0.099 and m = 2 runs of ours."""
    comparison = against_printed(0.3, [Spread(0.099, 2, 3)], [None], [2], margin=0.07)
    assert comparison.half_width == pytest.approx(
        stats.t.ppf(0.975, 2) * 0.099 * math.sqrt(1 / 3 + 1 / 2)
    )


@given(st.integers(0, 10_000))
def test_the_equivalence_test_of_two_samples_is_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    theirs, ours = rng.normal(0, 1, 5), rng.normal(0.1, 1.4, 4)
    expected = ttost_ind(ours, theirs, -0.8, 0.8, usevar="unequal")[0]
    assert mean_of(theirs, ours, 0.8).p_equivalent == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 10_000))
def test_no_difference_is_welchs_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 1, 4), rng.normal(0.5, 2, 6)
    parts = [Spread(float(x.std(ddof=1)), len(x) - 1, len(x)) for x in (a, b)]
    comparison = welch(float(a.mean() - b.mean()), parts, 0.5)
    assert comparison.p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(3, 1), (3, 3), (8, 2), (2, 3)])
def test_one_process_falls_outside_its_interval_in_five_percent(n: int, m: int) -> None:
    rng = np.random.default_rng(7)
    outside = [
        mean_of(rng.normal(0, 1, n), rng.normal(0, 1, m), 0.1).p < SIGNIFICANCE for _ in range(2000)
    ]
    assert np.mean(outside) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(("n", "m", "spread"), [(3, 3, 0.3), (8, 3, 0.3), (8, 8, 1.0), (3, 1, 0.3)])
def test_a_truth_at_the_margin_is_called_equal_in_at_most_five_percent(
    n: int, m: int, spread: float
) -> None:
    rng = np.random.default_rng(11)
    passed = [
        mean_of(rng.normal(0, spread, n), rng.normal(1.0, spread, m), 1.0).p_equivalent
        for _ in range(2000)
    ]
    assert np.mean(np.array(passed) < SIGNIFICANCE) <= 0.065


def test_a_truth_well_inside_the_margin_is_called_equal() -> None:
    """The control of the test above: with enough runs equivalence is found."""
    rng = np.random.default_rng(11)
    passed = [
        mean_of(rng.normal(0, 0.2, 8), rng.normal(0, 0.2, 8), 1.0).p_equivalent for _ in range(200)
    ]
    assert np.mean(np.array(passed) < SIGNIFICANCE) > 0.99


def test_z_of_one_process_is_standard_normal() -> None:
    rng = np.random.default_rng(3)
    z = [mean_of(rng.normal(0, 1, 3), rng.normal(0, 1, 2), 0.1).z for _ in range(2000)]
    assert stats.kstest(z, "norm").pvalue > 0.01


def test_a_difference_at_the_detectable_size_is_found_in_eighty_percent() -> None:
    rng = np.random.default_rng(5)
    n, m = 30, 30
    size = against_printed(0.0, [Spread(1.0, n - 1, n)], [None], [m], 0.1).detectable
    found = [
        mean_of(rng.normal(0, 1, n), rng.normal(size, 1, m), 0.1).p < SIGNIFICANCE
        for _ in range(2000)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 3), (3, 8)])
def test_the_stated_detectable_difference_is_found_in_eighty_percent_of_welch_tests(
    n: int, m: int
) -> None:
    size = welch(0.0, [Spread(1, n - 1, n), Spread(1, m - 1, m)], 0.1).detectable
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (20_000, n)), rng.normal(size, 1, (20_000, m))
    found = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < SIGNIFICANCE
    assert np.mean(found) == pytest.approx(0.8, abs=0.015)


@given(st.integers(1, 40), st.floats(0.1, 6))
def test_the_power_of_one_sample_is_the_noncentral_t(df: int, shift: float) -> None:
    critical = stats.t.ppf(0.975, df)
    expected = stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift)
    assert rejection_rate(((1.0, float(df)),), shift) == pytest.approx(expected, abs=2e-3)


def test_nothing_to_detect_with_is_nothing_detectable() -> None:
    assert smallest_detectable(()) == 0.0
    assert rejection_rate((), 1.0) == 1.0


def test_the_rate_of_equivalence_is_what_simulation_finds() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, (4000, 6)), rng.normal(0.2, 1, (4000, 4))
    found = [mean_of_welch(x, y) for x, y in zip(a, b, strict=True)]
    expected = equivalence_rate(((1 / 6, 5), (1 / 4, 3)), 1.8, 0.2)
    assert np.mean(np.array(found) < SIGNIFICANCE) == pytest.approx(expected, abs=0.02)


def mean_of_welch(a: np.ndarray, b: np.ndarray) -> float:
    parts = [Spread(float(x.std(ddof=1)), len(x) - 1, len(x)) for x in (a, b)]
    return welch(float(b.mean() - a.mean()), parts, 1.8).p_equivalent


def test_a_margin_is_not_contradicted_by_a_mean_that_our_own_spread_explains() -> None:
    error = ((0.16**2 / 8, 7.0),)
    assert against_margin(0.056, error, 0.02).p > SIGNIFICANCE
    assert against_margin(0.5, error, 0.02).p < SIGNIFICANCE
    assert against_margin(0.01, error, 0.02).p == 1.0


def test_equivalence_without_error_is_exact() -> None:
    assert tost(0.1, 0.0, 5, 0.1) == 0.0
    assert tost(0.11, 0.0, 5, 0.1) == 1.0
