"""Which quantities runs record, and what is said of claims on any other."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import repro
from repro.claims.papers import load_claims
from repro.diagnose.diagnostics import measurements
from repro.manifest.experiment import Diagnostics, Further
from repro.manifest.probes import load_probe_set
from repro.report.terminal.explain import explanation
from repro.verify.assess import assess
from repro.verify.evidence.recorded import RECORDED, unrecorded_quantities
from repro.verify.needs import instead, needs

SOLVED = {
    "quantity": "humaneval_plus",
    "model": "m",
    "condition": "B3",
    "step": 5000,
    "statistic": "mean",
}
INTENSITY = {"model": "m", "condition": "B3", "step": 5000, "statistic": "mean"}
BY_ID = {claim.id: claim for claim in load_claims()}


@pytest.fixture(scope="module")
def written() -> set[str]:
    """What one checkpoint with every diagnostic writes."""
    labels = load_probe_set("factorial_48").labels()
    X = np.random.default_rng(0).standard_normal((48, 12)).astype(np.float32)
    return {
        row.quantity
        for row in measurements(X, labels, 0, Diagnostics(also=get_args(Further)), None)
    }


def sources() -> Iterator[ast.AST]:
    for package in ("diagnose", "train", "worker"):
        for path in sorted((Path(repro.__file__).parent / package).rglob("*.py")):
            yield from ast.walk(ast.parse(path.read_text()))


def test_every_quantity_a_worker_writes_is_known_to_be_recorded(written: set[str]) -> None:
    named = {
        node.value for node in sources() if isinstance(node, ast.keyword) and node.arg == "quantity"
    }
    assert written | {node.value for node in named if isinstance(node, ast.Constant)} <= RECORDED


def test_nothing_is_called_recorded_that_no_worker_writes(written: set[str]) -> None:
    words = {node.value for node in sources() if isinstance(node, ast.Constant)}
    assert written | words >= RECORDED
    assert not {"humaneval", "humaneval_plus", "adapter_health"} & (written | words)


def test_a_claim_on_coding_problems_is_not_run_and_asks_for_no_runs(claims_of) -> None:
    """Its manifest asks for no benchmark, so hours of training would not answer it; the same claim
    on EI does ask.
    """
    solved, intensity = claims_of({"printed": "79", **SOLVED}, {"printed": "0.641", **INTENSITY})
    told = assess([solved, intensity], None, needs=needs)
    assert (told[0].outcome, told[0].reason) == (
        "not_run",
        "the runs do not measure humaneval_plus",
    )
    assert unrecorded_quantities(solved) == ("humaneval_plus",)
    assert "GPU-hours" in told[1].reason
    assert unrecorded_quantities(intensity) == ()


def test_a_quantity_no_run_of_ours_records_counts_all_the_same_once_it_is_in_the_store(
    store, claims_of
) -> None:
    claims = claims_of({"printed": "79", **SOLVED})
    for seed, solved in enumerate([79.0, 79.0, 79.0]):
        store.run(
            seed=seed,
            values={("humaneval_plus", 5000): solved},
            claims={claim.id: claim.digest for claim in claims},
        )
    assert assess(claims, store.connection, needs=needs)[0].estimate == 79


def test_explaining_a_claim_on_coding_problems_says_what_would_answer_it(claims_of) -> None:
    solved, intensity = claims_of({"printed": "79", **SOLVED}, {"printed": "0.641", **INTENSITY})
    texts = [
        explanation(claim, verdict)
        for claim, verdict in zip(
            (solved, intensity), assess([solved, intensity], None, needs=needs), strict=True
        )
    ]
    assert (
        "as it is: it asks for no humaneval_plus. `evaluation: {benchmarks: [humaneval_plus]}`"
        in " ".join(texts[0].split())
    )
    assert "hours" not in texts[0]
    name = intensity.measured_by
    assert f"To change  `repro run {name}`, then `repro ingest`; `repro plan {name}`" in texts[1]


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
    """companions has an `evaluation:`; the same claim of a manifest without one is told to add it."""
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
