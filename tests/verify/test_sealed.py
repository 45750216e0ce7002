"""Tolerances are fixed before the evidence."""

import pytest

from repro.errors import EvidenceError
from repro.verify.assess import assess

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
CLAIM = {"printed": "0.641 ± 0.099", **AFTER}
SEEDS = {"printed": "3", "statistic": "count", **AFTER}


def test_a_tolerance_changed_after_the_evidence_is_refused_by_name(store, claims_of):
    wider = {"rule": "prediction_interval", "parameters": {"margin": 9.0}, "reason": "wider"}
    before, after = claims_of(CLAIM, SEEDS), claims_of({**CLAIM, "tolerance": wider}, SEEDS)
    store.run(values={(EI, 5000): 0.9}, claims={claim.id: claim.digest for claim in before})
    assert assess(before, store.connection)[0].outcome != "not_run", "unchanged claims are judged"
    with pytest.raises(EvidenceError, match=r"changed after their evidence was planned: paper/c0"):
        assess(after, store.connection)


def test_a_changed_print_is_refused_as_well(store, claims_of):
    before, after = claims_of(CLAIM, SEEDS), claims_of({**CLAIM, "printed": "0.900 ± 0.099"}, SEEDS)
    store.run(values={(EI, 5000): 0.9}, claims={claim.id: claim.digest for claim in before})
    with pytest.raises(EvidenceError, match="restore them, or run the manifest again"):
        assess(after, store.connection)


def test_a_reason_may_be_reworded(store, claims_of):
    claims = claims_of(CLAIM, SEEDS)
    store.run(values={(EI, 5000): 0.64}, claims={claim.id: claim.digest for claim in claims})
    reworded = [
        claim.model_copy(update={"tolerance": claim.tolerance.model_copy(update={"reason": "said otherwise"})})
        for claim in claims
    ]
    assert [v.outcome for v in assess(reworded, store.connection)] == [
        v.outcome for v in assess(claims, store.connection)
    ]


@pytest.mark.parametrize("value", [0.64, 3.0])
def test_a_claim_stated_after_the_evidence_is_at_best_inconclusive(store, claims_of, value: float):
    claims = claims_of({**CLAIM, "printed": "0.641 ± 0.009"}, SEEDS, {"printed": "0.945", "model": "m", "step": 0})
    store.run(values={(EI, 5000): value}, claims={})
    verdict = assess(claims, store.connection)[0]
    assert verdict.outcome == "inconclusive"
    assert verdict.reason.startswith("stated after the evidence")


def test_a_level_that_no_rule_honours_is_refused(store, claims_of):
    from repro.errors import ManifestError

    loose = {**CLAIM, "tolerance": {"rule": "prediction_interval", "parameters": {"level": 0.5}, "reason": "loose"}}
    claims = claims_of(loose, SEEDS)
    store.run(values={(EI, 5000): 0.64}, claims={claim.id: claim.digest for claim in claims})
    with pytest.raises(ManifestError, match=r"tolerance.parameters.level: found 0.5, expected 0.05"):
        assess(claims, store.connection)
