"""The statements about the printed λ table: what a detached penalty gives, and an attached one does
not.
"""

import numpy as np
import pytest

from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.verify.assess import assess

EI = "entanglement_intensity"
SIZES = {"csr_lambda": ("qwen2.5-coder-32b", 5000), "csr_lambda_laptop": ("smollm2-135m", 24)}
OUTSIDE = np.float32(7.7216)
"""Movement outside the subspace at the last step."""


def claims_of(manifest: str) -> list[Claim]:
    sources = ("lambda_table", "laptop")
    return [
        claim
        for claim in load_claims()
        if claim.measured_by == manifest and claim.source in sources
    ]


def run_sweep(
    store, manifest: str, *, detached_shift: float = 0.0, attached_shift: float = 0.01
) -> None:
    """Runs at λ = 0.03 and 0.3; the shifts say how far the second trajectory of each pair leaves
    the first.
    """
    model, last = SIZES[manifest]
    seals = {claim.id: claim.digest for claim in claims_of(manifest)}
    for gradient, shift in (("attached", attached_shift), ("detached", detached_shift)):
        for strength in (0.03, 0.3):
            moved = shift if strength == 0.3 else 0.0
            suffix = "-detached" if gradient == "detached" else ""
            values = {
                (EI, 0): 0.6,
                (EI, last): 0.1 + moved,
                ("loss", last // 2): 2.0,
                ("loss", last): 1.0 + moved,
            }
            penalty = float(np.float32(strength) * OUTSIDE) * (1 + moved)
            store.run(
                model,
                f"B4-{strength:g}{suffix}",
                experiment=manifest,
                values={**values, ("csr_loss", last): penalty},
                claims=seals,
                key={"condition": {"csr": {"strength": strength, "gradient": gradient}}},
            )


def outcomes(store, manifest: str) -> dict[str, str]:
    return {
        verdict.id.split("/", 1)[1]: verdict.outcome
        for verdict in assess(claims_of(manifest), store.connection)
    }


@pytest.mark.parametrize("manifest", SIZES)
def test_all_six_hold_where_only_the_attached_penalty_moves_anything(store, manifest: str) -> None:
    run_sweep(store, manifest)
    found = outcomes(store, manifest)
    assert len(found) == 6
    assert set(found.values()) == {"reproduced"}


@pytest.mark.parametrize("manifest", SIZES)
def test_a_detached_penalty_that_moves_something_contradicts_them(store, manifest: str) -> None:
    run_sweep(store, manifest, detached_shift=1e-5)
    found = outcomes(store, manifest)
    assert {name for name, outcome in found.items() if outcome == "contradicted"} == {
        name for name in found if name.startswith("detached")
    }


@pytest.mark.parametrize("manifest", SIZES)
def test_an_attached_penalty_that_moves_nothing_contradicts_them(store, manifest: str) -> None:
    run_sweep(store, manifest, attached_shift=0.0)
    found = outcomes(store, manifest)
    assert {name for name, outcome in found.items() if outcome == "contradicted"} == {
        name for name in found if name.startswith("attached")
    }


@pytest.mark.parametrize("manifest", SIZES)
def test_without_runs_they_are_not_run(store, manifest: str) -> None:
    assert set(outcomes(store, manifest).values()) == {"not_run"}
