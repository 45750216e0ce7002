"""The base of every record: immutable, and strict about what it does not know."""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable pydantic model that refuses unknown fields and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with these fields; what was computed once from the old ones is forgotten.

        pydantic copies what `cached_property` keeps too: a run would keep another run's name.
        """
        copy = super().model_copy(update=update, deep=deep)
        for name in _computed(type(self)):
            vars(copy).pop(name, None)
        return copy


@cache
def _computed(kind: type) -> tuple[str, ...]:
    """Return the names of a class's cached properties, those of its parents too."""
    return tuple(
        name
        for parent in kind.__mro__
        for name, kept in vars(parent).items()
        if isinstance(kept, cached_property)
    )
