"""A statement falls into differences, each positive where it holds as it is claimed."""

from typing import Any

import numpy as np
import pytest

from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.verdict import Estimate
from tests.verify.judge.test_promises import AFTER, EI, measured, paper

PLACE = {"condition": "B3", "step": 5000}
MODELS = {"a": [0.6, 0.7, 0.8], "b": [0.1, 0.2, 0.3], "c": [0.35, 0.45, 0.55]}
OVER = {"over": "model", "among": [*MODELS], "of": "mean", **PLACE}


def estimated(**written: Any) -> Estimate:
    """A statement on three models whose means are 0.7, 0.2 and 0.45."""
    claims = paper({"printed": "so", **written})
    cells = {(EI, model, "B3", 5000): values for model, values in MODELS.items()}
    return estimate(claims[0], Context(measured(cells), prints_by_source(claims)))


def gaps(found: Estimate) -> list[list[float]]:
    """The gaps of each level."""
    return [[round(part.gap, 9) for part in level] for level in found.levels]


def test_a_trend_is_the_differences_of_neighbours_along_it() -> None:
    falling = estimated(statistic="monotone", order="decreasing", **OVER)
    assert gaps(falling) == [[0.5], [-0.25]]
    assert gaps(estimated(statistic="monotone", order="increasing", **OVER)) == [[-0.5], [0.25]]
    assert falling.value is False


def test_the_highest_and_the_lowest_are_compared_with_every_other() -> None:
    assert gaps(estimated(statistic="highest", which="a", **OVER)) == [[0.5], [0.25]]
    assert gaps(estimated(statistic="highest", which="c", **OVER)) == [[-0.25], [0.25]]
    assert gaps(estimated(statistic="lowest", which="b", **OVER)) == [[0.5], [0.25]]
    assert gaps(estimated(statistic="highest", which="another", **OVER)) == []


def test_a_position_asks_how_many_are_to_be_passed() -> None:
    """Second from the top: of two others one is below it and one is not."""
    second = estimated(statistic="position", which="c", order="decreasing", value=2.0, **OVER)
    assert gaps(second) == [[-0.25], [0.25]]
    assert second.asked == (1, 1)


def test_none_and_only_negate_what_must_not_hold() -> None:
    where = {"where": {"above": 0.3}}
    none = estimated(statistic="none", **where, **OVER)
    assert none.negated == (True, True, True)
    assert gaps(none) == [[0.4], [-0.1], [0.15]]
    assert estimated(statistic="only", which="b", **where, **OVER).negated == (True, False, True)
    assert estimated(statistic="all", **where, **OVER).negated == ()


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"statistic": "count_where", "value": 2.0, "printed": "2"}, (2, 2)),
        ({"statistic": "share", "unit": "percent", "printed": "67%"}, (2, 2)),
    ],
)
def test_a_count_or_a_share_asks_for_so_many_levels(
    fields: dict[str, Any], asked: tuple[int, int]
) -> None:
    found = estimated(**{**fields, "where": {"above": 0.3}, **OVER})
    assert found.asked == asked
    assert len(found.levels) == 3


def test_every_bound_of_a_condition_is_a_part_that_holds_above_zero() -> None:
    """0.7 is 0.1 above 0.6, and 0.05 below 0.75."""
    between = estimated(
        statistic="all", where={"at_least": 0.6, "below": 0.75}, **{**OVER, "among": ["a"]}
    )
    assert gaps(between) == [[0.1, 0.05]]
    ((low, high),) = between.levels
    assert (low.limit, high.limit) == (0.6, -0.75)
    assert [cell.slope for part in (low, high) for cell in part.cells] == pytest.approx([1, -1])
    (equal,) = estimated(statistic="all", where={"equals": 0.5}, **{**OVER, "among": ["a"]}).levels
    assert [(part.equal, round(part.gap, 9)) for part in equal] == [(True, 0.2)]


def test_a_part_has_the_runs_and_the_slopes_of_its_own_cells() -> None:
    """The gap is the sum of its cells along their slopes, less its limit."""
    below = {"statistic": "below", "of": "mean", "against": {"model": "a"}, **AFTER, "model": "b"}
    found = estimated(**below)
    ((part,),) = found.levels
    assert part.gap == pytest.approx(0.5)
    assert found.value is True
    total = sum(cell.slope * cell.mean for cell in part.cells) - part.limit
    assert total == pytest.approx(part.gap)
    assert [cell.values for cell in part.cells] == [tuple(MODELS["b"]), tuple(MODELS["a"])]
    ours, theirs = (f"{EI} (model {model}, condition B3, step 5000)" for model in "ba")
    assert part.name == f"{ours} against {theirs}"


def test_a_level_without_a_value_is_no_part() -> None:
    found = estimated(
        statistic="monotone", order="decreasing", **{**OVER, "among": ["a", "b", "x"]}
    )
    assert found.state == "not_run"
    assert np.size(found.levels) == 0
