"""The lines of the speed table."""

from typing import Any

Row = dict[str, Any]
"""name, value (None: not measured, the note says why), unit, bar, holds, note."""


def row(name: str, value: float, unit: str, bar: float, at_most: bool = False, note: str = "") -> Row:
    """One figure; `holds` compares with the bar in the direction that is better."""
    holds = bool(value <= bar if at_most else value >= bar)
    bar_text = f"{'≤' if at_most else '≥'} {bar:,g}"
    return {"name": name, "value": float(value), "unit": unit, "bar": bar_text, "holds": holds, "note": note}


def missing(name: str, reason: str) -> Row:
    """A line for what could not be measured: it holds nothing."""
    return {"name": name, "value": None, "unit": "", "bar": "", "holds": False, "note": reason}
