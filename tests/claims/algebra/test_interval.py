"""Interval statistics hold every value their inputs could have had, and, where they are exact, no
more.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.claims.algebra import interval
from repro.claims.algebra.interval import Interval, point
from repro.geometry.undefined import Undefined

BOXES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 0.5)), min_size=2, max_size=6)
REFERENCE: dict[
    str, tuple[Callable[[Sequence[Interval]], Interval | Undefined], Callable[[np.ndarray], float]]
] = {
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
    inside = reference(
        np.array([low + share * width for (low, width), share in zip(boxes, draws, strict=False)])
    )
    assert bounds.low - 1e-9 <= inside <= bounds.high + 1e-9


@given(boxes=BOXES)
@settings(max_examples=40, deadline=None)
def test_the_bounds_of_an_sd_are_reached(boxes: list[tuple[float, float]]) -> None:
    values = [Interval(low, low + width) for low, width in boxes]
    bounds = interval.sd(values)
    assert isinstance(bounds, Interval)
    corners = [
        float(np.std(corner, ddof=1))
        for corner in itertools.product(*((v.low, v.high) for v in values))
    ]
    assert bounds.high == pytest.approx(max(corners))
    grid = itertools.product(
        *(np.linspace(v.low, v.high, 5 if len(values) < 5 else 3) for v in values)
    )
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
    assert isinstance(interval.over(point(1), Interval(-0.1, 0.1)), Undefined)
    assert isinstance(interval.sd([point(1)]), Undefined)
    assert isinstance(interval.log10(Interval(-1, 1)), Undefined)


@given(st.floats(-50, 50), st.floats(0, 20), st.integers(-3, 3), st.floats(0, 1))
def test_a_power_of_any_number_inside_lies_inside(
    low: float, width: float, exponent: int, share: float
) -> None:
    """A negative power of what may be zero is undefined, since it has no bound."""
    box = Interval(low, low + width)
    found = interval.power(box, point(exponent))
    if exponent < 0 and box.low <= 0 <= box.high:
        assert isinstance(found, Undefined)
        return
    if isinstance(found, Undefined):
        assert exponent < 0
        assert min(abs(box.low), abs(box.high)) < 1e-100
        return
    value = (box.low + share * (box.high - box.low)) ** exponent
    slack = 1e-9 * (1 + abs(value))
    assert found.low - slack <= value <= found.high + slack


@given(
    base=st.floats(0, 5), exponent=st.floats(-3, 3), widths=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_power_holds_every_power_of_numbers_inside(
    base: float, exponent: float, widths: tuple[float, float], at: tuple[float, float]
) -> None:
    a, b = Interval(base + 0.01, base + 0.01 + widths[0]), Interval(exponent, exponent + widths[1])
    bounds = interval.power(a, b)
    assert isinstance(bounds, Interval)
    inside = (a.low + at[0] * (a.high - a.low)) ** (b.low + at[1] * (b.high - b.low))
    assert bounds.low * (1 - 1e-9) <= inside <= bounds.high * (1 + 1e-9)


def test_a_power_of_what_may_be_negative_is_one_only_where_the_exponent_is_known() -> None:
    assert interval.power(Interval(-2, 1), point(2)) == Interval(0, 4)
    assert isinstance(interval.power(Interval(-2, 1), Interval(1.5, 2.5)), Undefined)
    assert interval.power(point(2), Interval(0.55, 0.65)) == Interval(2**0.55, 2**0.65)
