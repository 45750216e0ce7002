"""Printed values of single cells: each cell once, with the spread that is printed for it."""

from collections.abc import Callable

from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.report.page.published import published

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
ClaimsOf = Callable[..., list[Claim]]


def test_a_mean_has_the_spread_that_is_printed_beside_it(claims_of: ClaimsOf) -> None:
    claims = claims_of(
        {"printed": "0.641 ± 0.099", **AFTER},
        {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"},
    )
    after, before = published(claims, EI)
    assert (after.value, after.sd, after.seed, after.step) == (0.641, 0.099, None, 5000)
    assert (after.manifest, after.paper, after.locator) == ("scale_ladder", "paper", "Table 1")
    assert (before.value, before.sd) == (0.945, None)
    assert before.condition == "B0", "at step 0 nothing is trained"


def test_a_cell_printed_twice_is_drawn_once_as_printed_first(claims_of: ClaimsOf) -> None:
    twice = claims_of(*({"printed": text, **AFTER, "statistic": "mean"} for text in ("0.6", "0.7")))
    assert [value.value for value in published(twice, EI)] == [0.6]
    apart = claims_of(
        *({"printed": "0.6", **AFTER, "statistic": "single", "seed": seed} for seed in (0, 1)),
        {"printed": "0.6", **AFTER, "statistic": "single", "seed": 0, "concept": "domain"},
    )
    found = published(apart, EI)
    assert [(value.seed, dict(value.further)) for value in found] == [
        (0, {}),
        (1, {}),
        (0, {"concept": "domain"}),
    ]


def test_what_is_no_number_of_one_cell_is_not_drawn(claims_of: ClaimsOf) -> None:
    claims = claims_of(
        {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER},
        {"printed": "3", "statistic": "count", **AFTER},
    )
    assert published(claims, EI) == []
    assert published(claims_of({"printed": "0.6", **AFTER, "statistic": "mean"}), "damage") == []


def test_every_printed_cell_of_the_papers_is_one_value() -> None:
    found = published(load_claims(), EI)
    places = [
        (v.manifest, v.paper, v.model, v.condition, v.seed, v.step, *sorted(v.further.items()))
        for v in found
    ]
    assert len(found) > 50
    assert len(set(places)) == len(places)
