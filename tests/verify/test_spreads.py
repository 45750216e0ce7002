"""The spread a cell is judged with: ours, the paper's, and never less than either can have."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.verify.scales import STATISTICS
from repro.verify.spreads import (
    may_be_clusters,
    mistaken_clusters,
    our_spread,
    parted_clusters,
    prints_no_spread,
    their_spread,
)
from repro.verify.statistics import Spread
from repro.verify.verdict import MeasuredCell

CELL = MeasuredCell(
    name="c", mean=0.5, sd=0.2, runs=4, slope=-3.0, printed_sd=0.1, printed_seeds=8, averaged=8
)


def cell(**changes: object) -> MeasuredCell:
    """The cell with these fields."""
    return CELL.model_copy(update=changes)


def spread(sd: float, df: float, n: int) -> Spread:
    """A spread whose SD is this one but for rounding."""
    about: Any = pytest.approx(sd)
    return Spread(about, df, n)


def test_our_spread_is_that_of_the_runs_along_the_claims_slope() -> None:
    assert our_spread(CELL) == spread(0.6, 3, 4)
    assert our_spread(cell(least_sd=0.3)) == spread(0.9, 3, 4)


@pytest.mark.parametrize("changes", [{"runs": 1, "sd": None}, {"sd": 0.0}, {"sd": None}])
def test_one_run_and_runs_that_agree_show_no_spread(changes: dict[str, object]) -> None:
    assert our_spread(cell(**changes)) is None


def test_fewer_than_three_counts_have_the_spread_of_the_count_itself() -> None:
    counts = cell(binomial=True, least_sd=6.0, sd=40.0, mean=80.0)
    assert our_spread(counts.model_copy(update={"runs": 2})) == Spread(18.0, math.inf, 2)
    assert our_spread(counts.model_copy(update={"runs": 3})) == Spread(120.0, 2, 3)


def test_a_base_model_is_one_measurement_however_often_it_is_read() -> None:
    """What arithmetic makes of it is no spread; more than that is."""
    base = cell(measured_once=True, runs=5, slope=1.0, least_sd=0.01)
    assert our_spread(base.model_copy(update={"sd": 4e-5})) == Spread(0.01, math.inf, 1)
    assert our_spread(base.model_copy(update={"sd": None})) == Spread(0.01, math.inf, 1)
    assert our_spread(base.model_copy(update={"sd": 0.2})) == Spread(0.2, 4, 1)


def test_their_spread_is_what_is_printed_and_at_least_that_of_a_share() -> None:
    assert their_spread(CELL) == spread(0.3, 7, 8)
    assert their_spread(cell(least_sd=0.2)) == spread(0.6, 7, 8)
    assert their_spread(cell(printed_sd=None)) is None
    assert their_spread(cell(printed_seeds=1)) is None
    assert their_spread(cell(printed_sd=0.0)) is None


def test_a_printed_zero_of_several_seeds_is_no_spread_unless_a_share_has_one() -> None:
    assert prints_no_spread(cell(printed_sd=0.0))
    assert not prints_no_spread(cell(printed_sd=0.0, printed_seeds=1))
    assert not prints_no_spread(cell(printed_sd=0.0, least_sd=0.02))
    assert not prints_no_spread(cell(printed_sd=None))


@pytest.mark.parametrize("statistic", ["mean", "median", "q25", "q75", "iqr"])
def test_a_statistic_over_normal_runs_spreads_as_it_is_said_to(statistic: str) -> None:
    """4,000 draws of 201 runs: the spread of one run over √201 is the statistic's own."""
    n = 201
    draws = np.random.default_rng(0).normal(size=(4000, n))
    found = our_spread(cell(statistic=statistic, runs=n, sd=1.0, slope=1.0))
    assert found is not None
    expected = STATISTICS[statistic](draws, axis=1).std(ddof=1)
    assert found.sd / math.sqrt(found.n) == pytest.approx(expected, rel=0.05)


def test_an_extreme_gets_no_sharper_with_more_runs() -> None:
    errors = []
    for runs in (4, 40, 400):
        found = our_spread(cell(statistic="max", runs=runs))
        assert found is not None
        errors.append(found.sd / math.sqrt(found.n))
    assert errors[-1] > errors[0] / 2
    mean = our_spread(cell(runs=400))
    assert mean is not None
    assert mean.sd / math.sqrt(mean.n) < errors[-1] / 5


@given(st.integers(1, 12), st.integers(1, 12))
def test_clusters_are_as_likely_as_the_worst_share_makes_them(n: int, m: int) -> None:
    q = np.linspace(0.0005, 0.9995, 2000)
    apart = q**n * (1 - q) ** m
    assert parted_clusters(n, m) == pytest.approx(float(apart.max()), rel=1e-3)
    assert mistaken_clusters(n, m) == pytest.approx(float((apart + apart[::-1]).max()), rel=1e-2)
    assert mistaken_clusters(n, m) == mistaken_clusters(m, n)


def test_three_seeds_a_side_exclude_two_clusters_and_one_a_side_does_not() -> None:
    """Half of the seeds in each cluster: 2 · (1/2)^6 = 3 %, and 2 · (1/2)² = 50 %."""
    assert mistaken_clusters(3, 3) == pytest.approx(2 / 64)
    assert mistaken_clusters(1, 1) == pytest.approx(1 / 2)
    assert not may_be_clusters(cell(printed_seeds=3, runs=3))
    assert may_be_clusters(cell(printed_seeds=3, runs=1))
    assert may_be_clusters(cell(printed_sd=None, averaged=1, runs=2))
    assert not may_be_clusters(cell(printed_seeds=8, averaged=1, runs=2)), (
        "a printed spread is of all its seeds"
    )
