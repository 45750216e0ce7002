"""The claims of every paper: none orphaned, none twice, none that disagrees in silence, all loaded
at once.
"""

from itertools import combinations

import pytest

from repro.audit import audit
from repro.audit.check import allowed_interval, gap_between
from repro.claims.claim import Claim
from repro.claims.papers import PAPERS, Paper, load_claims, load_paper, load_papers
from repro.manifest.load import MANIFESTS, experiment_names
from repro.manifest.yaml import read_yaml

PLANNED = read_yaml(MANIFESTS / "planned.yaml") or {}


def test_every_claim_is_bound_to_a_manifest_or_says_why_it_cannot_be() -> None:
    orphans = [
        claim.id for claim in load_claims() if not claim.measured_by and not claim.unverifiable
    ]
    assert not orphans


def test_no_claim_is_bound_to_a_manifest_and_called_unverifiable_as_well() -> None:
    assert not [claim.id for claim in load_claims() if claim.measured_by and claim.unverifiable]


def test_every_manifest_named_by_a_claim_exists_or_is_planned() -> None:
    named = {claim.measured_by for claim in load_claims() if claim.measured_by}
    assert named <= {*experiment_names(), *PLANNED}


def test_a_manifest_that_exists_is_no_longer_planned() -> None:
    assert not set(PLANNED) & set(experiment_names())


def test_what_is_planned_has_claims_waiting_for_it_and_the_list_does_not_grow() -> None:
    named = {claim.measured_by for claim in load_claims()}
    assert set(PLANNED) <= named
    assert set(PLANNED) <= {
        "cross_architecture", "dynamics", "companions", "light_intervention", "csr_lambda", "reversibility",
        "base_geometry", "crosstalk", "probe_validation", "artificial_entanglement", "frontier",
    }  # fmt: skip


def test_no_two_claims_have_the_same_id() -> None:
    ids = [claim.id for claim in load_claims()]
    assert len(ids) == len(set(ids))


def test_well_over_1200_published_quantities_are_claims() -> None:
    assert (
        len(
            [
                claim
                for claim in load_claims()
                if claim.source in ("consolidated", "selective", "summary", "artificial")
            ]
        )
        > 1200
    )


def test_every_claim_has_a_place_and_printed_characters_and_a_reason_for_its_tolerance() -> None:
    for claim in load_claims():
        assert claim.printed, claim.id
        assert claim.locator, claim.id
        assert claim.tolerance.reason, claim.id


def test_every_paper_says_what_it_leaves_out() -> None:
    assert not [paper.id for paper in load_papers() if paper.text and not paper.left_out]


def disagree(one: Claim, other: Claim) -> bool:
    return (
        one.is_number
        and other.is_number
        and gap_between(allowed_interval(one), allowed_interval(other)) > 0
    )


def test_no_two_claims_about_the_same_cell_disagree_in_silence() -> None:
    claims = load_claims()
    spoken = {
        claim
        for check in audit(claims)
        if check.verdict == "inconsistent"
        for claim in check.inputs
    }
    by_key: dict[str, list[Claim]] = {}
    for claim in claims:
        by_key.setdefault(claim.term.key, []).append(claim)
    pairs = [pair for same in by_key.values() for pair in combinations(same, 2) if disagree(*pair)]
    assert pairs  # the papers do contradict themselves; a test that meets none would test nothing
    silent = [
        (one.id, other.id)
        for one, other in pairs
        if one.id not in spoken and other.id not in spoken
    ]
    assert not silent


def test_the_example_is_complete_and_stays_out_of_the_way() -> None:
    example = load_paper(PAPERS / "example")
    assert {claim.locator for claim in example.claims} >= {
        "Abstract",
        "Table 1",
        "Table 1 caption",
        "§1",
        "§2",
    }
    assert "example" not in {paper.id for paper in load_papers()}
    assert {check.verdict for check in audit(example.claims)} == {"consistent", "undecidable"}


@pytest.mark.parametrize(
    "paper", [paper for paper in load_papers() if paper.aliases], ids=lambda paper: paper.id
)
def test_no_level_is_left_under_the_papers_own_name(paper: Paper) -> None:
    for axis, names in paper.aliases.items():
        foreign = set(map(str, names)) - set(map(str, names.values()))
        assert not [claim.id for claim in paper.claims if str(claim.selector.get(axis)) in foreign]
