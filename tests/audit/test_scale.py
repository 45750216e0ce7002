"""What 1 is in print: one cell says it of itself, a table's other cells say it better."""

from collections.abc import Callable

import pytest

from repro.audit.prints import PrintedNumbers
from repro.audit.scale import Scale, Scales, scale_of

Read = Callable[..., PrintedNumbers]


def scale_in(read: Read, quantity: str, *cells: str) -> Scale:
    """Return the scale of a table's first cell."""
    rows = [{"printed": one, "quantity": quantity, "model": f"m{n}"} for n, one in enumerate(cells)]
    prints = read(*rows)
    return Scales(prints).of(prints.claims[0], prints.claims[0].number)


@pytest.mark.parametrize(
    ("printed", "one"), [("0.8", 1.0), ("1.0", 1.0), ("7.97", 100.0), ("0.8%", 100.0)]
)
def test_one_cell_is_a_percentage_where_it_says_so_or_exceeds_1(
    read: Read, printed: str, one: float
) -> None:
    (claim,) = read({"printed": printed, "quantity": "accuracy"}).claims
    assert scale_of(claim, claim.number) == one


@pytest.mark.parametrize(
    ("quantity", "cells", "expected"),
    [
        ("accuracy", ("0.81", "0.79", "0.83"), Scale(1.0)),
        ("accuracy", ("81.2", "79.4", "83.0"), Scale(100.0)),
        ("accuracy", ("0.81", "0.79", "8.30"), Scale(1.0)),
        ("accuracy", ("0.8", "0.7", "8.3"), Scale(1.0, sure=False)),
        ("error_rate", ("0.81", "0.79", "8.30"), Scale(1.0, sure=False)),
        ("accuracy", ("0.64", "81.2", "79.4"), Scale(100.0)),
        ("accuracy", ("0.64", "81.2"), Scale(1.0)),
        ("accuracy", ("0", "81.2", "79.4"), Scale(100.0)),  # 0 is 0 in any unit
    ],
)
def test_the_other_cells_of_a_table_tell_its_scale(
    read: Read, quantity: str, cells: tuple[str, ...], expected: Scale
) -> None:
    assert scale_in(read, quantity, *cells) == expected


def test_a_table_has_no_say_in_another_quantity(read: Read) -> None:
    rows = [
        {"printed": "7.9", "quantity": "f1"},
        {"printed": "0.81", "quantity": "accuracy", "model": "m"},
        {"printed": "0.79", "quantity": "accuracy", "model": "n"},
    ]
    prints = read(*rows)
    assert Scales(prints).of(prints.claims[0], 7.9) == Scale(100.0)
