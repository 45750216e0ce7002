"""Verdicts together: order, counts, exit codes, Holm, artefact tests, what it would take."""

import pytest

from repro.claims.papers import load_claims
from repro.verify.assess import assess, counts, exit_code
from repro.verify.verdict import OUTCOMES, Verdict

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
MEAN = {"printed": "0.641 ± 0.009", **AFTER}
BASE = {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}


def verdict(outcome: str, basis: str = "measured") -> Verdict:
    return Verdict(
        id="p/t/x", source="p", locator="t", printed="1", value=1.0, kind="seed_mean", basis=basis, outcome=outcome,
        tolerance="exact", reason="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["reproduced", "consistent", "inconclusive", "unverifiable"], 0),
        (["reproduced", "not_run"], 3),
        (["not_run", "contradicted"], 1),
        ([], 0),
    ],
)
def test_the_exit_code_says_contradicted_before_incomplete(outcomes: list[str], code: int) -> None:
    assert exit_code([verdict(outcome) for outcome in outcomes]) == code


def test_what_fails_by_definition_counts_as_contradicted_and_a_setting_that_differs_does_not() -> (
    None
):
    assert exit_code([verdict("not_run"), verdict("fails", "definition")]) == 1
    assert exit_code([verdict("holds", "definition"), verdict("differs", "setting")]) == 0


def test_every_outcome_of_every_basis_is_counted_even_at_zero() -> None:
    found = counts([verdict("not_run"), verdict("differs", "setting")])
    assert {basis: tuple(outcomes) for basis, outcomes in found.items()} == OUTCOMES
    assert sum(sum(outcomes.values()) for outcomes in found.values()) == 2
    assert (found["measured"]["not_run"], found["setting"]["differs"]) == (1, 1)


def test_every_claim_of_every_paper_gets_one_verdict_in_its_place() -> None:
    claims = load_claims()
    verdicts = assess(claims, None)
    assert [v.id for v in verdicts] == [claim.id for claim in claims]
    measured = [
        v
        for claim, v in zip(claims, verdicts, strict=True)
        if claim.kind in ("seed_mean", "single_run", "spread")
    ]
    assert {v.outcome for v in measured} <= {"not_run", "unverifiable"}, (
        "without a run nothing measured passes"
    )


def test_what_it_would_take_is_said_for_claims_that_were_not_run(claims_of) -> None:
    claims = claims_of(MEAN, SEEDS)
    told = assess(claims, None, needs=lambda claim: f"needs 3 runs of {claim.measured_by}")
    assert told[0].reason.endswith("needs 3 runs of scale_ladder")


def collapse_claims(claims_of) -> list:
    """That EI is 0 at the end, in mean, in every seed, and from some step on."""
    return claims_of(
        {"printed": "0.000 ± 0.000", **AFTER},
        BASE,
        SEEDS,
        {
            "printed": "all",
            "statistic": "all",
            "over": "seed",
            "among": [0, 1, 2],
            "where": {"equals": 0},
            **AFTER,
        },
        {
            "printed": "4500",
            "statistic": "mean",
            "of": {"statistic": "collapse_step"},
            "model": "m",
            "condition": "B3",
        },
    )


def collapsed_runs(store, claims: list, status: str) -> None:
    """Three seeds whose EI falls to 0 within the last checkpoints, as activations that are not
    finite make it do.
    """
    for seed in range(3):
        values = {(EI, 0): 0.945, (EI, 4000): 0.9, (EI, 4500): 0.0, (EI, 5000): 0.0}
        store.run(
            seed=seed,
            values=values,
            status=status,
            claims={claim.id: claim.digest for claim in claims},
        )


