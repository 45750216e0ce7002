"""An outcome follows from a comparison by a fixed order of questions; sizes come from the claim."""

from collections.abc import Callable

import pytest

from repro.claims.claim import Claim
from repro.verify.judge.decide import (
    Reservations,
    absolute_margin,
    decide,
    outside,
    runs,
    sizes,
    text,
)
from repro.verify.statistics import Comparison
from repro.verify.verdict import Estimate, MeasuredCell

Claims = Callable[..., list[Claim]]
AFTER = {"model": "m", "condition": "B3", "step": 5000}
EQUAL = Comparison(difference=0.01, half_width=0.02, p=0.5, p_equivalent=0.01, margin=0.1)
APART = Comparison(difference=0.5, half_width=0.1, p=0.001, p_equivalent=0.9, margin=0.1)
FEW = Reservations(reproduces="at best consistent, few", contradicts="two runs")


def compared(difference: float, half_width: float, p: float, p_equivalent: float) -> Comparison:
    """A comparison with a margin of 0.1."""
    return Comparison(difference, half_width, p, p_equivalent, 0.1)


@pytest.mark.parametrize(
    ("comparison", "outcome", "words"),
    [
        (EQUAL, "reproduced", "equivalent within 0.1"),
        (compared(0.05, 0.02, 0.001, 0.04), "reproduced", "though the difference is significant"),
        (APART, "contradicted", "outside the interval, p = 0.001"),
        (compared(0.1, 0.19, 0.2, 0.2), "consistent", "excludes half the effect 0.4"),
        (compared(0.1, 0.2, 0.2, 0.2), "inconclusive", "too wide to tell (claimed effect 0.4)"),
        (compared(0.2, 0.1, 0.06, 0.5), "inconclusive", "outside, but not beyond our own spread"),
        (compared(0.2, 0.1, 0.05, 0.05), "inconclusive", "outside, but not beyond our own spread"),
    ],
)
def test_equivalence_comes_before_contradiction_and_both_before_what_an_interval_excludes(
    comparison: Comparison, outcome: str, words: str
) -> None:
    judged = decide(comparison, 0.4, "0.5 against 0.6")
    assert (judged.outcome, judged.comparison, judged.p) == (outcome, comparison, comparison.p)
    assert judged.reason.startswith("0.5 against 0.6; ")
    assert words in judged.reason


def test_reservations_lower_an_outcome_and_say_why() -> None:
    equal, apart = decide(EQUAL, 0.4, "seen", FEW), decide(APART, 0.4, "seen", FEW)
    assert (equal.outcome, apart.outcome) == ("consistent", "inconclusive")
    assert equal.reason.endswith("; at best consistent, few")
    assert apart.reason.endswith(", but two runs")
    assert (equal.p, apart.p) == (None, None), "what cannot contradict has no p to adjust"


def test_a_reservation_against_reproducing_alone_leaves_a_contradiction() -> None:
    limits = Reservations(reproduces="unpublished probes")
    assert decide(APART, 0.4, "seen", limits).outcome == "contradicted"
    assert decide(EQUAL, 0.4, "seen", limits).outcome == "consistent"


def test_the_margin_is_a_quarter_of_the_effect_unless_the_tolerance_says_otherwise(
    claims_of: Claims,
) -> None:
    (claim, *_) = claims_of({"printed": "0.641", **AFTER})
    found = Estimate(state="measured", value=0.6, effect=0.4)
    assert sizes(claim, found) == (0.4, 0.1)

    def declared(**parameters: float) -> Claim:
        tolerance = claim.tolerance.model_copy(update={"parameters": parameters})
        return claim.model_copy(update={"tolerance": tolerance})

    assert sizes(declared(margin_share=0.5), found) == (0.4, 0.2)
    assert sizes(declared(margin=0.03), found) == (0.4, 0.03)


def test_without_an_effect_the_margin_is_a_hundredth_and_at_most_a_quarter_of_the_value(
    claims_of: Claims,
) -> None:
    nothing = Estimate(state="measured", value=0.6)
    large, small = claims_of({"printed": "0.641", **AFTER}, {"printed": "0.020", **AFTER})
    assert sizes(large, nothing) == (pytest.approx(0.04), pytest.approx(0.01))
    assert sizes(small, nothing) == (pytest.approx(0.02), pytest.approx(0.005))


def test_a_hundredth_is_one_point_of_percent(claims_of: Claims) -> None:
    share, percent = claims_of(
        {"printed": "0.941", **AFTER}, {"printed": "94.1", "unit": "percent", **AFTER}
    )
    assert absolute_margin(share) == 0.01
    assert absolute_margin(percent) == 1.0


def test_a_value_is_outside_by_its_distance_from_what_the_decimals_allow(claims_of: Claims) -> None:
    (claim, *_) = claims_of({"printed": "0.641", **AFTER})
    assert outside(claim, 0.6412) == 0
    assert outside(claim, 0.6515) == pytest.approx(0.01)
    assert outside(claim, 0.6305) == pytest.approx(-0.01)
    bound = claim.model_copy(update={"low": None, "high": 0.5})
    assert outside(bound, -1e9) == 0
    assert outside(bound, 0.75) == 0.25


def test_runs_and_values_are_put_in_words() -> None:
    def of(count: int) -> Estimate:
        return Estimate(
            state="measured", cells=(MeasuredCell(name="c", mean=0, sd=None, runs=count),)
        )

    assert [runs(of(count)) for count in (1, 2)] == ["1 run", "2 runs"]
    assert [text(value) for value in (0.123456, True, "code", 12)] == [
        "0.1235",
        "True",
        "code",
        "12",
    ]
