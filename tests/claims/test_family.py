"""Families of tests: headline claims are one, and the rest counts cell by cell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.claim import Term
from repro.claims.family import families, level_factors, measured_cell
from tests.verify.judge.test_promises import AFTER, paper

MEAN: dict[str, Any] = {"printed": "0.500 ± 0.100", **AFTER}
CHANGE: dict[str, Any] = {
    "statistic": "relative_change",
    "of": "mean",
    "against": {"step": 0},
    **AFTER,
}


def test_claims_about_one_cell_are_one_test_whose_mean_has_half_the_level() -> None:
    claims = paper(
        {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER},
        {"printed": "-40%", **CHANGE},
        MEAN,
        {"printed": "0.51", "seed": 0, **AFTER},
        {"printed": "8", "statistic": "count", **AFTER},
        {**MEAN, "model": "other"},
    )
    found = families(claims)
    assert found.headline == ()
    assert [len(cell) for cell in found.cells] == [5, 2]
    assert found.cells[0][0] == "paper/c2~0", "the mean, wherever it stands"
    assert level_factors(found.cells[0]) == {
        name: 2 if name == "paper/c2~0" else 8 for name in found.cells[0]
    }
    assert sorted({claim.tests for claim in claims}) == [1, 4, 16], "settings are no tests"


@pytest.mark.parametrize("declared", [True, False])
def test_headlines_are_declared_or_those_of_the_abstract(declared: bool) -> None:
    claims = paper({**MEAN, "headline": declared}, {**MEAN, "model": "b", "locator": "Abstract"})
    headline = {claim.id for claim in claims if claim.headline}
    assert headline == ({"paper/c0~0", "paper/c0~1"} if declared else {"paper/c1~0", "paper/c1~1"})
    assert families(claims).headline == tuple(sorted(headline))


@given(st.integers(1, 40))
def test_the_claims_of_a_cell_share_one_level_half_of_it_the_first_ones(size: int) -> None:
    factors = level_factors([f"c{i}" for i in range(size)])
    assert sum(1 / factor for factor in factors.values()) == pytest.approx(1.0)
    assert factors["c0"] == (1 if size == 1 else 2)


def test_a_headline_is_corrected_for_the_headlines_alone() -> None:
    claims = paper(
        {**MEAN, "headline": True},
        {**MEAN, "headline": True, "model": "b"},
        *({**MEAN, "model": f"m{i}"} for i in range(3)),
    )
    tests = {claim.id: claim.tests for claim in claims}
    assert {tests[name] for name in families(claims).headline} == {4}
    assert {count for name, count in tests.items() if name not in families(claims).headline} == {6}


def test_a_cell_is_the_same_whatever_its_seed_and_its_start() -> None:
    after = Term(quantity="q", selector={"model": "m", "condition": "B3", "step": 500})
    before = Term(quantity="q", selector={"model": "m", "step": 0})
    of_seed = after.model_copy(update={"selector": {**after.selector, "seed": 1}})
    mean = Term(statistic="mean", quantity="q", over="seed", of=after)
    change = Term(statistic="difference", quantity="q", of=mean, against=before)
    assert {measured_cell(one) for one in (after, of_seed, mean, change)} == {measured_cell(after)}
    over_tasks = Term(statistic="mean", quantity="q", over="task", of=after)
    assert measured_cell(over_tasks) != measured_cell(after)
    assert measured_cell(before) != measured_cell(after)
