"""Rows of evidence as a table of values."""

from repro.evidence.measurement import Measurement


def by_cell(rows: list[Measurement]) -> dict[tuple[str, str, int | None, str], float | None]:
    """Values by quantity, part, direction and specification; no cell is there twice."""
    found = {
        (row.quantity, row.concept or "", row.direction, row.specification): row.value
        for row in rows
    }
    assert len(found) == len(rows)
    return found
