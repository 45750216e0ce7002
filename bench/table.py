"""The rows of the speed table."""

from typing import Any

Row = dict[str, Any]
"""name, value (None: not measured, the note says why), unit, bar, holds, note."""


def row(
    name: str, value: float, unit: str, bar: float, at_most: bool = False, note: str = ""
) -> Row:
    """Return one figure; `holds` compares it with the bar in the better direction."""
    holds = bool(value <= bar if at_most else value >= bar)
    bar_text = f"{'≤' if at_most else '≥'} {bar:,g}"
    return {
        "name": name,
        "value": float(value),
        "unit": unit,
        "bar": bar_text,
        "holds": holds,
        "note": note,
    }


def missing(name: str, reason: str) -> Row:
    """Return the row of a figure that could not be measured. It does not hold."""
    return {"name": name, "value": None, "unit": "", "bar": "", "holds": False, "note": reason}
