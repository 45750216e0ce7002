"""Holm's adjustment against statsmodels, and the z histogram against its own expectation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from repro.verify.judge.families import holm, z_histogram


@pytest.mark.worker
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_are_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_nothing_tested_gives_nothing() -> None:
    assert holm([]) == []


def test_at_most_five_percent_of_papers_without_error_have_a_rejection() -> None:
    rng = np.random.default_rng(0)
    rejected = [min(holm(rng.uniform(size=50).tolist())) < 0.05 for _ in range(2000)]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.015)


def test_the_histogram_counts_every_z_once_and_expects_the_normal() -> None:
    rng = np.random.default_rng(1)
    z = [*rng.normal(size=4000).tolist(), -12.0, 55.0, float("inf")]
    bins = z_histogram(z)
    assert sum(count for _, _, count, _ in bins) == len(z)
    assert sum(expected for _, _, _, expected in bins) == pytest.approx(len(z))
    for _, _, count, expected in bins:
        assert abs(count - expected) < 5 * np.sqrt(expected) + 3
