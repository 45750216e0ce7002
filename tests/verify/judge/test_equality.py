"""Two means are equal or differ where a strong enough test shows it; a weak one shows neither."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.verify.assess import _adjusted, _fields
from repro.verify.judge.equality import error_parts, no_difference_p, thin_limits
from repro.verify.verdict import Estimate, MeasuredCell, Verdict
from tests.verify.judge.test_promises import judged as judged_on
from tests.verify.judge.test_promises import measured, paper
from tests.verify.judge.test_promises import outcome as outcome_of

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
Judged = Callable[..., list[Verdict]]
Outcome = Callable[..., str]


def side(values: list[float], slope: float = 1.0, *, once: bool = False) -> MeasuredCell:
    """One side of a difference."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return MeasuredCell(
        name="c",
        mean=float(np.mean(values)),
        sd=sd,
        runs=len(values),
        slope=slope,
        values=tuple(values),
        measured_once=once,
    )


def difference(first: MeasuredCell, second: MeasuredCell) -> Estimate:
    """The first less the second."""
    return Estimate(state="measured", value=first.mean - second.mean, cells=(first, second))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.9, 0.901, 0.899, 0.9], "reproduced"),
        ([0.3, 0.31, 0.29, 0.3], "contradicted"),
        ([0.6, 1.2], "inconclusive"),
    ],
)
def test_absence_of_an_effect_must_be_shown(
    outcome: Outcome, judged: Judged, after: list[float], expected: str
) -> None:
    stable = {
        "printed": "stable",
        "statistic": "no_effect",
        "of": "mean",
        "against": {"step": 0},
        **AFTER,
    }
    printed = [
        {"printed": "0.500", **AFTER, "statistic": "mean"},
        {"printed": "0.900", "model": "m", "step": 0},
    ]
    assert outcome(judged(stable, *printed, after=after)) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.3, 0.31, 0.29], "reproduced"),
        ([0.9, 0.901, 0.899, 0.9], "contradicted"),
        ([0.6, 1.2], "inconclusive"),
    ],
)
def test_significance_is_not_refuted_by_a_weak_test(
    outcome: Outcome, judged: Judged, after: list[float], expected: str
) -> None:
    differs = {
        "printed": "significantly",
        "statistic": "significant",
        "of": "mean",
        "against": {"step": 0},
        **AFTER,
    }
    printed = [
        {"printed": "0.500", **AFTER, "statistic": "mean"},
        {"printed": "0.900", "model": "m", "step": 0},
    ]
    assert outcome(judged(differs, *printed, after=after)) == expected


@pytest.mark.parametrize(
    ("printed", "ours", "other", "expected"),
    [
        ("significantly lower", [0.90, 0.91, 0.92], [0.60, 0.61, 0.62], "contradicted"),
        ("significantly lower", [0.60, 0.61, 0.62], [0.90, 0.91, 0.92], "reproduced"),
        ("a significant gain", [0.60, 0.61, 0.62], [0.90, 0.91, 0.92], "contradicted"),
        ("a significant gain", [0.90, 0.91, 0.92], [0.60, 0.61, 0.62], "reproduced"),
        ("significantly reduced", [0.90, 0.91, 0.92], [0.60, 0.61, 0.62], "contradicted"),
        ("differ significantly", [0.90, 0.91, 0.92], [0.60, 0.61, 0.62], "reproduced"),
        ("significantly lower", [0.60, 0.61], [0.90, 0.91], "consistent"),
        ("significantly lower", [0.6, 0.9, 0.7], [0.8, 0.7, 0.9], "inconclusive"),
    ],
)
def test_a_significant_difference_has_the_sign_of_its_words(
    printed: str, ours: list[float], other: list[float], expected: str
) -> None:
    claims = paper(
        {
            "printed": printed,
            "statistic": "significant",
            "of": "mean",
            "against": {"condition": "B2"},
            **AFTER,
        }
    )
    assert (
        outcome_of(claims, {(EI, "m", "B3", 5000): ours, (EI, "m", "B2", 5000): other}) == expected
    )