def test_runs_that_collapse_and_are_done_count(store, claims_of) -> None:
    """The positive control of the next test: the very same numbers."""
    claims = collapse_claims(claims_of)
    collapsed_runs(store, claims, "done")
    found = {
        claim.printed: verdict
        for claim, verdict in zip(claims, assess(claims, store.connection), strict=True)
    }
    assert found["0.000 ± 0.000"].n == 3
    assert found["0.000 ± 0.000"].outcome == "inconclusive", "three zeros leave open 63 % others"
    assert found["all"].estimate is True
    assert found["4500"].estimate == 4500
    assert found["0.945"].estimate == pytest.approx(0.945)


def test_no_intensity_of_a_run_that_diverged_is_ever_counted(store, claims_of) -> None:
    claims = collapse_claims(claims_of)
    collapsed_runs(store, claims, "diverged")
    for claim, verdict in zip(claims, assess(claims, store.connection), strict=True):
        if claim.kind != "protocol":
            assert verdict.outcome in ("inconclusive", "not_run"), claim.printed
            assert verdict.estimate is None
            assert verdict.n == 0


def test_of_a_mixed_set_only_the_healthy_runs_count(store, claims_of) -> None:
    claims = collapse_claims(claims_of)
    collapsed_runs(store, claims, "diverged")
    sealed = {claim.id: claim.digest for claim in claims}
    for seed in (5, 6):
        store.run(
            seed=seed, values={(EI, 0): 0.945, (EI, 4500): 0.8, (EI, 5000): 0.7}, claims=sealed
        )
    found = assess(claims, store.connection)
    assert found[0].estimate == pytest.approx(0.7)
    assert found[0].n == 2
    assert found[0].artefacts["health"]["runs"] == {"diverged": 3, "done": 2}


def test_p_values_are_adjusted_over_all_judged_claims(store, claims_of) -> None:
    claims = claims_of(
        MEAN,
        BASE,
        SEEDS,
        {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER},
    )
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, value in enumerate([0.80, 0.81, 0.79]):
        store.run(seed=seed, values={(EI, 0): 0.9, (EI, 5000): value}, claims=sealed)
    verdicts = assess(claims, store.connection)
    tested = [v for v in verdicts if v.p is not None]
    assert len(tested) > 1
    assert all(v.p_holm is not None and v.p_holm >= v.p for v in tested)
    assert all(v.p_holm is None for v in verdicts if v.p is None)
    smallest = min(tested, key=lambda v: v.p)
    assert smallest.p_holm == pytest.approx(min(1.0, 2 * smallest.p)), (
        "one cell, whose representative has half its level"
    )


def test_a_claim_the_audit_contradicts_says_so(claims_of) -> None:
    claims = claims_of(MEAN, SEEDS)
    found = assess(claims, None, audit={claims[0].id: ("relative_change:1",)})
    assert found[0].audit == ("relative_change:1",)
    assert found[1].audit == ()


def test_accuracies_have_the_spread_of_a_share_at_least(store, claims_of) -> None:
    """Three equal accuracies of 48 probes, and a printed SD of 0: 0.958 and 0.950 are the same
    accuracy all the same.
    """
    accuracy = {"quantity": "accuracy", "concept": "domain", **AFTER}
    claims = claims_of(
        {"printed": "0.950 ± 0.000", **accuracy}, {"printed": "3", "statistic": "count", **accuracy},
        {"printed": "0.500", **accuracy, "step": 0, "statistic": "mean"},
    )  # fmt: skip
    sealed = {claim.id: claim.digest for claim in claims}
    for seed in range(3):
        store.run(seed=seed, values={("accuracy", 5000, "domain"): 46 / 48}, claims=sealed, n=48)
    assert assess(claims, store.connection)[0].outcome == "reproduced"
    store.connection.execute("UPDATE measurements SET value = 40 / 48 WHERE step = 5000")
    lower = assess(claims, store.connection)[0]
    assert lower.outcome == "consistent", "0.117 is within what 48 probes allow of 3 seeds"
    store.connection.execute("UPDATE measurements SET n = 100000")
    assert assess(claims, store.connection)[0].outcome == "contradicted", (
        "not within what 100,000 do"
    )
