"""Cells behind an estimate: their slopes, the least spread of a share, the interval of a value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.claims.claim import Claim, Term
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context, interval, is_base_model, least_sd
from repro.verify.estimate.estimate import estimate
from repro.verify.estimate.measured import CellSample
from repro.verify.evidence.columns import Column
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.trained import Trained
from repro.verify.verdict import Estimate, MeasuredCell
from tests.verify.judge.test_promises import AFTER, BASE, EI, MANIFEST, here, measured, paper


def sample(quantity: str, values: list[float], n: int, statistic: str = "mean") -> CellSample:
    """A cell's values over n probes."""
    term = Term(quantity=quantity, selector={"model": "m"})
    column = Column(np.arange(len(values)), np.array(values), observations=n)
    return CellSample(term, statistic, column)


@given(st.integers(1, 47))
def test_a_share_varies_at_least_as_draws_of_so_many_probes_do(hits: int) -> None:
    expected = stats.binom.std(48, hits / 48) / 48
    assert least_sd(sample("accuracy", [hits / 48], 48)) == pytest.approx(expected)


def test_a_share_of_none_or_all_counts_as_half_a_probe_away() -> None:
    expected = stats.binom.std(48, 0.5 / 48) / 48
    for share in (0.0, 1.0):
        assert least_sd(sample("accuracy", [share], 48)) == pytest.approx(expected)


def test_a_count_of_problems_varies_as_a_binomial_and_any_other_number_as_it_does() -> None:
    assert least_sd(sample("humaneval_plus", [80.0, 84.0], 164)) == pytest.approx(
        stats.binom.std(164, 82 / 164)
    )
    assert least_sd(sample(EI, [0.5], 48)) == 0
    assert least_sd(sample("accuracy", [0.5], 0)) == 0, "of how many probes is not known"
    assert least_sd(sample("accuracy", [0.5, 0.6], 48, "sd")) == 0


def estimated(claims: tuple[Claim, ...], evidence: Evidence) -> Estimate:
    """The estimate of the first claim."""
    return estimate(claims[0], Context(evidence, prints_by_source(claims)))


def test_slopes_are_the_derivatives_of_the_claimed_number() -> None:
    """Of 100 (x / y − 1): 100 / y and −100 x / y²."""
    change = {
        "printed": "-40%",
        "statistic": "relative_change",
        "of": "mean",
        "against": {"condition": "B2"},
        **AFTER,
    }
    cells = {(EI, "m", "B3", 5000): [0.5, 0.7], (EI, "m", "B2", 5000): [0.9, 1.1]}
    found = estimated(paper(change), measured(cells))
    assert found.value == pytest.approx(-40.0)
    assert [cell.slope for cell in found.cells] == pytest.approx([100.0, -60.0], rel=1e-3)


def test_a_claim_that_is_the_cell_itself_has_a_slope_of_one_and_both_spreads() -> None:
    claims = paper(
        {"printed": "0.641 ± 0.009", **AFTER}, {"printed": "8", "statistic": "count", **AFTER}
    )
    (cell,) = estimated(claims, measured(here([0.5, 0.7]))).cells
    assert (cell.slope, cell.mean, cell.runs) == (1.0, pytest.approx(0.6), 2)
    assert cell.sd == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert (cell.printed_seeds, cell.averaged, cell.printed_mean) == (8, 8, 0.641)
    assert cell.printed_sd == pytest.approx(0.0095), "the largest that rounds to 0.009"
    assert cell.values == (0.5, 0.7)


def test_a_declared_spread_counts_where_it_is_not_below_the_printed_one() -> None:
    claims = paper(
        {"printed": "0.641 ± 0.009", **AFTER}, {"printed": "8", "statistic": "count", **AFTER}
    )

    def declared(sd: float) -> float | None:
        tolerance = claims[0].tolerance.model_copy(update={"parameters": {"sd": sd, "n": 5}})
        claim = claims[0].model_copy(update={"tolerance": tolerance})
        (cell,) = estimated((claim, *claims[1:]), measured(here([0.5, 0.7]))).cells
        assert cell.printed_seeds == 5
        return cell.printed_sd

    assert declared(0.2) == 0.2
    assert declared(0.001) == pytest.approx(0.0095)


def cell(values: list[float], slope: float = 1.0, **fields: object) -> MeasuredCell:
    """A cell with these values."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    made = MeasuredCell(name="c", mean=float(np.mean(values)), sd=sd, runs=len(values), slope=slope)
    return made.model_copy(update=fields)


def test_the_interval_of_a_mean_is_students() -> None:
    values = [0.1, 0.5, 0.3, 0.2]
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert interval(float(np.mean(values)), (cell(values),)) == pytest.approx(expected)


def test_the_interval_of_a_difference_is_welchs() -> None:
    ours, theirs = [0.1, 0.5, 0.3, 0.2], [0.9, 0.8, 1.4]
    test = stats.ttest_ind(ours, theirs, equal_var=False)
    expected = test.confidence_interval(0.95)
    found = interval(float(np.mean(ours) - np.mean(theirs)), (cell(ours), cell(theirs, -1.0)))
    assert found == pytest.approx((expected.low, expected.high))


def test_a_single_run_and_a_spread_itself_have_no_interval() -> None:
    assert interval(0.5, (cell([0.5]),)) == (None, None)
    assert interval(0.5, (cell([0.4, 0.6]), cell([0.5]))) == (None, None)
    assert interval(0.1, (cell([0.4, 0.6], statistic="sd"),)) == (None, None)
    assert interval(0.5, ()) == (None, None)


def test_a_base_model_is_step_0_of_a_run_that_starts_from_none() -> None:
    def of(**selector: str | int) -> Term:
        return Term(quantity=EI, selector={"model": "m", **selector})

    evidence = Evidence()
    evidence.trained[MANIFEST, "m", "B3-B2"] = Trained(continued=True)
    assert is_base_model(of(condition="B0"), evidence, MANIFEST)
    assert is_base_model(of(condition="B3", step=0), evidence, MANIFEST)
    assert not is_base_model(of(condition="B3", step=500), evidence, MANIFEST)
    assert not is_base_model(of(condition="B3-B2", step=0), evidence, MANIFEST)
    (start,) = estimated(
        paper({"printed": "0.9", "statistic": "mean", **BASE}),
        measured({(EI, "m", "B3", 0): [0.9]}),
    ).cells
    assert start.measured_once
    assert math.isclose(start.mean, 0.9)