def test_the_p_of_a_significant_difference_is_no_p_of_a_contradiction() -> None:
    claims = paper(
        {
            "printed": "significant",
            "statistic": "significant",
            "of": "mean",
            "against": {"condition": "B2"},
            **AFTER,
        }
    )
    evidence = measured(
        {(EI, "m", "B3", 5000): [0.60, 0.61, 0.62], (EI, "m", "B2", 5000): [0.90, 0.91, 0.92]}
    )
    found, estimated = judged_on(claims, evidence)
    verdict = _adjusted([Verdict(**_fields(claims[0], estimated, found))])[0]
    assert verdict.outcome == "reproduced"
    assert (verdict.p, verdict.p_holm) == (1.0, 1.0)


def test_no_effect_is_held_against_the_claims_own_cells_and_not_against_the_range_of_all_prints() -> (
    None
):
    none = {
        "printed": "indistinguishable",
        "statistic": "no_effect",
        "of": "mean",
        "against": {"condition": "B2"},
        **AFTER,
    }
    others = [{"printed": "0.774", "statistic": "mean", "model": "m", "condition": "B1", "step": 20},
              {"printed": "0.000", "statistic": "mean", "model": "m", "condition": "B4", "step": 5000}]  # fmt: skip
    apart = {(EI, "m", "B3", 5000): [0.50, 0.51, 0.52], (EI, "m", "B2", 5000): [0.65, 0.66, 0.67]}
    assert outcome_of(paper(none, *others), apart) == "contradicted"
    together = {
        (EI, "m", "B3", 5000): [0.501, 0.502, 0.503],
        (EI, "m", "B2", 5000): [0.501, 0.502, 0.502],
    }
    assert outcome_of(paper(none, *others), together) == "reproduced"


NUMBERS = st.lists(st.integers(0, 1000).map(lambda number: number / 100), min_size=2, max_size=9)


@given(NUMBERS, NUMBERS)
def test_the_p_of_a_difference_is_welchs(ours: list[float], theirs: list[float]) -> None:
    if np.std(ours) < 1e-3 or np.std(theirs) < 1e-3:
        return
    found = difference(side(ours), side(theirs, -1.0))
    parts = error_parts(found)
    assert parts is not None
    assert isinstance(found.value, float)
    expected = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
    assert no_difference_p(found.value, parts) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_side_whose_runs_agree_borrows_the_other_sides_spread() -> None:
    ours, theirs = side([0.1, 0.2, 0.3]), side([0.5] * 4, -1.0)
    parts = error_parts(difference(ours, theirs))
    assert parts is not None
    assert [part for pair in parts for part in pair] == pytest.approx([0.01 / 3, 2, 0.01 / 4, 3])


def test_without_a_spread_or_with_a_single_run_there_is_no_error() -> None:
    assert error_parts(difference(side([0.25] * 3), side([0.5] * 3, -1.0))) is None
    assert error_parts(difference(side([0.1, 0.2]), side([0.5], -1.0))) is None
    assert error_parts(difference(side([0.1, 0.2]), side([0.5], 0.0))) is not None, (
        "a cell that does not move the value has no part in its error"
    )


@pytest.mark.parametrize(
    ("runs", "words"),
    [(1, "1 run a side, fewer than 3"), (2, "2 runs a side, fewer than 3"), (3, ""), (4, "")],
)
def test_fewer_than_three_runs_a_side_contradict_nothing(runs: int, words: str) -> None:
    values = [0.1 * math.sqrt(number) for number in range(runs)]
    base = side([0.5], -1.0, once=True)
    limits = thin_limits(difference(side(values), base))
    assert limits.contradicts == words
    assert limits.reproduces == (f"at best consistent, {words}" if words else "")


@pytest.mark.parametrize(
    ("runs", "expected"), [(1, "inconclusive"), (2, "inconclusive"), (5, "reproduced")]
)
def test_where_all_runs_of_a_side_agree_ranks_alone_decide(runs: int, expected: str) -> None:
    differ = {
        "printed": "significantly lower",
        "statistic": "significant",
        "of": "mean",
        "against": {"condition": "B2"},
        **AFTER,
    }
    ours, theirs = [0.1] * runs, [0.4] * runs
    cells = {(EI, "m", "B3", 5000): ours, (EI, "m", "B2", 5000): theirs}
    assert outcome_of(paper(differ), cells) == expected
    turned = {(EI, "m", "B3", 5000): theirs, (EI, "m", "B2", 5000): ours}
    against = "contradicted" if expected == "reproduced" else "inconclusive"
    assert outcome_of(paper(differ), turned) == against
