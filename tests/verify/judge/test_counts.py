"""Counts (problems solved, seeds that did something) and the test of two of them, against known runs."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.manifest.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

AFTER = {"model": "m", "condition": "B3", "step": 5000}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
COUNT = {"quantity": "humaneval_plus", "model": "m", "measured_by": "scale_ladder"}
Judged = Callable[..., list[Verdict]]
Claims = Callable[..., list[Claim]]
Outcome = Callable[..., str]


@pytest.mark.parametrize(("solved", "expected"), [(96, "reproduced"), (98, "reproduced"), (99, "contradicted")])
def test_the_same_weights_solve_the_same_problems_within_two(
    outcome: Outcome, store: Any, claims_of: Claims, solved: int, expected: str
) -> None:
    claims = claims_of({"printed": "96/164", "condition": "B0", **COUNT})
    store.run(condition="B0", seed=None, values={("humaneval_plus", 0): solved}, n=164)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert f"({expected}: " in verdict.reason, "the runs carry no digest of the claim: it was stated after them"
    store.connection.execute("UPDATE runs SET claims = ?", [f'{{"{claims[0].id}": "{claims[0].digest}"}}'])
    assert outcome(assess(claims, store.connection)) == expected


@pytest.mark.parametrize(("solved", "expected"), [(61, "consistent"), (120, "contradicted"), (0, "contradicted")])
def test_a_retrained_count_is_judged_by_its_binomial_prediction_interval(
    outcome: Outcome, store: Any, claims_of: Claims, solved: int, expected: str
) -> None:
    claims = claims_of(
        {"printed": "60/164", "condition": "B3", "step": 5000, **COUNT},
        {"printed": "96/164", "condition": "B0", **COUNT},
    )
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(values={("humaneval_plus", 5000): solved}, n=164, claims=sealed)
    assert outcome(assess(claims, store.connection)) == expected


@pytest.mark.parametrize(("zeros", "expected"), [(8, "reproduced"), (0, "contradicted"), (2, "contradicted")])
def test_what_all_seeds_do_is_judged_as_a_count_of_runs(
    outcome: Outcome, judged: Judged, zeros: int, expected: str
) -> None:
    collapse = {"printed": "all 8 seeds", "statistic": "all", "where": {"equals": 0}, **AFTER}
    assert outcome(judged(collapse, SEEDS, after=[0.0] * zeros + [0.5] * (8 - zeros))) == expected


@pytest.mark.parametrize(
    ("b2", "b3", "expected"), [(79, 60, "reproduced"), (40, 100, "contradicted"), (75, 70, "inconclusive")]
)
def test_a_printed_z_is_recomputed_from_the_measured_counts(
    outcome: Outcome, store: Any, claims_of: Claims, b2: int, b3: int, expected: str
) -> None:
    (claim,) = claims_of(
        {"printed": "2.12", "statistic": "z", "against": {"condition": "B3"}, "condition": "B2", "step": 5000, **COUNT}
    )
    for condition, solved in (("B2", b2), ("B3", b3)):
        store.run(
            condition=condition, values={("humaneval_plus", 5000): solved}, n=164, claims={claim.id: claim.digest}
        )
    assert outcome(assess([claim], store.connection)) == expected
