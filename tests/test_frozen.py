"""Records: immutable, strict, and never with what another one computed."""

from functools import cached_property

import pytest
from pydantic import ValidationError

from repro.frozen import Frozen


class Square(Frozen):
    side: float

    @cached_property
    def area(self) -> float:
        return self.side**2


def test_a_copy_computes_anew() -> None:
    one = Square(side=2)
    assert one.area == 4
    assert one.model_copy(update={"side": 3}).area == 9
    assert one.area == 4
    assert one.model_copy().area == 4


@pytest.mark.parametrize("fields", [{"side": 1, "colour": 2}, {"side": float("nan")}, {}])
def test_what_is_unknown_infinite_or_missing_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Square(**fields)
    with pytest.raises(ValidationError, match="frozen"):
        Square(side=1).side = 2  # type: ignore[misc]
