"""Standard deviations, correlations, z and counts: scipy as oracle, levels by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.verify.scales import (
    STATISTICS,
    against_correlation,
    against_count,
    against_order_statistic,
    against_sd,
    against_z,
    fisher,
)
from repro.verify.statistics import SIGNIFICANCE


@given(st.floats(0.2, 5), st.integers(2, 12), st.integers(2, 12))
def test_the_ratio_of_deviations_is_an_f_test(ratio: float, n: int, m: int) -> None:
    below = stats.f.cdf(ratio**2, m - 1, n - 1)
    assert against_sd(1.0, n, ratio, m, 3.0).p == pytest.approx(2 * min(below, 1 - below), rel=1e-6)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (8, 2), (8, 8)])
def test_deviations_of_one_process_differ_in_five_percent(n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    theirs, ours = (
        rng.normal(size=(2000, n)).std(1, ddof=1),
        rng.normal(size=(2000, m)).std(1, ddof=1),
    )
    outside = [
        against_sd(a, n, b, m, 3.0).p < SIGNIFICANCE for a, b in zip(theirs, ours, strict=True)
    ]
    assert np.mean(outside) == pytest.approx(0.05, abs=0.015)


def test_deviations_a_quarter_of_the_factor_apart_are_called_equal_in_at_most_five_percent() -> (
    None
):
    rng = np.random.default_rng(2)
    n = m = 200
    theirs = rng.normal(size=(2000, n)).std(1, ddof=1)
    ours = rng.normal(scale=3 ** (1 / 4), size=(2000, m)).std(1, ddof=1)
    passed = [
        against_sd(a, n, b, m, 3.0).p_equivalent < SIGNIFICANCE
        for a, b in zip(theirs, ours, strict=True)
    ]
    assert np.mean(passed) == pytest.approx(0.05, abs=0.015)
    same = rng.normal(size=(200, m)).std(1, ddof=1)
    assert np.mean([against_sd(1.0, n, b, m, 3.0).p_equivalent < SIGNIFICANCE for b in same]) > 0.9


def test_no_spread_at_all_differs_from_a_printed_one() -> None:
    assert against_sd(0.1, 8, 0.0, 8, 3.0).p < SIGNIFICANCE


@pytest.mark.worker
@pytest.mark.parametrize("truth", [0.0, 0.6])
def test_correlations_of_one_process_differ_in_five_percent(truth: float) -> None:
    rng = np.random.default_rng(3)
    draws = rng.multivariate_normal([0, 0], [[1, truth], [truth, 1]], size=(2000, 2, 25))
    pairs = [[stats.pearsonr(sample[:, 0], sample[:, 1])[0] for sample in pair] for pair in draws]
    outside = [against_correlation(a, 25, b, 25, ranks=False).p < SIGNIFICANCE for a, b in pairs]
    assert np.mean(outside) == pytest.approx(0.05, abs=0.015)


def test_a_perfect_rank_correlation_counts_as_half_a_step_less() -> None:
    """Of six ranks the next value below 1 is 33/35 = 0.943, the paper's 0.94."""
    assert fisher(1.0, 6) == pytest.approx(math.atanh((1 + 33 / 35) / 2))
    assert against_correlation(-0.94, 6, -1.0, 6, ranks=True).p > SIGNIFICANCE
    assert against_correlation(-0.94, 6, 0.94, 6, ranks=True).p < SIGNIFICANCE


def test_two_z_of_one_truth_differ_in_five_percent() -> None:
    rng = np.random.default_rng(4)
    outside = [against_z(a, b).p < SIGNIFICANCE for a, b in rng.normal(2.0, 1.0, size=(2000, 2))]
    assert np.mean(outside) == pytest.approx(0.05, abs=0.015)


@pytest.mark.worker
@pytest.mark.parametrize("statistic", ["median", "min", "max", "q75", "span", "iqr"])
@pytest.mark.parametrize(("n", "m"), [(3, 3), (8, 3), (8, 8)])
def test_order_statistics_of_one_process_differ_in_five_percent(
    statistic: str, n: int, m: int
) -> None:
    rng = np.random.default_rng(7)
    function = STATISTICS[statistic]
    theirs, ours = rng.normal(size=(2000, n)), rng.normal(size=(2000, m))
    differences, sds = function(ours, axis=1) - function(theirs, axis=1), theirs.std(1, ddof=1)
    outside = [
        against_order_statistic(statistic, d, sd, n, m, 0.01).p < SIGNIFICANCE
        for d, sd in zip(differences, sds, strict=True)
    ]
    assert np.mean(outside) == pytest.approx(0.05, abs=0.015)


@given(st.integers(0, 164), st.integers(0, 164))
def test_the_predicted_count_is_scipys_beta_binomial(theirs: int, ours: int) -> None:
    predicted = stats.betabinom(164, theirs + 0.5, 164 - theirs + 0.5)
    tail = min(predicted.cdf(ours), predicted.sf(ours - 1))
    comparison = against_count(theirs, 164, ours, 164, margin=0.02)
    assert comparison.p == pytest.approx(min(1.0, 2 * tail), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.58])
@pytest.mark.parametrize("runs", [1, 3])
def test_counts_of_one_process_fall_outside_in_about_five_percent(share: float, runs: int) -> None:
    """Counts are discrete, so the level may only be approached from below."""
    rng = np.random.default_rng(5)
    theirs, ours = rng.binomial(164, share, 2000), rng.binomial(164 * runs, share, 2000)
    outside = [
        against_count(int(k), 164, int(y), 164 * runs, margin=0.02).p < SIGNIFICANCE
        for k, y in zip(theirs, ours, strict=True)
    ]
    assert 0.02 <= np.mean(outside) <= 0.06


def test_counts_at_the_margin_are_called_equal_in_at_most_five_percent() -> None:
    rng = np.random.default_rng(6)
    theirs, ours = rng.binomial(164, 0.4, 2000), rng.binomial(164 * 8, 0.6, 2000)
    passed = [
        against_count(int(k), 164, int(y), 164 * 8, margin=0.2).p_equivalent < SIGNIFICANCE
        for k, y in zip(theirs, ours, strict=True)
    ]
    assert 0.03 <= np.mean(passed) <= 0.065
