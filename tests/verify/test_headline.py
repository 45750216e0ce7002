"""A plan says what its seeds could decide about a paper's headline claims, before anything runs."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.verify.headline import headline_notes, seeds_of, spread_out
from tests.verify.judge.test_promises import AFTER, BASE, EI, MANIFEST, paper

PRINTED = {"printed": "0.500 ± 0.060", **AFTER}
START = {"printed": "0.700", "statistic": "mean", **BASE}


def seeds(n: int) -> dict[str, object]:
    """That so many seeds stand behind the cell."""
    return {"printed": str(n), "statistic": "count", **AFTER}


@pytest.mark.parametrize(
    ("planned", "words"),
    [(30, "these seeds can decide it"), (3, "these seeds cannot decide it"), (0, "no run of m")],
)
def test_a_plan_says_whether_its_seeds_can_decide_a_headline_claim(
    planned: int, words: str
) -> None:
    claims = paper({**PRINTED, "headline": True}, START, seeds(30))
    lines = list(headline_notes(MANIFEST, {("m", "B3"): planned}, claims))
    named = [name for line in lines for name in line.partition(": ")[0].split(", ")]
    assert len(named) == 2, "the mean and its SD"
    assert words in lines[0]


def test_claims_of_which_a_plan_says_the_same_share_a_line() -> None:
    claims = paper({**PRINTED, "headline": True}, START, seeds(30))
    (line,) = headline_notes(MANIFEST, {}, claims)
    assert line.count("no run of m under B3 is planned") == 1
    assert line.count("headline ") == 1
    assert all(claim.id in line for claim in claims if claim.headline)


def test_a_claim_that_names_no_model_is_told_so_also_of_base_models() -> None:
    start = {"printed": "0.70", "quantity": EI, "condition": "B0", "step": 0, "headline": True}
    (line,) = headline_notes(MANIFEST, {}, paper(start))
    assert line.endswith("it names no one model and condition")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ([{"printed": "0.500", "headline": True, **AFTER}, START], "no spread of .* is printed"),
        (
            [
                {
                    "printed": "falls",
                    "statistic": "below",
                    "of": "mean",
                    "against": {"step": 0},
                    "headline": True,
                    **AFTER,
                }
            ],
            "is not printed",
        ),
        (
            [
                {"printed": "0.500 ± 0.060", "headline": True, "model": "m", "condition": "B3"},
                START,
            ],
            "is claimed of no one step",
        ),
    ],
)
def test_without_the_prints_power_cannot_be_planned_and_the_reason_is_told(
    written: list[dict[str, object]], words: str
) -> None:
    lines = [*headline_notes(MANIFEST, {("m", "B3"): 8}, paper(*written, seeds(8)))]
    assert lines
    assert all(line.startswith("headline paper/c0~") for line in lines)
    assert any(re.search(f"its power cannot be planned: .*{words}", line) for line in lines), lines


def test_claims_of_another_manifest_and_those_that_are_no_headline_are_not_told() -> None:
    claims = paper({**PRINTED, "headline": True}, START, seeds(8))
    assert [*headline_notes("another", {("m", "B3"): 8}, claims)] == []
    plain = [claim for claim in claims if not claim.headline]
    assert plain
    assert [*headline_notes(MANIFEST, {("m", "B3"): 8}, plain)] == []


@given(st.floats(-5, 5), st.floats(0.01, 3), st.integers(2, 40))
def test_spread_out_numbers_have_exactly_the_printed_mean_and_deviation(
    mean: float, sd: float, count: int
) -> None:
    values = spread_out(mean, sd, count)
    assert len(values) == count
    assert np.mean(values) == pytest.approx(mean, abs=1e-9)
    assert np.std(values, ddof=1) == pytest.approx(sd)
    assert np.ptp(np.diff(values)) < 1e-9, "evenly spaced"


def test_one_number_is_its_mean() -> None:
    assert spread_out(0.25, 0.5, 1).tolist() == [0.25]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"))))
def test_seeds_are_counted_by_model_and_condition(places: list[tuple[str, str]]) -> None:
    assert seeds_of(places) == Counter(places)
