"""What stands beside a verdict on an intensity: its twin, the nulls, the growth of activations."""

from collections.abc import Callable
from typing import Any

import pytest
from scipy import stats

from repro.claims.claim import Claim
from repro.verify.artefacts import artefacts
from repro.verify.assess import assess
from repro.verify.estimate.cells import Context
from repro.verify.evidence.evidence import Evidence
from repro.verify.verdict import Estimate, MeasuredCell

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
BASE = {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"}
SEEDS = {"printed": "8", "statistic": "count", **AFTER}
Claims = Callable[..., list[Claim]]


def test_a_verdict_on_an_intensity_carries_its_anchored_twin(store: Any, claims_of: Claims) -> None:
    """The default collapses, the twin does not: the outcome stays, and the scale test says that it
    disagrees.
    """
    falls = {"printed": "halves", "statistic": "below", "of": {"statistic": "ratio", "of": "mean", "against": {"step": 0}},
             "where": {"below": 0.5}, **AFTER}  # fmt: skip
    claims = claims_of({"printed": "0.000 ± 0.000", **AFTER}, BASE, SEEDS, falls)
    for seed in range(3):
        run = store.run(
            seed=seed,
            values={(EI, 0): 0.9, (EI, 5000): 0.0},
            claims={c.id: c.digest for c in claims},
        )
        store.measure(run, {(EI, 0): 0.9, (EI, 5000): 0.85}, specification="anchored")
    found = assess(claims, store.connection)[0]
    assert found.outcome == "inconclusive"
    assert found.artefacts["scale"]["outcome"] == "contradicted"
    assert found.artefacts["scale"]["agrees"] is False
    assert found.artefacts["health"]["runs"] == {"done": 3}
    plain = assess(claims, store.connection, tests=False)
    assert not plain[0].artefacts, "no screen says them, and they take as long as judging"
    assert [
        one.model_copy(update={"artefacts": {}}) for one in assess(claims, store.connection)
    ] == plain
    statement = assess(claims, store.connection)[-1]
    assert statement.value is True
    assert statement.artefacts["specifications"] == {"share": 0.5, "of": 2}, (
        "it holds by default and not when anchored"
    )


def test_a_verdict_on_an_intensity_says_how_many_cells_a_null_explains(
    store: Any, claims_of: Claims
) -> None:
    claims = claims_of({"printed": "0.500 ± 0.010", **AFTER}, BASE, SEEDS)
    for seed in range(3):
        run = store.run(
            seed=seed,
            values={(EI, 0): 0.9, (EI, 5000): 0.5},
            claims={c.id: c.digest for c in claims},
        )
        for kind, low, high in (("joint", 0.3, 1.2), ("planted", 0.0, 0.4)):
            store.measure(
                run, {("null_q025", 5000): low, ("null_q975", 5000): high}, specification=kind
            )
    found = assess(claims, store.connection)[0]
    assert found.artefacts["null"] == {
        "joint": {"cells": 1, "inside": 1},
        "planted": {"cells": 1, "inside": 0},
    }


def test_a_verdict_on_an_intensity_says_how_far_activations_have_grown(
    store: Any, claims_of: Claims
) -> None:
    change = {
        "printed": "falls",
        "statistic": "below",
        "of": "mean",
        "against": {"step": 0},
        **AFTER,
    }
    claims = claims_of({"printed": "0.500 ± 0.010", **AFTER}, BASE, SEEDS, change)
    sealed = {c.id: c.digest for c in claims}
    for seed in range(2):
        values = {
            (EI, 0): 0.9,
            (EI, 5000): 0.5,
            ("activation_rms", 0): 2.0,
            ("activation_rms", 5000): 3.0 + seed,
        }
        store.run(seed=seed, values=values, claims=sealed)
    after, *_, statement = assess(claims, store.connection)
    assert after.artefacts["health"]["activation_rms"] == {"least": 1.5, "most": 2.0}, "run by run"
    assert statement.artefacts["health"]["activation_rms"] == {"least": 1.5, "most": 2.0}
    store.connection.execute("DELETE FROM measurements WHERE quantity = 'activation_rms'")
    assert "activation_rms" not in assess(claims, store.connection)[0].artefacts["health"]


def test_the_growth_of_a_continued_run_is_that_of_its_chain(store: Any, claims_of: Claims) -> None:
    """Its own step 0 is where its predecessor ended; the base model is the predecessor's."""
    claims = claims_of(
        {"printed": "0.500 ± 0.010", **AFTER, "condition": "B3-B2", "step": 1500}, SEEDS
    )
    sealed = {c.id: c.digest for c in claims}
    store.run(values={(EI, 0): 0.9, ("activation_rms", 0): 2.0}, claims=sealed)
    values = {(EI, 1500): 0.5, ("activation_rms", 0): 200.0, ("activation_rms", 1500): 210.0}
    store.run(condition="B3-B2", values=values, claims=sealed, key={"parent": "another"})
    found = assess(claims, store.connection)[0]
    assert found.artefacts["health"]["activation_rms"] == {"least": 105.0, "most": 105.0}


def test_an_intensity_at_each_runs_own_collapse_has_no_growth_and_no_fault(
    store: Any, claims_of: Claims
) -> None:
    claims = claims_of(
        {"printed": "0.000", **AFTER, "step": "collapse", "statistic": "mean"}, SEEDS
    )
    sealed = {c.id: c.digest for c in claims}
    for seed in range(2):
        values = {
            (EI, 0): 0.9,
            (EI, 5000): 0.0,
            ("activation_rms", 0): 2.0,
            ("activation_rms", 5000): 3.0,
        }
        store.run(seed=seed, values=values, claims=sealed)
    found = assess(claims, store.connection)[0]
    assert found.estimate == 0.0
    assert "activation_rms" not in found.artefacts["health"]


def test_a_cell_has_an_interval_where_its_runs_show_a_spread(claims_of: Claims) -> None:
    """Three runs of mean 1 and SD 0.3; runs that agree, one run and a base model have none."""
    (claim, *_) = claims_of({"printed": "0.641", **AFTER})
    cell = MeasuredCell(name="spread", mean=1.0, sd=0.3, runs=3)
    cells = (
        cell,
        cell.model_copy(update={"name": "agree", "sd": 0.0}),
        cell.model_copy(update={"name": "one", "sd": None, "runs": 1}),
        cell.model_copy(update={"name": "base", "measured_once": True}),
    )
    found = Estimate(state="undefined", cells=cells)
    told = artefacts(claim, Context(Evidence()), found, "inconclusive")["cells"]
    low, high = stats.t.interval(0.95, 2, 1.0, 0.3 / 3**0.5)
    assert told["spread"] == pytest.approx({"mean": 1.0, "low": low, "high": high, "runs": 3})
    for name in ("agree", "one", "base"):
        assert (told[name]["low"], told[name]["high"]) == (None, None)


def test_what_was_left_out_is_no_healthy_evidence(claims_of: Claims) -> None:
    (claim, *_) = claims_of({"printed": "0.641", **AFTER})
    evidence = Evidence()
    evidence.runs["scale_ladder"] = {("m", "B3", "done"): 3, ("n", "B3", "done"): 1}
    cell = MeasuredCell(name="c", mean=1.0, sd=None, runs=1)
    found = Estimate(state="undefined", cells=(cell,), notes=("seed 0: none",))
    health = artefacts(claim, Context(evidence), found, "inconclusive")["health"]
    assert health == {"runs": {"done": 4}, "left_out": ["seed 0: none"], "healthy": False}


def test_without_a_run_there_is_nothing_to_test(claims_of: Claims) -> None:
    (claim, *_) = claims_of({"printed": "0.641", **AFTER})
    waiting = Estimate(state="not_run")
    assert artefacts(claim, Context(Evidence()), waiting, "not_run") == {}
    assert artefacts(claim, Context(Evidence()), Estimate(state="measured"), "inconclusive") == {}
