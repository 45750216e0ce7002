"""Which runs a verdict rests on: each with its own start, healthy, defined, the newest of its slot;
none is never a pass.
"""

from collections.abc import Callable
from typing import Any

import pytest

from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
SPREAD = {"printed": "0.641 ± 0.009", **AFTER}
BASE = {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
ORDER = {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER}
Judged = Callable[..., list[Verdict]]
Claims = Callable[..., list[Claim]]


def test_a_statistic_over_seeds_of_a_change_pairs_each_run_with_its_own_start(
    store: Any, claims_of: Claims
) -> None:
    """Changes −0.1 and −0.5 with median −0.3; unpaired medians would give the same, their minimum
    would not.
    """
    change = {"statistic": "difference", "against": {"step": 0}}
    claims = claims_of(
        {"printed": "-0.50", "statistic": "min", "of": change, **AFTER},
        {
            "printed": "2 of 2",
            "statistic": "count_where",
            "where": {"below": 0},
            "of": change,
            **AFTER,
        },
    )
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, (before, after) in enumerate([(0.9, 0.8), (1.2, 0.7)]):
        store.run(seed=seed, values={(EI, 0): before, (EI, 5000): after}, claims=sealed)
    lowest, falls = assess(claims, store.connection)
    assert lowest.estimate == pytest.approx(-0.5)
    assert falls.estimate == 2


def test_nothing_run_never_passes(judged: Judged) -> None:
    """Every kind that needs a run is not_run without one, whatever is printed."""
    lone = [{"printed": "0.000", **AFTER, "seed": seed} for seed in (0, 1)]
    verdicts = judged(SPREAD, BASE, ORDER, *lone, after=[])
    assert {verdict.outcome for verdict in verdicts} == {"not_run"}


def test_numbers_of_a_diverged_run_never_count(store: Any, claims_of: Claims) -> None:
    claims = claims_of(SPREAD, BASE, SEEDS)
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(seed=0, values={(EI, 5000): 0.641}, status="diverged", claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert "diverged" in verdict.reason
    store.run(seed=1, values={(EI, 5000): 0.645}, claims=sealed)
    healthy = assess(claims, store.connection)[0]
    assert (healthy.n, healthy.estimate) == (1, 0.645), "the healthy run alone"


def test_an_undefined_value_is_left_out_and_named(store: Any, claims_of: Claims) -> None:
    claims = claims_of(SPREAD, BASE, SEEDS)
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(seed=0, values={(EI, 5000): None}, claims=sealed)
    assert assess(claims, store.connection)[0].outcome == "inconclusive"
    store.run(seed=1, values={(EI, 5000): 0.64}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert verdict.n == 1
    assert verdict.artefacts["health"]["left_out"] == [
        "seed 0: no direction damages its own concept"
    ]


def test_the_newest_run_of_a_slot_counts_once(store: Any, claims_of: Claims) -> None:
    claims = claims_of(SPREAD, BASE, SEEDS)
    sealed = {claim.id: claim.digest for claim in claims}
    store.run(seed=0, values={(EI, 5000): 0.1}, claims=sealed)
    store.run(seed=0, values={(EI, 5000): 0.64}, claims=sealed)
    verdict = assess(claims, store.connection)[0]
    assert (verdict.n, verdict.estimate) == (1, 0.64)
