"""One row of evidence, when step, layer and probe count are already known."""

from collections.abc import Callable
from functools import partial

from repro.geometry import Undefined
from repro.measurement import Measurement, measured

Row = Callable[..., Measurement]
"""row(quantity=…, value=number or Undefined, specification=…, direction=…, concept=…)"""


def rows_of(step: int, layer: str, n: int, probe_set: str | None = None) -> Row:
    """How a checkpoint writes its rows."""
    return partial(_row, step=step, layer=layer, n=n, probe_set=probe_set)


def _row(quantity: str, value: float | Undefined, **where: object) -> Measurement:
    if isinstance(value, Undefined):
        return Measurement.model_validate({"quantity": quantity, "value": None, "reason": value.reason, **where})
    return measured(float(value), quantity=quantity, **where)
