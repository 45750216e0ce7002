"""What measuring a claim takes: the runs of its own cells, or what has to be added first."""

import pytest

from repro.claims.papers import load_claims
from repro.claims.term import Term
from repro.cost.hours import total_hours
from repro.manifest.load import experiment_names, load_experiment
from repro.plan.expand import expand, local_environment
from repro.verify.assess import assess
from repro.verify.evidence.recorded import unrecorded_quantities
from repro.verify.needs import instead, needs, planned_runs

BY_ID = {claim.id: claim for claim in load_claims()}


def test_needs_name_the_runs_of_the_claims_own_cells() -> None:
    told = needs(BY_ID["consolidated/table-2/mean-qwen-14b-ei-after"])
    assert told.startswith("needs 3 of the ")
    assert "GPU-hours" in told


def test_a_claim_on_an_adapter_needs_the_runs_that_train_it() -> None:
    both = BY_ID["summary/page/comparable-parameter-counts"]
    assert needs(both).startswith("needs 2 of the 27 runs of frontier")
    one = both.model_copy(update={"term": both.term.leaves()[0]})
    assert needs(one).startswith("needs 1 of the 27 runs of frontier")


@pytest.mark.parametrize("name", experiment_names())
def test_the_runs_that_are_counted_are_those_that_would_be_planned(name: str) -> None:
    planned = expand(load_experiment(name), local_environment())
    assert [run.slot for run in planned_runs(name)] == [run.slot for run in planned]
    assert total_hours(planned_runs(name)) == total_hours(planned)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("consolidated/abstract/between-7b-and-14b", "none measures transition_scale"),
        ("consolidated/table-2/mean-qwen-14b-ei-after", ""),
        ("consolidated/s6.2/an-order-of-magnitude", ""),
        ("selective/s2.1/rank-r-sum_j-m_j---1", ""),
    ],
)
def test_what_would_decide_a_claim_that_running_its_manifest_cannot(
    end: str, expected: str
) -> None:
    """Empty where running it would: for a level that is selected, or a bound that follows from
    class counts, as well.
    """
    assert expected in instead(BY_ID[end])
    assert bool(needs(BY_ID[end])) is (expected == "")


def test_a_claim_on_coding_problems_needs_runs_where_its_manifest_asks_for_the_benchmark() -> None:
    """companions has an `evaluation:`; a claim of a manifest without one is told to add it."""
    claim = next(
        claim
        for claim in BY_ID.values()
        if claim.measured_by == "companions" and claim.quantity == "humaneval_plus"
    )
    assert (instead(claim), unrecorded_quantities(claim)) == ("", ())
    assert "runs of companions" in needs(claim)
    elsewhere = claim.model_copy(update={"measured_by": "scale_ladder"})
    assert "asks for no humaneval_plus" in instead(elsewhere)
    assert needs(elsewhere) == ""


def test_a_manifest_that_is_not_here_has_to_be_given_before_anything_can_be_run() -> None:
    claim = next(iter(BY_ID.values())).model_copy(update={"measured_by": "announced_only"})
    assert "announced_only is not here; give its path" in instead(claim)
    assert needs(claim) == ""


def test_no_price_is_put_on_what_no_run_would_answer() -> None:
    told = assess(tuple(BY_ID.values()), None, everything=tuple(BY_ID.values()), needs=needs)
    priced = [BY_ID[verdict.id] for verdict in told if "needs " in verdict.reason]
    assert len(priced) > 1000
    assert {claim.basis for claim in priced} == {"measured"}
    assert not [claim.id for claim in priced if unrecorded_quantities(claim)]
    assert not [
        claim.id
        for claim in priced
        if claim.quantity in ("temperature", "confidence_level", "centering")
    ]


def test_a_base_models_claim_needs_one_run_of_that_model() -> None:
    """The ladder has no condition that trains nothing; any run measures its base at step 0."""
    before = BY_ID["consolidated/table-2/mean-qwen-7b-ei-before"]
    assert not [run for run in planned_runs("scale_ladder") if run.condition_id == "B0"]
    one = min(
        total_hours([run]).high
        for run in planned_runs("scale_ladder")
        if run.model.id == "qwen2.5-coder-7b"
    )
    told = needs(before)
    assert told.startswith("needs 1 of the 22 runs of scale_ladder, ")
    assert float(told.split(" to ")[1].split()[0]) == pytest.approx(one, rel=1e-2)


def test_a_base_model_that_is_measured_anyway_needs_no_run_of_its_own() -> None:
    """A fall from the base model takes the runs of its end alone."""
    after = BY_ID["consolidated/table-2/mean-qwen-14b-ei-after"].term.leaves()[0]
    before = after.model_copy(update={"selector": {**after.selector, "step": 0}})
    claim = BY_ID["consolidated/table-2/mean-qwen-14b-ei-after"]
    falls = Term(statistic="below", quantity=after.quantity, of=after, against=before)
    assert needs(claim.model_copy(update={"term": falls})) == needs(claim)
    assert needs(claim).startswith("needs 3 of the ")
    last = after.model_copy(update={"selector": {**after.selector, "seed": 1}})
    alone = falls.model_copy(update={"of": last})
    assert needs(claim.model_copy(update={"term": alone})).startswith("needs 1 of the ")


def test_of_several_runs_that_measure_a_base_model_the_cheapest_is_needed() -> None:
    """A penalty takes time, and more where it passes a gradient."""
    planned = planned_runs("csr_lambda")
    costs = [total_hours([run]).high for run in planned]
    assert f"{min(costs):.3g}" != f"{max(costs):.3g}"
    cell = {"model": planned[0].model.id, "step": 0}
    claim = BY_ID["consolidated/table-2/mean-qwen-14b-ei-after"].model_copy(
        update={
            "measured_by": "csr_lambda",
            "term": Term(quantity="entanglement_intensity", selector=cell),
        }
    )
    assert needs(claim).endswith(f" to {min(costs):.3g} GPU-hours")


def test_where_a_condition_trains_nothing_its_run_measures_the_base_model() -> None:
    claim = next(
        claim
        for claim in BY_ID.values()
        if claim.measured_by == "light_intervention"
        and claim.basis == "measured"
        and all(cell.selector.get("step") == 0 for cell in claim.term.leaves())
    )
    assert needs(claim) == "needs 1 of the 3 runs of light_intervention, under 0.1 GPU-hours"


def test_runs_of_a_manifest_that_is_not_known_are_none() -> None:
    assert planned_runs("announced_only") == ()
