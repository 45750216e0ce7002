"""What a verdict could have said, against simulation and at its ends."""

import numpy as np
import pytest

from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.headline import spread_out
from repro.verify.judge import judge_alone
from repro.verify.judge.could_tell import could_tell
from tests.verify.judge.test_promises import AFTER, BASE, EI, measured, paper

PRINTED = {"printed": "0.500 ± 0.060", **AFTER}
START = {"printed": "0.700", "statistic": "mean", **BASE}


def told(claims, cells) -> dict[str, object]:
    context = Context(measured(cells), prints_by_source(claims))
    return could_tell(claims[0], estimate(claims[0], context))


def seeds(n: int) -> dict[str, object]:
    return {"printed": str(n), "statistic": "count", **AFTER}


def test_the_stated_rates_are_what_the_rule_does() -> None:
    """A mean ± SD of 8 seeds against 8 runs, true and absent, judged two thousand times."""
    claims = paper(PRINTED, START, seeds(8))
    stated = told(
        claims,
        {(EI, "m", "B3", 5000): spread_out(0.5, 0.06, 8).tolist(), (EI, "m", "B3", 0): [0.7]},
    )
    rng = np.random.default_rng(0)
    outcomes: dict[float, list[str]] = {0.5: [], 0.7: []}
    for _ in range(500):
        theirs = rng.normal(0.5, 0.06, 8)
        drawn = paper(
            {**PRINTED, "printed": f"{theirs.mean():.3f} ± {theirs.std(ddof=1):.3f}"},
            START,
            seeds(8),
        )
        for mean, found in outcomes.items():
            context = Context(
                measured({(EI, "m", "B3", 5000): rng.normal(mean, 0.06, 8)}),
                prints_by_source(drawn),
            )
            found.append(judge_alone(drawn[0], estimate(drawn[0], context)).outcome)
    assert outcomes[0.5].count("reproduced") / 500 == pytest.approx(
        stated["reproduced_if_true"], abs=0.06
    )
    assert outcomes[0.7].count("contradicted") / 500 == pytest.approx(
        stated["contradicted_if_absent"], abs=0.06
    )


def test_more_runs_tell_more_and_the_runs_named_are_enough() -> None:
    few, many = (paper(PRINTED, START, seeds(n)) for n in (3, 12))
    cells = [
        {(EI, "m", "B3", 5000): spread_out(0.5, 0.06, n).tolist(), (EI, "m", "B3", 0): [0.7]}
        for n in (3, 12)
    ]
    less, more = told(few, cells[0]), told(many, cells[1])
    assert less["reproduced_if_true"] < more["reproduced_if_true"]
    assert less["contradicted_if_absent"] < more["contradicted_if_absent"]
    runs = less["runs_a_side"]
    enough = paper(PRINTED, START, seeds(runs))
    at = told(
        enough,
        {(EI, "m", "B3", 5000): spread_out(0.5, 0.06, runs).tolist(), (EI, "m", "B3", 0): [0.7]},
    )
    assert min(at["reproduced_if_true"], at["contradicted_if_absent"]) >= 0.795


def test_what_cannot_contradict_says_zero() -> None:
    claims = paper(PRINTED, START, seeds(3))
    assert (
        told(claims, {(EI, "m", "B3", 5000): [0.5], (EI, "m", "B3", 0): [0.7]})[
            "contradicted_if_absent"
        ]
        == 0.0
    )
    assert told(claims, {}) == {}
