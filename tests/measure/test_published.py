"""The printed pairs of σ_1 and EI, as they stand in the papers' tables."""

from repro.claims.papers import own_papers
from repro.measure.published import published_pairs


def test_the_published_pairs_are_those_of_the_papers() -> None:
    """Base model from two tables; after the collapse, zero by the printed step (selective paper,
    Tables 1 and 3).
    """
    pairs = {
        (pair.label.split("step ")[1], pair.sigma_1, pair.entanglement_intensity)
        for pair in published_pairs()
    }
    assert {
        ("0", 0.0108, 0.622),
        ("2500", 0.2772, 0.0),
        ("3000", 0.2978, 0.0),
        ("3500", 1.3911, 0.0),
    } == pairs


def test_every_pair_is_printed_for_its_run_and_says_where() -> None:
    claims = [claim for paper in own_papers() for claim in paper.claims]
    pairs = list(published_pairs())
    assert pairs
    for pair in pairs:
        first = [
            claim
            for claim in claims
            if claim.quantity == "singular_value"
            and claim.selector.get("direction") == 0
            and pair.label.endswith(f"step {claim.selector.get('step')}")
            and claim.value == pair.sigma_1
        ]
        assert first, pair
        model, seed = (first[0].selector.get(key) for key in ("model", "seed"))
        assert pair.label.startswith(f"{model} seed {seed} ")
        assert pair.locator.startswith(f"{first[0].source}, {first[0].locator}; ")
    followed = [pair for pair in pairs if "EI = 0 from" in pair.locator]
    assert {pair.label.split("step ")[1] for pair in followed} == {"3000", "3500"}
