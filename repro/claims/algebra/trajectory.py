"""What a trajectory of entanglement intensity does: collapse for good, recover in between.

Definitions: docs/SCIENCE.md §11.
"""

from collections.abc import Sequence

import numpy as np

from repro.claims.algebra.interval import FALSE, TRUE, Interval, Value, point
from repro.claims.selector import Scalar
from repro.geometry.trajectory import collapse_steps, recoveries
from repro.geometry.undefined import Array, Undefined


def is_zero(value: Interval) -> bool:
    """Tell whether a value is printed as zero, or measured as zero."""
    return value.holds(0) and abs(value.middle) < 1e-12


def collapse_step(steps: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """Return the first step from which every value is zero."""
    step = float(collapse_steps(*_run(steps, values))[0])
    return (
        Undefined("it does not collapse by the last step known") if np.isnan(step) else point(step)
    )


def recovery(steps: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """Tell whether a zero is followed by something above zero and, later, by zero again."""
    return TRUE if recoveries(_run(steps, values)[1])[0] else FALSE


def _run(steps: Sequence[Scalar], values: Sequence[Interval]) -> tuple[list[float], Array]:
    """Return S steps by rise and their values, 1 × S.

    What is printed as zero is zero, whatever it may have been before rounding.
    """
    ordered = sorted(zip(map(float, steps), values, strict=True), key=lambda pair: pair[0])
    return [step for step, _ in ordered], np.array(
        [[0.0 if is_zero(value) else value.middle for _, value in ordered]]
    )
