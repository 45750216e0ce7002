"""Values from outside stand in place of runs, and levels of a paper's own axes are told apart."""

import pytest

from repro.claims.claim import Claim
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.assess import assess
from repro.verify.evidence.columns import Column
from repro.verify.evidence.supplied import (
    OWN_PROBES,
    SuppliedEvidence,
    judged_on_values,
    kept_name,
    supplied_evidence,
    without_values,
)
from repro.verify.evidence.values import SuppliedValue
from repro.verify.verdict import Graded
from tests.verify.judge.test_promises import AFTER, EI, MANIFEST, paper

CELL = {"model": "m", "condition": "B3", "step": 5000}


def value(number: float, seed: int = 0, step: int = 5000, **fields: object) -> SuppliedValue:
    """A value of one seed at a step, with levels of the paper's own axes where some are named."""
    axes = tuple(sorted((axis, str(level)) for axis, level in fields.items()))
    return SuppliedValue("m", "B3", seed, step, EI, number, axes=axes)


def evidence_of(*values: SuppliedValue, claims: tuple[Claim, ...] = ()) -> SuppliedEvidence:
    """The values as evidence of a paper on the scale ladder."""
    return supplied_evidence(values, claims or paper({"printed": "0.641", **AFTER}))


def numbers(found: Column | Undefined) -> list[float]:
    """The values of a cell, by seed."""
    assert isinstance(found, Column), found
    return found.values.tolist()


def test_values_are_those_of_seeds_and_have_the_grade_of_whoever_sent_them() -> None:
    evidence = evidence_of(value(0.2, seed=1), value(0.1, seed=0))
    assert numbers(evidence.column(MANIFEST, EI, CELL)) == [0.1, 0.2]
    assert evidence.graded[MANIFEST, "m", "B3"] == Graded(grade="supplied")
    by = Graded(grade="supplied", by="the authors")
    claims = paper({"printed": "0.641", **AFTER})
    found = supplied_evidence([value(0.1)], claims, lambda _: by).column(MANIFEST, EI, CELL)
    assert isinstance(found, Column)
    assert found.graded == by


def test_levels_of_an_own_axis_are_cells_of_their_own() -> None:
    evidence = evidence_of(value(0.1, domain="a"), value(0.2, domain="b"), value(0.3, domain=10))
    assert numbers(evidence.column(MANIFEST, EI, {**CELL, "domain": "a"})) == [0.1]
    assert numbers(evidence.column(MANIFEST, EI, {**CELL, "domain": 10})) == [0.3]
    assert evidence.levels(MANIFEST, EI, CELL, "domain") == (10, "a", "b")
    assert evidence.levels(MANIFEST, EI, {**CELL, "domain": "a"}, "seed") == (0,)
    absent = evidence.column(MANIFEST, EI, {**CELL, "domain": "c"})
    assert absent == NotRun(f"no value of {EI} was given for domain c")
    unnamed = evidence.column(MANIFEST, EI, CELL)
    assert unnamed == Undefined("the claim names no domain, and several were given")


def test_a_value_without_a_level_is_that_of_a_claim_that_names_none() -> None:
    evidence = evidence_of(value(0.1, domain="a"), value(0.5))
    assert numbers(evidence.column(MANIFEST, EI, CELL)) == [0.5]
    alone = evidence_of(value(0.1, domain="a"))
    assert numbers(alone.column(MANIFEST, EI, CELL)) == [0.1], "the only level there is"


def test_levels_that_claims_name_belong_to_an_axis_though_nobody_gave_them() -> None:
    """An average over two domains is not that of the one that was given."""
    claims = paper(
        {"printed": "0.641", **AFTER, "probe_set": "p"},
        {"printed": "0.500", **AFTER},
    )
    named = [
        claim.model_copy(
            update={
                "term": claim.term.model_copy(
                    update={"selector": {**CELL, "domain": name}, "of": None, "statistic": "single"}
                )
            }
        )
        for claim, name in zip(claims, ("a", "b"), strict=True)
    ]
    evidence = evidence_of(value(0.1, domain="a"), claims=tuple(named))
    assert evidence.levels(MANIFEST, EI, CELL, "domain") == ("a", "b")


def test_the_name_of_a_cell_of_own_levels_is_that_of_no_quantity() -> None:
    assert kept_name("accuracy", ()) == "accuracy"
    assert kept_name("accuracy", (("a", "1"), ("b", "x"))) == "accuracy[a=1,b=x]"


def test_a_course_needs_every_checkpoint_of_every_seed() -> None:
    """The ladder measures at every 500 steps."""
    steps = range(0, 5001, 500)
    whole = [value(0.0 if step >= 4000 else 0.9, seed, step) for seed in (0, 1) for step in steps]
    selector = {"model": "m", "condition": "B3"}
    found = evidence_of(*whole).trajectory(MANIFEST, EI, selector, "collapse_step")
    assert numbers(found) == [4000, 4000]
    gap = [one for one in whole if (one.seed, one.step) != (1, 3000)]
    found = evidence_of(*gap).trajectory(MANIFEST, EI, selector, "collapse_step")
    assert found == NotRun(
        f"the course of {EI} needs every checkpoint of every seed; steps 3000 are missing"
    )


def test_step_0_is_a_base_model_on_the_manifests_own_probes() -> None:
    evidence = evidence_of(value(0.9, step=0), value(0.7, seed=1, step=0), value(0.1))
    (base,) = evidence.base_models(EI, {"model": "m"}, MANIFEST)
    assert (base.value, base.runs, base.probe_set) == (pytest.approx(0.8), 2, "factorial_48")
    elsewhere = tuple(
        claim.model_copy(update={"measured_by": "announced_only"})
        for claim in paper({"printed": "0.641", **AFTER})
    )
    (base,) = evidence_of(value(0.9, step=0), claims=elsewhere).base_models(EI, {"model": "m"})
    assert base.probe_set == OWN_PROBES


def test_claims_that_no_manifest_measures_are_judged_where_their_quantities_were_given() -> None:
    free, other = (
        claim.model_copy(update={"measured_by": None, "unverifiable": "their own models"})
        for claim in (
            *paper({"printed": "0.641", **AFTER}),
            *paper({"printed": "0.641", **AFTER}, quantity="loss"),
        )
    )
    judged = judged_on_values([free, other], [value(0.64)])
    assert (judged[0].measured_by, judged[0].unverifiable) == ("paper", None)
    assert judged[1] == other


def test_a_claim_that_no_value_was_found_for_stays_as_it_was_written() -> None:
    free, far = (
        claim.model_copy(update={"measured_by": None, "unverifiable": "their own models"})
        for claim in paper({"printed": "0.641", **AFTER}, {"printed": "0.9", **AFTER, "model": "n"})
    )
    given = [value(0.64, seed) for seed in range(3)]
    judged = judged_on_values([free, far], given)
    verdicts = assess(judged, None, supplied=supplied_evidence(given, judged))
    assert without_values([free, far], judged, verdicts) == [judged[0], far]
    assert without_values([free], judged[:1], verdicts) == [], "nothing would change"
