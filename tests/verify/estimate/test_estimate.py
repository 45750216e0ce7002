"""A claim's value from measurements alone, with all that its rule needs, or why there is none."""

from typing import Any

import numpy as np
import pytest

from repro.claims.claim import Claim
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import by_probe_set, estimate
from repro.verify.evidence.cell import Base
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.gather import gather_evidence
from repro.verify.verdict import Estimate, Graded
from tests.verify.judge.test_promises import AFTER, BASE, COUNT, EI, MANIFEST, here, measured, paper

MEAN = {"printed": "0.641", "statistic": "mean", **AFTER}
START = {"printed": "0.945", "statistic": "mean", **BASE}


def estimated(claims: tuple[Claim, ...], evidence: Evidence) -> Estimate:
    """The estimate of the first claim."""
    return estimate(claims[0], Context(evidence, prints_by_source(claims)))


def base(probe_set: str, value: float, runs: int, condition: str = "B0") -> Base:
    """A base model's value on one probe set."""
    return Base(MANIFEST, "m", condition, probe_set, value, runs)


def test_a_mean_has_its_interval_its_runs_and_the_printed_effect() -> None:
    found = estimated(paper(MEAN, START), measured(here([0.6, 0.7, 0.65])))
    assert (found.state, found.n, found.value) == ("measured", 3, pytest.approx(0.65))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.65 < found.high
    assert found.effect == pytest.approx(0.945 - 0.641)
    assert found.graded == Graded(grade="supplied")
    assert not found.same_weights


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unverifiable": "their own models"}, "their own models"),
        ({"measured_by": None}, "no manifest measures it; `repro audit` recomputes it"),
    ],
)
def test_a_claim_that_no_run_answers_is_not_run_and_says_why(
    changes: dict[str, Any], words: str
) -> None:
    (claim, *_) = paper(MEAN)
    found = estimated((claim.model_copy(update=changes),), measured(here([0.6])))
    assert (found.state, found.value) == ("not_run", None)
    assert found.reason.startswith(words)


def test_what_was_not_run_is_told_apart_from_what_is_undefined() -> None:
    waiting = estimated(paper(MEAN), measured({}))
    assert waiting.state == "not_run"
    undefined = estimated(paper(MEAN), measured(here([float("nan")])))
    assert undefined.state == "undefined"
    unknown = estimated(paper(MEAN, quantity="transition_scale"), measured({}))
    assert unknown == Estimate(state="not_run", reason="the runs do not measure transition_scale")


def test_a_truth_is_a_truth_and_has_no_interval() -> None:
    falls = {
        "printed": "falls",
        "statistic": "below",
        "of": "mean",
        "against": {"step": 0},
        **AFTER,
    }
    cells = {(EI, "m", "B3", 5000): [0.6, 0.7], (EI, "m", "B3", 0): [0.9, 0.9]}
    found = estimated(paper(falls), measured(cells))
    assert (found.value, found.low, found.high) == (True, None, None)
    assert len(found.levels) == 1


@pytest.mark.parametrize(
    ("words", "sign"),
    [("significantly lower", -1), ("a significant gain", 1), ("differ significantly", 0)],
)
def test_a_significant_difference_has_the_direction_of_its_words(words: str, sign: int) -> None:
    differ = {
        "printed": words,
        "statistic": "significant",
        "of": "mean",
        "against": {"condition": "B2"},
    }
    cells = {(EI, "m", "B3", 5000): [0.6, 0.7], (EI, "m", "B2", 5000): [0.9, 0.8]}
    found = estimated(paper({**differ, **AFTER}), measured(cells))
    assert found.value == pytest.approx(-0.2)
    assert found.sign == sign


def test_nothing_is_claimed_of_the_direction_of_no_effect() -> None:
    none = {
        "printed": "not lower",
        "statistic": "no_effect",
        "of": "mean",
        "against": {"condition": "B2"},
    }
    cells = {(EI, "m", "B3", 5000): [0.6, 0.7], (EI, "m", "B2", 5000): [0.9, 0.8]}
    assert estimated(paper({**none, **AFTER}), measured(cells)).sign == 0
    only_one = estimated(paper({**none, **AFTER}), measured(here([0.6])))
    assert only_one.state == "not_run"


@pytest.mark.parametrize(("quantity", "grid"), [("accuracy", 1 / 48), (COUNT, 1.0), (EI, None)])
def test_values_lie_on_the_grid_of_their_probes_or_problems(
    quantity: str, grid: float | None
) -> None:
    claims = paper({"printed": "0.9", "statistic": "mean", **AFTER}, quantity=quantity)
    found = estimated(claims, measured(here([1.0, 1.0], quantity)))
    assert found.grid == grid


def test_what_nothing_was_trained_for_has_the_papers_own_weights() -> None:
    count = {"printed": "90", "kind": "problem_count", "statistic": "single", **BASE}
    found = estimated(paper(count, quantity=COUNT), measured({(COUNT, "m", "B0", 0): [91]}))
    assert (found.value, found.same_weights) == (91, True)
    after = {"printed": "90", "kind": "problem_count", "statistic": "single", **AFTER}
    trained = estimated(paper(after, quantity=COUNT), measured(here([91], COUNT)))
    assert (trained.value, trained.same_weights) == (91, False)


def test_a_base_value_is_estimated_from_every_probe_set_it_was_measured_on(store: Any) -> None:
    """Two sets, the first of them read by runs of two conditions: 1.0, and three times 2.0."""
    for condition, seeds, value in (("B0", (None,), 1.0), ("B3", (0, 1, 2), 2.0)):
        for seed in seeds:
            run = store.run(condition=condition, seed=seed, values={(EI, 0): value})
    store.measure(run, {(EI, 0): 5.0}, probe_set="core_60")
    claims = paper({"printed": "1.75", **BASE}, MEAN)
    assert claims[0].tolerance.rule == "probe_sets"
    found = estimated(claims, gather_evidence(store.connection, [], bases=[EI]))
    assert found.value == pytest.approx((1.75 + 5.0) / 2)
    (cell,) = found.cells
    assert (cell.runs, cell.sd) == (2, pytest.approx(np.std([1.75, 5.0], ddof=1)))
    assert found.graded == Graded(grade="own")
    nothing = estimated(claims, Evidence())
    assert nothing.reason == f"{MANIFEST} has not measured this base model on any probe set"


def test_a_correlation_says_over_how_many_points_it_is() -> None:
    names = ["B1", "B2", "B3", "B4"]
    claim = {
        "printed": "-0.94",
        "statistic": "spearman",
        "over": "condition",
        "among": names,
        "model": "m",
        "step": 5000,
        "of": {"quantity": EI},
        "against": {"quantity": COUNT},
    }
    cells = {}
    for place, name in enumerate(names):
        cells[EI, "m", name, 5000] = [float(place)]
        cells[COUNT, "m", name, 5000] = [90.0 - place]
    found = estimated(paper(claim), measured(cells))
    assert (found.value, found.points) == (pytest.approx(-1.0), 4)


def test_a_probe_sets_value_is_the_mean_of_all_runs_that_measured_it() -> None:
    found = by_probe_set([base("a", 1.0, 1), base("a", 2.0, 3, "B3"), base("b", 5.0, 2)])
    assert found == {"a": np.average([1.0, 2.0, 2.0, 2.0]), "b": 5.0}
    assert by_probe_set([]) == {}
