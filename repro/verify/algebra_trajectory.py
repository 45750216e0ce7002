"""What a trajectory of entanglement intensity does: collapse for good, recover in between (docs/SCIENCE.md §11)."""

from collections.abc import Sequence

import numpy as np

from repro.geometry.trajectory import collapse_steps, recoveries
from repro.geometry.undefined import Array
from repro.manifest.claim_term import Scalar
from repro.verify.algebra_interval import FALSE, TRUE, Interval, Missing, Value, point


def is_zero(value: Interval) -> bool:
    """Printed as zero, or measured as zero."""
    return value.holds(0) and abs(value.middle) < 1e-12


def collapse_step(steps: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """First step from which every value is zero."""
    step = float(collapse_steps(*_run(steps, values))[0])
    return Missing("it does not collapse by the last step known") if np.isnan(step) else point(step)


def recovery(steps: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """True when a zero is followed by something above zero and, later, by zero again."""
    return TRUE if recoveries(_run(steps, values)[1])[0] else FALSE


def _run(steps: Sequence[Scalar], values: Sequence[Interval]) -> tuple[list[float], Array]:
    """(S steps by rise, 1 × S values): what is printed as zero is zero, whatever it may have been before rounding."""
    ordered = sorted(zip(map(float, steps), values, strict=True), key=lambda pair: pair[0])
    return [step for step, _ in ordered], np.array([[0.0 if is_zero(value) else value.middle for _, value in ordered]])
