"""A quantity that does not exist here, and why: never a zero (docs/SCIENCE.md §5)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Undefined:
    """Stands where a number would stand, with the reason there is none."""

    reason: str


@dataclass(frozen=True)
class NotRun(Undefined):
    """Stands where a number would stand if what gives it had been run."""
