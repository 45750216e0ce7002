"""The drawing of entropies along a chain of sites, with the cut between rows and columns marked."""

from collections.abc import Mapping, Sequence
from typing import Any

from repro.report.page.figure import Spec, tips, x

CHAIN_KINDS = {"measured": [1, 0], "random": [5, 3], "at most": [1, 3]}
"""Kind of line → dashes."""
HEIGHT = 230
_COLUMNS = 3
"""Panels side by side."""


def panels(
    names: Sequence[str],
    kinds: Sequence[str],
    width: int,
    colour: Mapping[str, Any],
    *told: tuple[str, str],
) -> Spec:
    """Return a drawing of panels, by the fields panel, cut, entropy and kind of its rows.

    `line` tells lines of one colour apart; `middle` is the cut between rows and columns, or null.
    `names`: the panels in their order; `told`: what the pointer shows besides.
    """
    lines = {
        "mark": {"type": "line", "strokeWidth": 1.6},
        "encoding": {
            "x": x("cut", "cut after site", axis={"tickMinStep": 1}),
            "y": x("entropy", "entropy, nats"),
            "color": colour,
            "detail": {"field": "line"},
            "strokeDash": {
                "field": "kind",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(kinds), "range": [CHAIN_KINDS[kind] for kind in kinds]},
            },
        },
    }
    dots = {
        "transform": [{"filter": "datum.kind === 'measured'"}],
        "mark": {"type": "point", "filled": True, "size": 22},
        "encoding": {
            "x": x("cut", "cut after site"),
            "y": x("entropy", "entropy, nats"),
            "color": colour,
            "tooltip": tips(*told, ("cut", "cut after site"), ("entropy", "nats")),
        },
    }
    between = {
        "transform": [
            {"filter": "isValid(datum.middle)"},
            {"aggregate": [{"op": "max", "field": "middle", "as": "middle"}], "groupby": ["panel"]},
        ],
        "mark": {"type": "rule", "strokeDash": [2, 3]},
        "encoding": {"x": x("middle", "cut after site")},
    }
    return {
        "facet": {"field": "panel", "type": "nominal", "title": None, "sort": list(names)},
        "columns": _COLUMNS,
        "spacing": 18,
        "resolve": {"scale": {"x": "independent"}},
        "spec": {"width": width, "height": HEIGHT, "layer": [between, lines, dots]},
    }
