"""Measurement: one number, or the reason there is none, and its origin."""

import math
from typing import Self

from pydantic import model_validator

from repro.frozen import Frozen


class Measurement(Frozen):
    """One row of evidence. It belongs to the run whose file holds it."""

    step: int
    """Optimizer steps taken when it was measured; 0 is the base model."""
    quantity: str
    """What was measured, e.g. ``entanglement_intensity``, ``accuracy``, ``damage``, ``loss``."""
    value: float | None
    """The number; None exactly when `reason` says why it is undefined."""
    reason: str | None = None
    """Why the quantity is undefined here (docs/SCIENCE.md §5: never a 0)."""
    n: int
    """Observations behind the number (probes, tokens, steps)."""
    specification: str = "default"
    """Reading of the definition: ``default``, ``anchored``, … (docs/SCIENCE.md §5)."""
    layer: str = ""
    """Where activations were taken, e.g. ``post_norm``; empty for quantities of the whole model."""
    direction: int | None = None
    """Index of the informative direction, by falling singular value; None for scalars."""
    concept: str | None = None
    """The concept (domain, register, shape), or the data domain of a loss."""
    probe_set: str | None = None
    """The probe set it was measured on, if that is not the run's own."""

    @model_validator(mode="after")
    def _value_or_reason(self) -> Self:
        """Require either a value or a reason, and not both."""
        if (self.value is None) == (self.reason is None):
            raise ValueError("a measurement has either a value or the reason it is undefined")
        return self


def measured(value: float, **where: object) -> Measurement:
    """Return a measurement of `value`. A non-finite value is undefined, with that as its reason."""
    if math.isfinite(value):
        return Measurement.model_validate({"value": float(value), **where})
    return Measurement.model_validate({"value": None, "reason": f"not finite ({value})", **where})
