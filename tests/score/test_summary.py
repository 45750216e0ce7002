"""Counts of outcomes, and shares only where every problem has a certain verdict."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.proportions import wilson
from repro.score.outcomes import Result
from repro.score.summary import by_task, summarise

certain = st.lists(st.sampled_from(["passed", "failed"]), min_size=1, max_size=12)


@given(st.lists(certain, min_size=1, max_size=5))
def test_pass_at_k_is_the_share_of_draws_with_a_pass_averaged_over_problems(
    outcomes: list[list[Result]],
) -> None:
    """By enumeration of every draw of k samples without putting any back."""
    results = {str(number): of_task for number, of_task in enumerate(outcomes)}
    found = summarise("b", len(results), results)
    fewest = min(map(len, outcomes))
    assert set(found.pass_at) == {k for k in (1, 10, 100) if k <= fewest}
    for k, value in found.pass_at.items():
        draws = [[*itertools.combinations(of_task, k)] for of_task in outcomes]
        shares = [sum("passed" in draw for draw in of_task) / len(of_task) for of_task in draws]
        assert value == pytest.approx(sum(shares) / len(shares))


def test_one_sample_a_problem_has_an_interval_and_several_have_none() -> None:
    single = summarise("b", 3, {"a": ["passed"], "b": ["failed"], "c": ["passed"]})
    assert single.whole
    assert single.pass_at == {1: pytest.approx(2 / 3)}
    assert single.interval == wilson(2, 3)
    several = summarise("b", 1, {"a": ["passed", "failed"]})
    assert several.pass_at == {1: 0.5}
    assert several.interval is None


@pytest.mark.parametrize("uncertain", ["flaky", "not_scored"])
def test_an_uncertain_outcome_is_counted_and_no_failure(uncertain: Result) -> None:
    found = summarise("b", 2, {"a": ["passed"], "b": [uncertain]})
    assert not found.whole
    assert found.counts == {"passed": 1, uncertain: 1}
    assert (found.pass_at, found.interval) == ({}, None)


def test_a_problem_without_a_sample_leaves_no_share() -> None:
    found = summarise("b", 5, {"a": ["passed"], "b": ["failed"]})
    assert (found.without, found.whole, found.pass_at) == (3, False, {})
    assert summarise("b", 2, {}).without == 2


def test_outcomes_are_grouped_in_their_order() -> None:
    pairs: list[tuple[str, Result]] = [("b", "failed"), ("a", "passed"), ("b", "passed")]
    assert by_task(pairs) == {"b": ["failed", "passed"], "a": ["passed"]}
    assert by_task([]) == {}
