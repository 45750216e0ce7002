"""What a trajectory of entanglement intensity does: collapse for good, recover in between (docs/SCIENCE.md §11)."""

from collections.abc import Sequence

from repro.manifest.claim_term import Scalar
from repro.verify.algebra_interval import FALSE, TRUE, Interval, Missing, Value, point


def is_zero(value: Interval) -> bool:
    """Printed as zero, or measured as zero."""
    return value.holds(0) and abs(value.middle) < 1e-12


def collapse_step(steps: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """First step from which every value is zero."""
    ordered = sorted(zip(map(float, steps), values, strict=True), key=lambda pair: pair[0])
    zero_from = None
    for step, value in reversed(ordered):
        if not is_zero(value):
            break
        zero_from = step
    return Missing("it does not collapse by the last step known") if zero_from is None else point(zero_from)


def recovery(steps: Sequence[Scalar], values: Sequence[Interval]) -> Value:
    """True when a zero is followed by something above zero and, later, by zero again."""
    ordered = sorted(zip(map(float, steps), values, strict=True), key=lambda pair: pair[0])
    zeros = [is_zero(value) for _, value in ordered]
    if True not in zeros:
        return FALSE
    after = zeros[zeros.index(True) :]
    return TRUE if False in after and True in after[after.index(False) :] else FALSE
