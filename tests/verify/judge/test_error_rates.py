"""How often the rules err: error rates of the whole rules, not only of the tests below them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from repro.claims.claim import Claim
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.evidence.columns import MeasuredRow
from repro.verify.evidence.evidence import Evidence
from repro.verify.judge import judge
from repro.verify.verdict import Estimate, MeasuredCell

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
ORDER = {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER}
COUNT = {"quantity": "humaneval_plus", "model": "m", "measured_by": "scale_ladder"}
Claims = Callable[..., list[Claim]]


def rates(
    claim: Claim, make: Callable[[np.random.Generator], Estimate], simulations: int = 2000
) -> dict[str, float]:
    rng = np.random.default_rng(0)
    found = [judge(claim, make(rng)).outcome for _ in range(simulations)]
    return {name: found.count(name) / simulations for name in set(found)}


def repeated(
    claim: Claim,
    rng: np.random.Generator,
    *,
    shift: float,
    n: int,
    m: int,
    sd: float,
    effect: float,
) -> tuple[Claim, Estimate]:
    """A paper's n seeds and our m runs, drawn anew: the claim as it would be printed, and the
    estimate.
    """
    theirs, ours = rng.normal(0.5, sd, n), rng.normal(0.5 + shift, sd, m)
    mean = float(theirs.mean())
    cell = MeasuredCell(
        name="EI", mean=float(ours.mean()), sd=float(ours.std(ddof=1)) if m > 1 else None, runs=m,
        printed_sd=float(theirs.std(ddof=1)), printed_seeds=n, averaged=n,
    )  # fmt: skip
    estimate = Estimate(state="measured", value=cell.mean, cells=(cell,), effect=effect)
    return claim.model_copy(update={"value": mean, "low": mean, "high": mean}), estimate


def mean_rates(claims_of: Claims, **truth: Any) -> dict[str, float]:
    claim = claims_of({"printed": "0.5", "statistic": "mean", **AFTER})[0]
    rng = np.random.default_rng(1)
    found = [judge(*repeated(claim, rng, **truth)).outcome for _ in range(2000)]
    return {
        name: found.count(name) / 2000
        for name in ("reproduced", "consistent", "contradicted", "inconclusive")
    }


@pytest.mark.worker
@pytest.mark.parametrize(("n", "m"), [(3, 1), (3, 3), (8, 2), (8, 8)])
def test_a_true_mean_is_contradicted_in_at_most_five_percent(
    claims_of: Claims, n: int, m: int
) -> None:
    found = mean_rates(claims_of, shift=0.0, n=n, m=m, sd=0.1, effect=0.3)
    assert found["contradicted"] <= 0.065


def test_the_contradiction_level_is_reached_when_equivalence_cannot_interfere(
    claims_of: Claims,
) -> None:
    """Nearly: a difference also has to stand with our own spread counted in."""
    found = mean_rates(claims_of, shift=0.0, n=8, m=3, sd=0.1, effect=0.041)
    assert 0.025 <= found["contradicted"] <= 0.065


@pytest.mark.parametrize(("n", "m"), [(3, 1), (3, 3), (8, 8)])
def test_a_mean_off_by_the_margin_is_called_reproduced_in_at_most_five_percent(
    claims_of: Claims, n: int, m: int
) -> None:
    found = mean_rates(claims_of, shift=0.1, n=n, m=m, sd=0.03, effect=0.4)
    assert found["reproduced"] <= 0.065


def test_the_rules_can_tell(claims_of: Claims) -> None:
    """The control: plain truths and plain untruths are recognised."""
    assert mean_rates(claims_of, shift=0.0, n=8, m=8, sd=0.02, effect=0.4)["reproduced"] > 0.99
    assert mean_rates(claims_of, shift=1.0, n=8, m=8, sd=0.02, effect=0.4)["contradicted"] > 0.99
    assert mean_rates(claims_of, shift=0.0, n=3, m=1, sd=0.3, effect=0.2)["inconclusive"] > 0.9


@pytest.mark.worker
def test_a_false_ordering_is_called_true_in_at_most_five_percent(claims_of: Claims) -> None:
    """Equal truths: "below" is called reproduced, and contradicted, in 5 % each."""
    (claim,) = claims_of({**ORDER, "against": {"step": 4000}})
    rng = np.random.default_rng(2)
    found = []
    for _ in range(2000):
        evidence = Evidence()
        add_cells(evidence, {4000: rng.normal(0.5, 0.1, 3), 5000: rng.normal(0.5, 0.1, 3)})
        found.append(
            judge(claim, estimate(claim, Context(evidence, prints_by_source([claim])))).outcome
        )
    assert found.count("reproduced") / 2000 <= 0.065
    assert found.count("contradicted") / 2000 <= 0.065
    assert found.count("reproduced") / 2000 >= 0.02


def add_cells(evidence: Evidence, steps: dict[int, np.ndarray]) -> None:
    by_step = {
        step: MeasuredRow(np.arange(len(values)), values, None, 48)
        for step, values in steps.items()
    }
    evidence.rows["scale_ladder", EI, "default"][None, None, None]["m", "B3"] = by_step


def test_a_true_count_is_contradicted_in_at_most_five_percent(claims_of: Claims) -> None:
    (claim,) = claims_of({"printed": "60/164", "condition": "B3", "step": 5000, **COUNT})

    def make(rng: np.random.Generator) -> Estimate:
        theirs, ours = (int(rng.binomial(164, 0.4)) for _ in range(2))
        cell = MeasuredCell(name="HE+", mean=ours, sd=6.0, runs=1, binomial=True)
        return Estimate(
            state="measured",
            value=float(ours),
            cells=(cell,),
            counted=(ours, 164),
            printed_counted=(theirs, 164),
            effect=0.2,
        )

    assert rates(claim, make).get("contradicted", 0.0) <= 0.06
