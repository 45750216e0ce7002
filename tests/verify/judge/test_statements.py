"""Statements in words (orderings, trends, absence and presence of an effect, correlations,
categories) against known runs.
"""

from collections.abc import Callable
from typing import Any

import pytest

from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
ORDER = {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER}
Judged = Callable[..., list[Verdict]]
Claims = Callable[..., list[Claim]]
Outcome = Callable[..., str]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.5, 0.52, 0.51], "reproduced"),
        ([1.5, 1.52, 1.51], "contradicted"),
        ([0.5, 1.3, 0.8], "inconclusive"),
        ([0.5], "inconclusive"),
    ],
)
def test_an_ordering_is_judged_by_an_exact_t(
    outcome: Outcome, judged: Judged, after: list[float], expected: str
) -> None:
    assert outcome(judged(ORDER, after=after)) == expected


def test_a_trend_over_models_is_judged_by_its_components(store: Any, claims_of: Claims) -> None:
    claims = claims_of(
        {"printed": "monotonically", "statistic": "monotone", "order": "decreasing", "over": "model", "of": "mean",
         "among": ["a", "b", "c"], "condition": "B3", "step": 5000},
        {"printed": "monotonically", "statistic": "monotone", "order": "increasing", "over": "model", "of": "mean",
         "among": ["a", "b", "c"], "condition": "B3", "step": 5000},
        {"printed": "largest", "statistic": "highest", "which": "a", "over": "model", "of": "mean",
         "among": ["a", "b", "c"], "condition": "B3", "step": 5000},
    )  # fmt: skip
    sealed = {claim.id: claim.digest for claim in claims}
    for model, mean in {"a": 0.64, "b": 0.06, "c": 0.0}.items():
        for seed in range(3):
            store.run(
                model,
                seed=seed,
                values={(EI, 5000): mean + 0.01 * seed * (mean > 0)},
                claims=sealed,
            )
    assert [verdict.outcome for verdict in assess(claims, store.connection)] == [
        "reproduced",
        "contradicted",
        "reproduced",
    ]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["shape"] * 5, "reproduced"),
        (["register"] * 5, "contradicted"),
        (["shape"] * 4, "inconclusive"),
        (["shape"] * 6 + ["domain"] * 5 + ["register"] * 5 + ["form"] * 4, "inconclusive"),
        (["shape", "domain"], "inconclusive"),
    ],
)
def test_a_category_is_decided_by_enough_runs_that_agree(
    outcome: Outcome, store: Any, claims_of: Claims, votes: list[str], expected: str
) -> None:
    (claim,) = claims_of(
        {"printed": "shape", "quantity": "weakest_concept", **AFTER, "reads": "text"}
    )
    for seed, concept in enumerate(votes):
        store.run(
            seed=seed,
            values={("weakest_concept", 5000, concept): 1e-4},
            claims={claim.id: claim.digest},
        )
    assert outcome(assess([claim], store.connection)) == expected


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ([8.0] * 8, "consistent"),
        ([8.0] * 2, "inconclusive"),
        ([7.0, 6.0, 7.0, 6.0], "contradicted"),
    ],
)
def test_a_measured_rank_is_held_against_the_rank_that_the_probes_class_counts_allow(
    store: Any, claims_of: Claims, ranks: list[float], expected: str
) -> None:
    """3 domains, 4 registers, 4 shapes: Σ(m − 1) = 8. The manifest knows its probes, so no run has
    to record it.
    """
    nominal = {
        "quantity": "nominal_rank",
        "statistic": "rank_bound",
        "model": None,
        "step": None,
        "condition": None,
    }
    claims = claims_of(
        {
            "printed": "all of them",
            "quantity": "rank",
            "statistic": "equals",
            "of": "mean",
            **AFTER,
            "against": nominal,
        }
    )
    for seed, rank in enumerate(ranks):
        store.run(
            seed=seed,
            values={("rank", 5000): rank},
            claims={claim.id: claim.digest for claim in claims},
        )
    assert [verdict.outcome for verdict in assess(claims, store.connection)] == [expected]
