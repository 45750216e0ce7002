"""Relations over prints: certain, impossible, or left open, as all numbers inside would say."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.algebra.interval import FALSE, TRUE, UNKNOWN, Interval, Value, point
from repro.claims.algebra.relations import (
    monotone,
    position,
    proportional,
    relation,
    same,
    satisfies,
    superlative,
)
from repro.claims.term import Term, Where
from repro.geometry.undefined import Undefined

LEVELS = ("a", "b", "c")
box = st.tuples(st.integers(0, 6), st.integers(0, 2)).map(lambda e: Interval(e[0], e[0] + e[1]))
boxes = st.lists(box, min_size=3, max_size=3)


def term(statistic: str, **fields: object) -> Term:
    """Return a term of a relation over models."""
    return Term.model_validate({"statistic": statistic, "quantity": "q", "over": "model", **fields})


def inside(values: Sequence[Interval]) -> list[tuple[float, ...]]:
    """Return numbers inside the intervals: their ends and middles, in every combination."""
    return list(itertools.product(*({v.low, v.middle, v.high} for v in values)))


@given(boxes, st.integers(0, 7))
def test_quantified_relations_are_what_the_numbers_inside_say(
    values: list[Interval], bound: int
) -> None:
    above = {"where": Where(above=bound), "which": "b"}
    counts = [sum(x > bound for x in numbers) for numbers in inside(values)]
    alone = [[x > bound for x in numbers] == [False, True, False] for numbers in inside(values)]

    def found(statistic: str) -> Value:
        return relation(term(statistic, **above), LEVELS, values, None)

    assert found("count_where") == Interval(min(counts), max(counts))
    assert found("share") == Interval(100 * min(counts) / 3, 100 * max(counts) / 3)
    assert found("all") == Interval(min(counts) == 3, max(counts) == 3)
    assert found("none") == Interval(max(counts) == 0, min(counts) == 0)
    assert found("only") == Interval(all(alone), any(alone))


@given(boxes)
def test_a_monotone_that_fails_for_all_numbers_inside_is_false(values: list[Interval]) -> None:
    rises = [list(numbers) == sorted(numbers) for numbers in inside(values)]
    neighbours = all(b.high >= a.low for a, b in itertools.pairwise(values))
    found = monotone(values)
    assert found != TRUE or any(rises)
    assert (found == FALSE) == (not neighbours)
    falling = relation(term("monotone", order="decreasing"), LEVELS, values[::-1], None)
    assert falling == found


def test_equal_prints_are_monotone_and_share_the_place() -> None:
    equal = [point(1.0), point(1.0), point(2.0)]
    assert monotone(equal) == TRUE
    assert superlative(LEVELS, equal, "b", highest=False) == TRUE
    assert superlative(LEVELS, equal, "b", highest=True) == FALSE
    close = [Interval(1.0, 1.2), Interval(1.1, 1.3), Interval(0.0, 0.1)]
    assert superlative(LEVELS, close, "a", highest=True) == UNKNOWN


@given(boxes)
def test_a_place_is_counted_from_the_end_that_is_said(values: list[Interval]) -> None:
    places = [1 + sum(x > numbers[0] for x in numbers) for numbers in inside(values)]
    found = position(term("position", which="a", order="decreasing"), LEVELS, values)
    assert found == Interval(min(places), max(places))
    lowest = [1 + sum(x < numbers[0] for x in numbers) for numbers in inside(values)]
    from_low = position(term("position", which="a", order="increasing"), LEVELS, values)
    assert from_low == Interval(min(lowest), max(lowest))


@pytest.mark.parametrize("statistic", ["highest", "position", "only"])
def test_a_level_that_is_not_there_has_no_place(statistic: str) -> None:
    asked = term(statistic, which="z", where=Where(above=0))
    values = [point(1.0)] * 3
    found = (
        position(asked, LEVELS, values)
        if statistic == "position"
        else relation(asked, LEVELS, values, None)
    )
    assert found == Undefined("z: no such cell")


def test_two_prints_are_the_same_where_their_middles_are() -> None:
    assert same(Interval(0.5, 0.6), Interval(0.54, 0.56)) == TRUE
    assert same(Interval(0.5, 0.6), Interval(0.55, 0.65)) == UNKNOWN
    assert same(Interval(0.5, 0.6), Interval(0.7, 0.8)) == FALSE


def test_what_is_printed_as_zero_equals_zero_and_every_bound_must_hold() -> None:
    assert satisfies(Interval(-0.0005, 0.0005), Where(equals=0)) == TRUE
    assert satisfies(point(1e-12), Where(equals=0)) == TRUE
    assert satisfies(point(1e-3), Where(equals=0)) == FALSE
    assert satisfies(point(2.0), Where(above=1, below=3)) == TRUE
    assert satisfies(point(3.0), Where(above=1, below=3)) == FALSE
    assert satisfies(point(3.0), Where(above=1, at_most=3)) == TRUE


def test_proportional_means_one_ratio_for_all_levels() -> None:
    levels = (0.1, 0.3, 1.0)
    assert proportional(levels, [point(1.0), point(3.0), point(10.0)]) == TRUE
    assert proportional(levels, [point(1.0), point(3.0), point(1.0)]) == FALSE
    assert proportional(levels, [Interval(0.5, 1.5), Interval(2.5, 3.5), Interval(9, 11)]) == TRUE
    assert isinstance(proportional((0.0, 0.3), [point(0.0), point(3.0)]), Undefined)


def test_a_relation_of_two_operands_holds_at_every_level() -> None:
    low, high = [point(1.0), point(2.0)], [point(3.0), point(2.0)]
    assert relation(term("at_most"), LEVELS[:2], low, high) == TRUE
    assert relation(term("below"), LEVELS[:2], low, high) == FALSE
    assert relation(term("identical"), LEVELS[:2], low, low) == TRUE
    assert isinstance(relation(term("above"), LEVELS[:2], low, None), Undefined)
