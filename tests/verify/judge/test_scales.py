"""Printed standard deviations, correlations, z and p, judged on the scale where each is normal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.judge.scales import as_z, dispersion, outliers_spared
from repro.verify.verdict import Estimate, MeasuredCell, Verdict
from tests.verify.judge.test_promises import here, measured, paper
from tests.verify.judge.test_promises import judged as judged_on
from tests.verify.judge.test_promises import outcome as outcome_of

AFTER = {"model": "m", "condition": "B3", "step": 5000}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
SOLVED = "humaneval_plus"
COUNT = {"quantity": SOLVED, "model": "m", "measured_by": "scale_ladder"}
Claims = Callable[..., list[Claim]]
Judged = Callable[..., list[Verdict]]
Outcome = Callable[..., str]


def test_a_printed_sd_of_zero_has_no_ratio_to_another(outcome: Outcome, judged: Judged) -> None:
    assert (
        outcome(judged({"printed": "0.000 ± 0.000", **AFTER}, SEEDS, after=[0.0, 0.0, 0.4]), "c0~1")
        == "inconclusive"
    )


@pytest.mark.parametrize(
    ("after", "expected"),
    [(list(np.linspace(0.62, 0.66, 8)), "inconclusive"), (list(np.linspace(0.1, 0.9, 8)), "inconclusive"),
     ([0.6, 0.62], "inconclusive"), ([0.1, 0.2, 0.9], "inconclusive"), ([0.64] * 7 + [0.9], "inconclusive")],
)  # fmt: skip
def test_a_printed_sd_is_judged_by_the_interval_of_the_ratio(
    outcome: Outcome, judged: Judged, after: list[float], expected: str
) -> None:
    verdicts = judged({"printed": "0.641 ± 0.013", **AFTER}, SEEDS, after=after)
    assert outcome(verdicts, "c0~1") == expected


def test_a_correlation_is_judged_by_fishers_interval(store: Any, claims_of: Claims) -> None:
    conditions = ["B1", "B2", "B3", "B4", "B5", "B6"]
    claim = {"printed": "-0.94", "statistic": "spearman", "over": "condition", "among": conditions, "model": "m", "step": 5000,
             "of": {"quantity": "adapter_energy"}, "against": {"quantity": "humaneval_plus"}}  # fmt: skip
    (one,) = claims_of(claim)
    for number, condition in enumerate(conditions):
        values = {
            ("adapter_energy", 5000): float(number),
            ("humaneval_plus", 5000): 90.0 - 5 * number,
        }
        store.run(condition=condition, values=values, claims={one.id: one.digest})
    falling = assess([one], store.connection)[0]
    assert falling.estimate == pytest.approx(-1)
    assert falling.outcome == "inconclusive", "six points cannot tell −0.94 from half of it"
    store.connection.execute(
        "UPDATE measurements SET value = 100 - value WHERE quantity = 'humaneval_plus'"
    )
    assert assess([one], store.connection)[0].outcome == "contradicted"


@pytest.mark.parametrize(
    ("b2", "b3", "expected"),
    [(79, 60, "reproduced"), (40, 100, "contradicted"), (75, 70, "inconclusive")],
)
def test_a_printed_z_is_recomputed_from_the_measured_counts(
    outcome: Outcome, store: Any, claims_of: Claims, b2: int, b3: int, expected: str
) -> None:
    (claim,) = claims_of(
        {
            "printed": "2.12",
            "statistic": "z",
            "against": {"condition": "B3"},
            "condition": "B2",
            "step": 5000,
            **COUNT,
        }
    )
    for condition, solved in (("B2", b2), ("B3", b3)):
        for seed, off in enumerate((-1, 0, 1)):
            values = {("humaneval_plus", 5000): solved + off}
            store.run(
                condition=condition,
                seed=seed,
                values=values,
                n=164,
                claims={claim.id: claim.digest},
            )
    assert outcome(assess([claim], store.connection)) == expected


def test_a_printed_p_of_zero_stands_for_what_its_decimals_allow(
    store: Any, claims_of: Claims
) -> None:
    (claim,) = claims_of(
        {
            "printed": "0.000",
            "statistic": "p_two",
            "against": {"condition": "B3"},
            "condition": "B2",
            "step": 5000,
            **COUNT,
        }
    )
    for condition, solved in (("B2", 96), ("B3", 65)):
        for seed in range(3):
            values = {("humaneval_plus", 5000): solved}
            store.run(
                condition=condition,
                seed=seed,
                values=values,
                n=164,
                claims={claim.id: claim.digest},
            )
    verdict = assess([claim], store.connection)[0]
    assert verdict.estimate == pytest.approx(0.00062, abs=1e-5)
    assert verdict.outcome != "contradicted"


@pytest.mark.parametrize("printed", ["0.000", "0.0000", "<0.001"])
def test_a_p_printed_as_zero_is_met_by_what_its_decimals_allow(printed: str) -> None:
    claims = paper({"printed": printed, "statistic": "p_two", "condition": "B2", "step": 5000, "model": "m",
                    "against": {"condition": "B3"}}, quantity=SOLVED)  # fmt: skip
    cells = {(SOLVED, "m", "B2", 5000): [96] * 4, (SOLVED, "m", "B3", 5000): [65] * 4}
    assert outcome_of(claims, cells, n=164) != "contradicted"
    absent = {
        (SOLVED, "m", "B2", 5000): [80, 79, 81, 80],
        (SOLVED, "m", "B3", 5000): [80, 81, 79, 80],
    }
    assert outcome_of(claims, absent, n=164) == "contradicted"


def test_a_deviation_far_above_the_printed_one_is_contradicted_where_it_rests_on_no_few_runs() -> (
    None
):
    """Alone, before the correction for many tests. The control: two runs far out could be seeds of
    another cluster.
    """
    claims = paper({"printed": "0.641 ± 0.013", **AFTER}, {**SEEDS, "printed": "30"})
    wide, few = [*np.linspace(0.3, 0.98, 20)], [0.641, 0.642] * 9 + [0.1, 0.2]
    assert judged_on(claims, measured(here(wide)), 1)[0].outcome == "contradicted"
    found = judged_on(claims, measured(here(few)), 1)[0]
    assert found.outcome == "inconclusive"
    assert "which could be seeds of another cluster" in found.reason
    narrow = judged_on(claims, measured(here([*np.linspace(0.6405, 0.6415, 20)])), 1)[0]
    assert narrow.outcome == "inconclusive"
    assert "a smaller SD is what seeds in two clusters give" in narrow.reason


@pytest.mark.parametrize("n", [3, 5, 8, 20])
@pytest.mark.parametrize("m", [3, 8, 12])
def test_the_runs_spared_are_the_fewest_that_a_missed_cluster_hardly_exceeds(
    n: int, m: int
) -> None:
    """Runs fall into a cluster of share 1 − q that n seeds missed: q^n · P(more than so many)."""
    q = np.linspace(0.01, 0.99, 99)
    chances = [float(np.max(q**n * stats.binom.sf(spare, m, 1 - q))) for spare in range(m)]
    expected = next(spare for spare, chance in enumerate(chances) if chance <= 0.05)
    spare, chance = outliers_spared(n, m)
    assert spare == expected
    assert chance == pytest.approx(chances[expected], abs=1e-12)


@given(st.floats(1e-12, 0.999))
def test_a_p_becomes_the_z_that_has_it(p: float) -> None:
    assert as_z("p_one", p) == pytest.approx(stats.norm.isf(p), abs=1e-6)
    assert as_z("p_two", p) == pytest.approx(stats.norm.isf(p / 2), abs=1e-6)


def test_a_z_is_unchanged_and_a_p_of_zero_is_large_and_finite() -> None:
    assert as_z("z", -3.5) == -3.5
    assert 30 < as_z("p_two", 0.0) < 40
    assert as_z("p_one", 1.0) < -8


def test_a_z_spreads_as_much_more_as_trainings_differ_more_than_counts() -> None:
    def cell(sd: float | None, runs: int) -> MeasuredCell:
        return MeasuredCell(name="c", mean=80.0, sd=sd, runs=runs, least_sd=6.0)

    def of(*cells: MeasuredCell) -> float:
        return dispersion(Estimate(state="measured", cells=cells))

    assert of(cell(12.0, 3), cell(9.0, 3)) == 2.0
    assert of(cell(3.0, 3)) == 1.0, "counts alone make it at least as wide"
    assert of(cell(12.0, 2), cell(None, 1)) == 1.0, "two runs tell no spread"
