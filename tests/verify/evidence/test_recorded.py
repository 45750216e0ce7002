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
from repro.verify.needs import needs

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
