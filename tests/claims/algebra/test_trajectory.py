"""What a trajectory does: it collapses for good, or recovers in between."""

from hypothesis import given
from hypothesis import strategies as st

from repro.claims.algebra.interval import FALSE, TRUE, Interval, point
from repro.claims.algebra.trajectory import collapse_step, is_zero, recovery
from repro.geometry.undefined import Undefined

ZERO = Interval(-0.0005, 0.0005)


@given(st.lists(st.sampled_from([0.0, 0.2, 0.6]), min_size=1, max_size=7), st.randoms())
def test_a_collapse_is_the_first_step_from_which_all_is_zero_in_any_order(
    values: list[float], random: object
) -> None:
    steps = [500 * i for i in range(len(values))]
    pairs = list(zip(steps, map(point, values), strict=True))
    random.shuffle(pairs)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    found = collapse_step([step for step, _ in pairs], [value for _, value in pairs])
    gone = [step for i, step in enumerate(steps) if not any(values[i:])]
    if gone:
        assert found == point(gone[0])
    else:
        assert found == Undefined("it does not collapse by the last step known")


def test_a_recovery_is_zero_then_something_then_zero_again() -> None:
    steps = (0, 10, 20, 30)
    back = [point(0.6), point(0.0), point(0.2), point(0.0)]
    steady = [point(0.6), point(0.2), point(0.0), point(0.0)]
    unfinished = [point(0.6), point(0.0), point(0.2), point(0.2)]
    assert [recovery(steps, run) for run in (back, steady, unfinished)] == [TRUE, FALSE, FALSE]


def test_what_is_printed_as_zero_is_zero_whatever_it_was_before_rounding() -> None:
    assert is_zero(ZERO)
    assert is_zero(point(0.0))
    assert not is_zero(point(0.0004))
    assert not is_zero(Interval(-0.1, 0.3))
    assert collapse_step((0, 10), [point(0.6), ZERO]) == point(10)
