"""What follows from printed means, SDs and numbers of runs: p over everything that rounding leaves open."""

import numpy as np
import pytest
from scipy import stats

from repro.audit.inference import _one_sample_t, _welch
from repro.claims.algebra.interval import Interval, point


@pytest.mark.parametrize("gap", [0.0, 0.04, 0.3])
def test_p_of_two_rounded_means_holds_the_p_of_every_pair_inside(gap: float) -> None:
    """Where the rounded means overlap they may be equal, and p is 1 between the corners."""
    numbers = np.random.default_rng(0)
    one, two = Interval(0.75, 0.85), Interval(0.75 + gap, 0.85 + gap)
    spread = Interval(0.05, 0.15)
    found = _welch((one, spread, 4), (two, spread, 3))
    assert isinstance(found, Interval)
    for _ in range(300):
        a, b = numbers.uniform(one.low, one.high), numbers.uniform(two.low, two.high)
        s, t = numbers.uniform(spread.low, spread.high, 2)
        p = float(stats.ttest_ind_from_stats(a, s, 4, b, t, 3, equal_var=False).pvalue)
        assert found.low - 1e-9 <= p <= found.high + 1e-9
    assert (found.high == 1.0) == (gap < 0.1)


def test_a_mean_that_may_be_the_fixed_number_may_have_p_of_one() -> None:
    runs = (Interval(0.75, 0.85), Interval(0.05, 0.15), 4)
    inside, outside = _one_sample_t(runs, point(0.8)), _one_sample_t(runs, point(0.9))
    assert isinstance(inside, Interval)
    assert isinstance(outside, Interval)
    assert inside.high == 1.0 > outside.high
