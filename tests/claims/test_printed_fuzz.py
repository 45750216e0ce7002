"""Cells from a grammar of its own: read back exactly or refused; a number that nobody declares is
never dropped.
"""

import os
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType

import pytest

from repro.claims.printed import PrintedPart, read
from repro.errors import ManifestError

CELLS = int(os.environ.get("REPRO_CELLS", "600"))


def close(given: float | None, expected: Decimal | None) -> bool:
    if given is None or expected is None:
        return given is None and expected is None
    return abs(given - float(expected)) <= 1e-9 * max(1e-30, abs(float(expected)))


@pytest.fixture(scope="module")
def cells(helper: Callable[[str], ModuleType]) -> ModuleType:
    return helper("claims/printed_grammar.py")


def test_a_cell_is_read_back_exactly_or_refused(cells: ModuleType) -> None:
    made = cells.Cells(11)
    refused, wrong = [], []
    for _ in range(CELLS):
        text, expected = made.cell()
        try:
            parts = read(text)
        except ManifestError:
            refused.append(text)
            continue
        if not same(parts, expected):
            wrong.append(
                f"{text!r}: {[(part.value, part.low, part.high) for part in parts]}, not {expected}"
            )
    assert not wrong, "\n".join(wrong[:20])
    assert len(refused) <= 0.02 * CELLS, refused[:20]


def same(parts: tuple[PrintedPart, ...], expected: list) -> bool:
    pairs = zip(parts, expected, strict=False)
    return len(parts) == len(expected) and all(
        close(part.value, one.value) and close(part.low, one.low) and close(part.high, one.high)
        for part, one in pairs
    )


def test_a_second_number_that_nobody_declares_is_found_or_the_cell_refused(
    cells: ModuleType,
) -> None:
    made = cells.Cells(12)
    dropped, kept = [], 0
    for _ in range(CELLS):
        text, _ = made.cell()
        behind, number = made.intruder()
        try:
            parts = read(text + behind)
        except ManifestError:
            continue
        kept += 1
        if not any(close(abs(part.value), number) or part.total == number for part in parts):
            dropped.append(f"{text + behind!r}: {[(part.role, part.value) for part in parts]}")
    assert not dropped, "\n".join(dropped[:20])
    assert kept > 0.05 * CELLS  # a reader that refuses everything would pass otherwise
