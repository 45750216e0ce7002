"""Counts (problems solved, seeds that did something) and the test of two of them, against known
runs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

AFTER = {"model": "m", "condition": "B3", "step": 5000}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
COUNT = {"quantity": "humaneval_plus", "model": "m", "measured_by": "scale_ladder"}
Judged = Callable[..., list[Verdict]]
Claims = Callable[..., list[Claim]]
Outcome = Callable[..., str]


@pytest.mark.parametrize(
    ("solved", "expected"), [(96, "reproduced"), (99, "reproduced"), (101, "contradicted")]
)
def test_the_same_weights_solve_the_same_problems_within_what_flipped_answers_allow(
    outcome: Outcome, store: Any, claims_of: Claims, solved: int, expected: str
) -> None:
    claims = claims_of({"printed": "96/164", "condition": "B0", **COUNT})
    store.run(condition="B0", seed=None, values={("humaneval_plus", 0): solved}, n=164)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert f"({expected}: " in verdict.reason, (
        "the runs carry no digest of the claim: it was stated after them"
    )
    store.connection.execute(
        "UPDATE runs SET claims = ?", [f'{{"{claims[0].id}": "{claims[0].digest}"}}']
    )
    assert outcome(assess(claims, store.connection)) == expected


@pytest.mark.parametrize(
    ("solved", "expected"), [(61, "consistent"), (120, "inconclusive"), (0, "inconclusive")]
)
def test_a_retrained_count_is_judged_by_its_binomial_prediction_interval(
    store: Any, claims_of: Claims, solved: int, expected: str
) -> None:
    claims = claims_of(
        {"printed": "60/164", "condition": "B3", "step": 5000, **COUNT},
        {"printed": "96/164", "condition": "B0", **COUNT},
    )
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(values={("humaneval_plus", 5000): solved}, n=164, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == expected
    assert "fewer than 3 trainings" in verdict.reason, (
        "one training shows no spread between trainings"
    )


@pytest.mark.parametrize(
    ("solved", "expected"),
    [
        ((88, 68, 90, 72, 80, 64, 86, 78), "inconclusive"),
        ((88, 89, 90, 92, 87, 91, 86, 88), "contradicted"),
    ],
)
def test_retrained_counts_are_judged_by_the_spread_between_trainings(
    store: Any, claims_of: Claims, solved: tuple[int, ...], expected: str
) -> None:
    """Pooled as independent tries both would be far outside; an SD of 9.6 between trainings
    explains the first.
    """
    claims = claims_of({"printed": "60/164", "condition": "B3", "step": 5000, **COUNT})
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, count in enumerate(solved):
        store.run(seed=seed, values={("humaneval_plus", 5000): count}, n=164, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    sd = max(
        np.std(solved, ddof=1), np.sqrt(164 * np.mean(solved) / 164 * (1 - np.mean(solved) / 164))
    )
    assert verdict.p == pytest.approx(
        2 * stats.t.sf((np.mean(solved) - 60) / (sd * np.sqrt(1 + 1 / 8)), 7), abs=1e-9
    )
    assert verdict.outcome == expected


@pytest.mark.parametrize(
    ("zeros", "expected"), [(8, "consistent"), (0, "contradicted"), (2, "contradicted")]
)
def test_what_all_seeds_do_is_judged_as_a_count_of_runs(
    outcome: Outcome, judged: Judged, zeros: int, expected: str
) -> None:
    collapse = {"printed": "all 8 seeds", "statistic": "all", "where": {"equals": 0}, **AFTER}
    assert outcome(judged(collapse, SEEDS, after=[0.0] * zeros + [0.5] * (8 - zeros))) == expected
