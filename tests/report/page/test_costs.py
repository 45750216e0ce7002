"""What it would cost to know more: only runs that are left, only claims that wait for them."""

from collections.abc import Callable

from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.manifest.load import load_experiment
from repro.report.page.costs import prices
from repro.verify.needs import planned_runs
from repro.verify.verdict import Verdict

VerdictOf = Callable[..., Verdict]


def bound_to(manifest: str) -> list[Claim]:
    return [claim for claim in load_claims() if claim.measured_by == manifest]


def test_the_price_of_a_manifest_is_that_of_the_runs_left(verdict_of: VerdictOf) -> None:
    claims = bound_to("scale_ladder")
    verdicts = [verdict_of(claim) for claim in claims]
    runs = [run.id for run in planned_runs("scale_ladder")]
    (whole,) = prices(claims, verdicts, (), {})
    (half,) = prices(claims, verdicts, runs[: len(runs) // 2], {})
    assert whole.title == load_experiment("scale_ladder").title
    assert (whole.to_do, whole.runs) == (len(runs), len(runs))
    assert (half.to_do, half.runs) == (len(runs) - len(runs) // 2, len(runs))
    assert 0 < half.low < whole.low
    assert half.high < whole.high
    assert half.low < half.high
    assert not whole.small, "published claims wait for it"
    assert prices(claims, verdicts, runs, {}) == []


def test_a_claim_that_was_measured_waits_for_nothing(verdict_of: VerdictOf) -> None:
    claims = bound_to("scale_ladder")
    measured = [verdict_of(claim, outcome="consistent", grade="own") for claim in claims]
    assert prices(claims, measured, (), {}) == []
    (found,) = prices(claims, [verdict_of(claims[0]), *measured[1:]], (), {})
    assert found.claims <= 1


def test_the_cheapest_manifest_comes_first(verdict_of: VerdictOf) -> None:
    claims = [*bound_to("scale_ladder"), *bound_to("laptop")]
    found = prices(claims, [verdict_of(claim) for claim in claims], (), {})
    assert [price.manifest for price in found] == ["laptop", "scale_ladder"]
    assert found[0].high < found[1].high
    assert found[0].small


def test_a_manifest_of_one_s_own_is_expanded_as_it_is_given(
    claims_of: Callable[..., list[Claim]], verdict_of: VerdictOf
) -> None:
    smoke = load_experiment("smoke")
    mean = {"printed": "0.5", "model": "m", "condition": "B3", "step": 5, "statistic": "mean"}
    claims = claims_of(mean, measured_by="smoke")
    mine = smoke.model_copy(update={"title": "Mine"})
    (found,) = prices(claims, [verdict_of(claims[0])], (), {"smoke": mine})
    assert (found.manifest, found.title, found.claims) == ("smoke", "Mine", 1)
    assert found.runs == len(planned_runs("smoke"))
    nowhere = claims_of(mean, measured_by=None, unverifiable="nobody")
    assert prices(nowhere, [verdict_of(nowhere[0])], (), {}) == []
