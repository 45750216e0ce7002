"""Interval statistics hold every value their inputs could have had, and, where they are exact, no more."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from repro.verify import algebra_interval as interval
from repro.verify.algebra_interval import Interval, Missing, point
from repro.verify.algebra_tests import correlation, two_proportions

BOXES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 0.5)), min_size=2, max_size=6)
REFERENCE: dict[str, tuple[Callable[[Sequence[Interval]], Interval | Missing], Callable[[np.ndarray], float]]] = {
    "mean": (interval.mean, lambda x: float(np.mean(x))),
    "sd": (interval.sd, lambda x: float(np.std(x, ddof=1))),
    "population sd": (lambda v: interval.sd(v, 0), lambda x: float(np.std(x))),
    "quartile": (lambda v: interval.quantile(v, 0.25), lambda x: float(np.percentile(x, 25))),
    "median": (lambda v: interval.quantile(v, 0.5), lambda x: float(np.median(x))),
    "span": (interval.span, lambda x: float(np.ptp(x))),
}


@pytest.mark.parametrize("name", REFERENCE)
@given(boxes=BOXES, draws=st.lists(st.floats(0, 1), min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_statistic_of_numbers_inside_the_intervals_lies_inside_the_interval_of_the_statistic(
    name: str, boxes: list[tuple[float, float]], draws: list[float]
) -> None:
    ours, reference = REFERENCE[name]
    bounds = ours([Interval(low, low + width) for low, width in boxes])
    assert isinstance(bounds, Interval)
    inside = reference(np.array([low + share * width for (low, width), share in zip(boxes, draws, strict=False)]))
    assert bounds.low - 1e-9 <= inside <= bounds.high + 1e-9


@given(boxes=BOXES)
@settings(max_examples=40, deadline=None)
def test_the_bounds_of_an_sd_are_reached(boxes: list[tuple[float, float]]) -> None:
    values = [Interval(low, low + width) for low, width in boxes]
    bounds = interval.sd(values)
    assert isinstance(bounds, Interval)
    corners = [float(np.std(corner, ddof=1)) for corner in itertools.product(*((v.low, v.high) for v in values))]
    assert bounds.high == pytest.approx(max(corners))
    grid = itertools.product(*(np.linspace(v.low, v.high, 5 if len(values) < 5 else 3) for v in values))
    assert bounds.low <= min(float(np.std(corner, ddof=1)) for corner in grid) + 1e-9


def test_many_values_get_a_wider_but_never_a_narrower_sd() -> None:
    random = np.random.default_rng(0)
    values = [Interval(x - 0.01, x + 0.01) for x in random.normal(0, 1, 30)]
    bounds = interval.sd(values)
    assert isinstance(bounds, Interval)
    drawn = [np.std([random.uniform(v.low, v.high) for v in values], ddof=1) for _ in range(200)]
    assert bounds.low <= min(drawn)
    assert bounds.high >= max(drawn)
    assert bounds.high - bounds.low < 0.05


@given(st.floats(-3, 3), st.floats(0, 1), st.floats(0.1, 3), st.floats(0, 1))
def test_quotients_and_products_hold_every_corner(a: float, da: float, b: float, db: float) -> None:
    first, second = Interval(a, a + da), Interval(b, b + db)
    quotient, product = interval.over(first, second), interval.times(first, second)
    assert isinstance(quotient, Interval)
    for x, y in itertools.product((a, a + da / 2, a + da), (b, b + db / 2, b + db)):
        assert quotient.low - 1e-9 <= x / y <= quotient.high + 1e-9
        assert product.low - 1e-9 <= x * y <= product.high + 1e-9


def test_what_may_be_zero_divides_nothing_and_one_run_has_no_sd() -> None:
    assert isinstance(interval.over(point(1), Interval(-0.1, 0.1)), Missing)
    assert isinstance(interval.sd([point(1)]), Missing)
    assert isinstance(interval.log10(Interval(-1, 1)), Missing)


@pytest.mark.parametrize(("a", "b"), [(79, 60), (68, 96), (17, 96), (100, 100)])
def test_two_proportions_agree_with_statsmodels(a: int, b: int) -> None:
    shares = [(point(k / 164), 164) for k in (a, b)]
    z, p = proportions_ztest([a, b], [164, 164])
    low, high = confint_proportions_2indep(a, 164, b, 164, method="wald", compare="diff")
    for statistic, value in (("z", z), ("p_two", p), ("p_one", p / 2), ("ci_low", 100 * low), ("ci_high", 100 * high)):
        ours = two_proportions(statistic, shares[0], shares[1])
        assert isinstance(ours, Interval)
        assert ours.middle == pytest.approx(float(value), abs=1e-6)


def test_nothing_solved_against_nothing_solved_has_no_z() -> None:
    assert isinstance(two_proportions("z", (point(0), 164), (point(0), 164)), Missing)


def test_a_rank_correlation_agrees_with_scipy_and_widens_where_prints_tie() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=6), random.normal(size=6)
    exact = correlation("spearman", [point(v) for v in x], [point(v) for v in y])
    assert isinstance(exact, Interval)
    assert exact.middle == pytest.approx(float(stats.spearmanr(x, y).statistic))
    blurred = correlation("spearman", [Interval(v - 0.5, v + 0.5) for v in x], [point(v) for v in y])
    assert isinstance(blurred, Interval)
    assert blurred.low < exact.low <= exact.high < blurred.high
    assert not math.isclose(blurred.low, blurred.high)
