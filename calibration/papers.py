"""Simulate whole papers of forty claims about six cells.

All claims are true, or one headline effect is absent from our runs. A headline cell's effect is
large enough for 8 seeds a side to miss its absence in less than one paper in ten.
"""

from typing import NamedTuple

import numpy as np

from calibration.kinds import (
    EI,
    Cell,
    Study,
    Truth,
    claims_of,
    count_of,
    evidence_of,
    printed,
    start_of,
)
from repro.verify.assess import assess, exit_code


class Placed(NamedTuple):
    """A measured cell with its start, mean and standard deviation."""

    cell: Cell
    start: float
    mean: float
    sd: float


CELLS = (
    Placed(Cell(model="m1"), 0.945, 0.641, 0.099),
    Placed(Cell(model="m2"), 0.810, 0.300, 0.109),
    Placed(Cell(model="m3"), 0.622, 0.100, 0.030),
    Placed(Cell(model="m1", quantity="v_purity"), 0.615, 0.643, 0.020),
    Placed(Cell(model="m2", quantity="v_purity"), 0.624, 0.620, 0.039),
    Placed(Cell(model="m3", quantity="v_purity"), 0.635, 0.622, 0.022),
)
HEADLINE = 1
"""The cell whose effect the abstract claims."""


def study(truth: Truth, *, absent: bool) -> Study:
    """Draw a paper's claims and our runs.

    `absent`: our runs of the headline cell stay at their start.
    """
    written: list[dict[str, object]] = []
    runs = {}
    for place, (cell, start, mean, sd) in enumerate(CELLS):
        theirs = truth.theirs(mean, sd)
        gone = absent and place == HEADLINE
        runs[cell] = truth.law(truth.rng, start if gone else mean, sd, truth.m)
        runs[cell._replace(step=0)] = np.full(truth.m, start)
        where = {"locator": "Abstract"} if place == HEADLINE else {}
        change = f"{100 * (theirs.mean() / start - 1):+.0f}%".replace("-", "−")
        relative = {"statistic": "relative_change", "of": "mean", "against": {"step": 0}}
        written += [
            {**cell.fields, "printed": printed(theirs), **where},
            start_of(cell, start),
            count_of(cell, truth.n),
            {**cell.fields, "printed": change, **relative, **where},
            *(
                {**cell.fields, "seed": seed, "printed": f"{value:.3f}"}
                for seed, value in enumerate(theirs)
            ),
        ]
        if cell.quantity == EI:
            falls = {"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}}
            written.append({**cell.fields, **falls, **where})
    trend = {
        "statistic": "monotone",
        "order": "decreasing",
        "over": "model",
        "of": "mean",
        "among": ["m1", "m2", "m3"],
    }
    written.append(
        {"quantity": EI, "condition": "B3", "step": 5000, "printed": "monotonically", **trend}
    )
    return Study(written, runs)


def code(truth: Truth, *, absent: bool = False) -> int:
    """Return the exit code of `repro judge` for one simulated paper."""
    found = study(truth, absent=absent)
    claims = claims_of(found.written)
    return exit_code(assess(claims, None, everything=claims, supplied=evidence_of(found)))
