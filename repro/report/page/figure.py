"""A figure: rows of numbers and the Vega-Lite that draws them; colours are names until drawn."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

Spec = dict[str, Any]
Cell = str | float | int | None | list[Any]
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
LIGHT: Mapping[str, str] = {
    "ink": "#1d2430", "muted": "#5b6676", "line": "#d9dee6", "card": "#ffffff", "accent": "#2457c5",
    "k0": "#5b6676", "k1": "#c2410c", "k2": "#2457c5", "k3": "#047857", "k4": "#9333ea", "k5": "#b45309",
    "k6": "#be185d", "k7": "#0e7490", "k8": "#4d7c0f", "k9": "#7c2d12",
}  # fmt: skip
"""The colours of the page by day, by the names of its style sheet; files are drawn with them."""
KINDS = 10
NUMBERED = frozenset(f"B{number}" for number in range(7))
DIGITS = 5
WIDTH = 520
"""Pixels of a figure in a file; on the page it is as wide as there is room."""
CONFIG: Spec = {
    "background": None, "font": "system-ui, sans-serif", "view": {"stroke": None},
    "axis": {"labelColor": "var(--muted)", "titleColor": "var(--ink)", "gridColor": "var(--line)", "domainColor": "var(--line)",
             "tickColor": "var(--line)", "titleFontWeight": 500, "labelFontSize": 11, "titleFontSize": 12, "labelLimit": 240},
    "legend": {"labelColor": "var(--ink)", "titleColor": "var(--muted)", "orient": "bottom", "titleFontWeight": 500,
               "labelFontSize": 12, "symbolStrokeWidth": 2, "symbolBaseFillColor": "var(--muted)",
               "symbolBaseStrokeColor": "var(--muted)", "columns": 6, "titleOrient": "left"},
    "header": {"labelColor": "var(--ink)", "titleColor": "var(--muted)", "labelFontSize": 12, "labelFontWeight": 600},
    "axisYBand": {"labelPadding": 8}, "axisYPoint": {"labelPadding": 8},
    "text": {"color": "var(--ink)"}, "rule": {"color": "var(--muted)"},
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One drawing, its numbers, and what it says in words."""

    id: str
    title: str
    says: str
    """One or two sentences, for whoever sees it and whoever does not."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    spec: Spec
    """Without data; `width: container` where it takes the room there is."""
    wide: bool = False
    """Whether it stands alone in its row of the page."""

    def record(self, names: dict[str, int]) -> dict[str, Any]:
        """Return what the page draws from.

        A list of words becomes one of their places in `names`, which grows.
        """
        coded = {
            number
            for row in self.rows
            for number, cell in enumerate(row)
            if isinstance(cell, list) and isinstance(cell[0], str)
        }
        rows = [
            [[names.setdefault(word, len(names)) for word in cell] if n in coded and isinstance(cell, list) else cell
             for n, cell in enumerate(row)]
            for row in self.rows
        ]  # fmt: skip
        return {
            "id": self.id,
            "columns": self.columns,
            "rows": rows,
            "coded": sorted(coded),
            "spec": self.spec,
        }

    def drawn(self) -> Spec:
        """Return the whole specification with its data, in the colours of files."""
        values = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        whole = {
            "$schema": _SCHEMA,
            "config": {**CONFIG, "background": LIGHT["card"]},
            "data": {"values": values},
        }
        text = json.dumps({**whole, **self.spec}).replace('"container"', str(WIDTH))
        for name, colour in LIGHT.items():
            text = text.replace(f'"var(--{name})"', f'"{colour}"')
        spec: Spec = json.loads(text)
        return spec


def rounded(value: Cell) -> Cell:
    """Return a number with the digits that a drawing needs."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def table(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> tuple[tuple[Cell, ...], ...]:
    """Return rows as tuples in the columns' order, numbers rounded; what is lacking is None."""
    return tuple(tuple(rounded(row.get(name)) for name in columns) for row in rows)


def slug(*parts: object) -> str:
    """Return a name for an id and a file."""
    text = "-".join(str(part) for part in parts)
    return (
        "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in text.lower()).strip(
            "-"
        )
        or "figure"
    )


def colours(conditions: Iterable[str]) -> Spec:
    """Return a scale that gives each condition its own colour.

    B0 to B6 have the same one in every figure; others take what these leave, in their order.
    """
    domain = sorted(set(conditions))
    fixed = {name: int(name[1]) for name in domain if name in NUMBERED}
    free = [place for place in (*range(7, KINDS), *range(1, 7)) if place not in fixed.values()]
    others = (name for name in domain if name not in fixed)
    places = fixed | dict(zip(others, cycle(free), strict=False))
    return {"domain": domain, "range": [f"var(--k{places[name]})" for name in domain]}


def x(field: str, title: str, **more: Any) -> Spec:
    """Return a quantitative axis."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def tips(*fields: tuple[str, str]) -> list[Spec]:
    """Return what is shown while the pointer rests on a mark."""
    return [{"field": field, "title": title} for field, title in fields]
