"""Compare outputs with the expected ones by EvalPlus's checks.

They are those of evalplus 0.3.1 (eval/__init__.py, unsafe_execute). Equal as Python has it, or
close: np.allclose with EvalPlus's tolerances, which it also applies once an expected value of the
set was a float. Two departures, both against forgery: shapes must be equal (there, a value may be
broadcast), and inputs that the candidate altered are not used to check its own answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from repro.score.values import Output, decode, largest_unordered

_RELATIVE = 1e-7
FOR_FLOATS = 1e-6
"""Absolute tolerance where a float is expected and the problem states none."""
ROOT_FINDER = "find_zero"
"""HumanEval/32: any root of the polynomial is right."""


@dataclass(frozen=True)
class Check:
    """The expected outputs of one set of inputs, and how an output is compared with them."""

    entry_point: str
    inputs: Sequence[Sequence[Any]]
    expected: Sequence[bytes]
    """Encoded as the benchmark's own solution sent them."""
    tolerance: float

    def holds(self, index: int, sent: bytes) -> bool:
        """Return whether the output for input `index` is right."""
        wanted = self.expected[index]
        if self.entry_point == ROOT_FINDER:
            return is_root(self.inputs[index], decode(sent, 0), self.tolerance)
        if sent == wanted and b"NaN" not in sent:  # The same plain data; a NaN never equals itself.
            return True
        return equal(
            decode(sent, self._largest(index)), self._expected(index), self._tolerance(index)
        )

    def longest(self, index: int) -> int:
        """Return the most bytes that an encoding of an equal value can have."""
        return (1 << 20) + 4 * len(self.expected[index])

    def _expected(self, index: int) -> Any:
        """Return the expected value of an input."""
        return decode(self.expected[index], len(self.expected[index])).value

    def _largest(self, index: int) -> int:
        """Return the size of the largest set or dict in an input's expected value."""
        return largest_unordered(self._expected(index))

    def _tolerance(self, index: int) -> float:
        """Return the absolute tolerance of an input."""
        return FOR_FLOATS if self.tolerance == 0 and index >= self._first_float else self.tolerance

    @cached_property
    def _first_float(self) -> int:
        """Return the first input whose expected output is made of floats.

        EvalPlus sets its tolerance there and keeps it for the inputs after it.
        """
        every = range(len(self.expected))
        return next(
            (index for index in every if is_floats(self._expected(index))), len(self.expected)
        )


def equal(output: Output, expected: Any, tolerance: float) -> bool:
    """Compare one output as EvalPlus does."""
    try:
        if output.value == expected:
            return True
        if tolerance == 0 or output.type is not type(expected):
            return False
        out, exp = np.asarray(output.value), np.asarray(expected)
        return out.shape == exp.shape and bool(
            np.allclose(out, exp, rtol=_RELATIVE, atol=tolerance)
        )
    except (TypeError, ValueError, OverflowError, MemoryError, RecursionError):
        return False


def is_floats(value: Any) -> bool:
    """Return EvalPlus's `is_floats`: whether a value is a float, or a list or tuple of floats
    only.
    """
    if isinstance(value, list | tuple) and value:
        return all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def is_root(inputs: Sequence[Any], output: Output, tolerance: float) -> bool:
    """Return whether the polynomial of HumanEval/32 is within the tolerance of zero at the
    output.
    """
    try:
        value = sum(c * math.pow(output.value, power) for power, c in enumerate(inputs[0]))
        return bool(abs(value) <= tolerance)
    except (TypeError, ValueError, OverflowError):
        return False
