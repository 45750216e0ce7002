"""Decode what a candidate sent: strictly plain data, or an object that equals nothing.

The sender is hostile. No code is run and no class is looked up; sizes are limited before anything
is parsed, and a set or dict is built only where one of that size is expected, so that keys chosen
to collide cost nothing.
"""

import base64
import json
from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


class Opaque:
    """Anything that is not plain data. It equals nothing, not even itself."""

    def __eq__(self, other: object) -> bool:
        """Return False: it equals nothing."""
        return False

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Output:
    """A decoded output."""

    value: Any
    exact: bool
    """False for a subclass or another library's number: it may be equal, but its type is not
    the expected one.
    """

    @property
    def type(self) -> type:
        """Return the type of the candidate's value, as far as a comparison of types needs it."""
        return type(self.value) if self.exact else Opaque


def decode(data: bytes, largest: int) -> Output:
    """Decode one output. `largest`: items of the largest set or dict that may be built."""
    try:
        content = json.loads(data)
        exact = not (isinstance(content, dict) and "u" in content)
        return Output(_value(content, largest), exact)
    except (
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        OverflowError,
        ZeroDivisionError,
        MemoryError,
    ):
        return Output(Opaque(), False)


def largest_unordered(value: Any) -> int:
    """Return the number of items of the largest set or dict in a value."""
    if isinstance(value, dict):
        return max(
            [len(value), *(largest_unordered(part) for pair in value.items() for part in pair)]
        )
    if isinstance(value, list | tuple | set | frozenset):
        own = len(value) if isinstance(value, set | frozenset) else 0
        return max(
            [own, *(largest_unordered(item) for item in value if isinstance(item, _CONTAINERS))]
        )
    return 0


_CONTAINERS = (list, tuple, dict, set, frozenset)


def _value(content: Any, largest: int) -> Any:
    """Return the value behind its JSON form."""
    if isinstance(content, list):
        return [_value(item, largest) for item in content]
    if not isinstance(content, dict):
        return content
    ((kind, inner),) = content.items()
    match kind:
        case "i":
            return int(inner, 16)
        case "F":
            floats = array("d")
            floats.frombytes(base64.b64decode(inner, validate=True))
            return floats.tolist()
        case "t":
            return tuple(_value(item, largest) for item in _listed(inner))
        case "d":
            pairs = _bounded(inner, largest)
            return {_value(key, largest): _value(item, largest) for key, item in pairs}
        case "s":
            return {_value(item, largest) for item in _bounded(inner, largest)}
        case "z":
            return frozenset(_value(item, largest) for item in _bounded(inner, largest))
        case "b":
            return bytes.fromhex(inner)
        case "c":
            return complex(*inner)
        case "q":
            numerator, denominator = inner
            return Fraction(int(numerator, 16), int(denominator, 16))
        case "u":
            return _value(inner, largest)
    return Opaque()


def _listed(inner: Any) -> list[Any]:
    """Return a list; raise TypeError for anything else."""
    if not isinstance(inner, list):
        raise TypeError
    return inner


def _bounded(inner: Any, largest: int) -> list[Any]:
    """Return a list with no more items than the expected value has anywhere.

    A larger one cannot be equal to it: it raises ValueError.
    """
    items = _listed(inner)
    if len(items) > largest:
        raise ValueError
    return items
