"""Claims about crosstalk and probe validation find their cells in what the worker writes."""

import pytest

from repro.claims.papers import load_claims
from repro.verify.assess import assess

EI = "entanglement_intensity"
ALL = load_claims()
TABLE_8 = {
    "creative_writing": (0.0015, 0.991, 1.0),
    "math": (0.088, 0.750, 1.0),
    "formal_logic": (0.092, 0.747, 1.0),
    "medical": (0.170, 0.487, 1.0),
    "legal": (0.296, 0.499, 0.23),
}


def verdicts(store, manifest: str) -> dict:
    """The verdict of each claim bound to a manifest."""
    claims = [claim for claim in ALL if claim.measured_by == manifest]
    return {verdict.id: verdict for verdict in assess(claims, store.connection, everything=ALL)}


def frozen(manifest: str) -> dict[str, str]:
    """The judging rules as a run freezes them when it is planned."""
    return {claim.id: claim.digest for claim in ALL if claim.measured_by == manifest}


def test_every_claim_about_crosstalk_finds_its_cell(store) -> None:
    names = ("crosstalk", "block_diagonal_ratio", "asymmetry")
    cells = {(name, 0, c): row[i] for c, row in TABLE_8.items() for i, name in enumerate(names)}
    cells |= {
        ("directed_damage", 0, "math to code"): 0.176,
        ("directed_damage", 0, "code to math"): 0.0,
    }
    base = {
        "condition": "B0",
        "seed": None,
        "experiment": "crosstalk",
        "claims": frozen("crosstalk"),
    }
    store.run("qwen2.5-coder-7b", values=cells, probe_set="six_domain_480", **base)
    store.run(
        "qwen2.5-coder-32b",
        values={("subspace_dimension", 0): 47.0},
        probe_set="six_domain_480",
        **base,
    )
    found = verdicts(store, "crosstalk")
    assert [claim for claim, verdict in found.items() if verdict.outcome == "not_run"] == []
    assert found["consolidated/table-8/legal-sym.-crosstalk"].estimate == 0.296
    assert found["consolidated/s6.1/47"].estimate == 47
    assert found["consolidated/table-8-caption/ranked-by-symmetric-crosstalk"].estimate is True
    assert (
        found["consolidated/table-8-caption/lower-crosstalk-more-block-diagonal"].estimate is False
    ), "as printed, the ratio of medical is below that of legal"


@pytest.mark.parametrize(
    ("of_real_texts", "expected"), [(0.0, "inconclusive"), (0.4, "contradicted")]
)
def test_a_collapse_is_confirmed_only_where_every_probe_set_shows_it(
    store, of_real_texts: float, expected: str
) -> None:
    for seed in range(3):
        run = store.run(
            "qwen2.5-coder-32b",
            seed=seed,
            experiment="probe_validation",
            probe_set="core_60",
            claims=frozen("probe_validation"),
            values={(EI, 0): 0.6, (EI, 5000): 0.0},
        )
        store.measure(
            run,
            {(EI, 0): 0.5, (EI, 5000): of_real_texts + 0.01 * seed * (of_real_texts > 0)},
            probe_set="real_132",
        )
        store.measure(run, {(EI, 0): 0.7, (EI, 5000): 0.0}, probe_set="diverse_60")
    found = verdicts(store, "probe_validation")
    assert found["selective/s1/confirm-the-collapse"].outcome == expected
    assert found["selective/s1/three"].estimate == 3
