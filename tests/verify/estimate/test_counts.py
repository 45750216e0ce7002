"""Counts of problems and of runs: ours beside the paper's."""

from typing import Any

import pytest

from repro.claims.claim import Claim
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.counts import printed_problems
from repro.verify.estimate.estimate import estimate
from repro.verify.verdict import Estimate
from tests.verify.judge.test_promises import AFTER, COUNT, EI, here, measured, paper

SEEDS = {"printed": "8", "statistic": "count", **AFTER}


def estimated(claims: tuple[Claim, ...], ours: list[float], quantity: str = EI) -> Estimate:
    """The estimate of the first claim on runs with these values."""
    evidence = measured(here(ours, quantity), n=164)
    return estimate(claims[0], Context(evidence, prints_by_source(claims)))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"printed": "96"}, (96, 164)), ({"printed": "58.5%", "unit": "percent"}, (96, 164))],
)
def test_a_percentage_stands_for_the_count_behind_it(
    fields: dict[str, Any], expected: tuple[int, int]
) -> None:
    (claim, *_) = paper(
        {**fields, "statistic": "single", "kind": "problem_count", **AFTER}, quantity=COUNT
    )
    assert printed_problems(claim) == expected


def test_another_kind_of_number_counts_no_problems() -> None:
    (claim, *_) = paper({"printed": "0.641", **AFTER})
    assert printed_problems(claim) is None


def test_problems_are_counted_over_all_runs() -> None:
    claims = paper({"printed": "96", "kind": "problem_count", **AFTER}, quantity=COUNT)
    found = estimated(claims, [90, 95, 97], COUNT)
    assert (found.counted, found.printed_counted) == ((282, 492), (96, 164))
    assert found.grid == 1


@pytest.mark.parametrize(
    ("fields", "value", "printed"),
    [
        ({"printed": "two of eight", "statistic": "count_where", "value": 2}, 3.0, (2, 8)),
        ({"printed": "25%", "statistic": "share", "unit": "percent"}, 75.0, (2, 8)),
        ({"printed": "all", "statistic": "all"}, False, (8, 8)),
        ({"printed": "none", "statistic": "none"}, False, (0, 8)),
    ],
)
def test_runs_that_do_what_seeds_do_are_counted_as_the_claim_counts_them(
    fields: dict[str, Any], value: object, printed: tuple[int, int]
) -> None:
    """Three of our four runs are at 0."""
    claims = paper({**fields, "over": "seed", "where": {"equals": 0}, **AFTER}, SEEDS)
    found = estimated(claims, [0.0, 0.0, 0.2, 0.0])
    assert found.counted == (3, 4)
    assert found.value == value
    assert found.printed_counted == printed
    (cell,) = found.cells
    assert (cell.mean, cell.runs) == (0.75, 4)


def test_all_and_none_hold_where_every_run_does_so_or_no_run() -> None:
    def of(statistic: str, ours: list[float]) -> object:
        written = {
            "printed": statistic,
            "statistic": statistic,
            "over": "seed",
            "where": {"equals": 0},
        }
        return estimated(paper({**written, **AFTER}, SEEDS), ours).value

    assert of("all", [0.0, 0.0]) is True
    assert of("none", [0.5, 0.2]) is True
    assert of("none", [0.0, 0.2]) is False


def test_without_runs_nothing_is_counted() -> None:
    claims = paper({"printed": "all", "statistic": "all", "where": {"equals": 0}, **AFTER}, SEEDS)
    found = estimate(claims[0], Context(measured({}), prints_by_source(claims)))
    assert (found.state, found.counted) == ("not_run", None)
    assert found.reason
