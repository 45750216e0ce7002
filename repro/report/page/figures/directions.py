"""What each direction carries: damage to each concept on its removal, and its singular value."""

from collections import defaultdict
from collections.abc import Iterator

from repro.report.page.figure import Figure, Spec, colours, slug, table, tips, x
from repro.report.page.measured import Row, Rows
from repro.report.terminal.words import count_noun

HEAT = ("condition", "direction", "concept", "damage", "own", "runs")
SPECTRUM = ("condition", "direction", "value")
BASE_LINE = "base"


def damage(final: Rows) -> Iterator[Figure]:
    """Yield a heat map for each manifest and model: directions by concepts, one a condition."""
    owners = _owners(final)
    panels: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in final:
        if row["quantity"] == "damage" and row["direction"] is not None:
            place = row["experiment"], row["model"], row["condition"], row["direction"]
            own = "own concept" if owners.get(place) == row["concept"] else "another"
            panels[row["experiment"], row["model"]].append(
                {**row, "damage": row["value"], "own": own, "direction": row["direction"] + 1}
            )
    for (manifest, model), rows in panels.items():
        yield Figure(
            slug("damage", manifest, model),
            f"{model}, {manifest}",
            f"After step {max(row['step'] for row in rows)}, mean over "
            f"{count_noun(max(row['runs'] for row in rows), 'run', 'runs')}.",
            HEAT,
            table(HEAT, rows),
            _heat(max(0.01, *(abs(row["value"]) for row in rows))),
        )


def _owners(final: Rows) -> dict[tuple[str, str, str, int], str]:
    """Return the concept with the largest loading on each direction."""
    best: dict[tuple[str, str, str, int], tuple[float, str]] = {}
    for row in final:
        if row["quantity"] == "loading" and row["direction"] is not None:
            place = row["experiment"], row["model"], row["condition"], row["direction"]
            best[place] = max(best.get(place, (-1.0, "")), (row["value"], row["concept"]))
    return {place: concept for place, (_, concept) in best.items()}


def _heat(most: float) -> Spec:
    places = {
        "x": {
            "field": "concept",
            "type": "nominal",
            "title": None,
            "axis": {"labelAngle": -40, "domain": False, "ticks": False},
        },
        "y": {
            "field": "direction",
            "type": "ordinal",
            "title": "direction",
            "axis": {"domain": False, "ticks": False, "labelPadding": 3},
        },
    }
    scale = {"scheme": "blueorange", "domain": [-most, most]}
    cells = {
        "mark": {"type": "rect", "stroke": "var(--card)", "strokeWidth": 1},
        "encoding": {
            **places,
            "color": {
                "field": "damage",
                "type": "quantitative",
                "title": "accuracy lost",
                "scale": scale,
                "legend": {
                    "orient": "right",
                    "gradientLength": 120,
                    "titleOrient": "top",
                    "format": ".0%",
                },
            },
            "tooltip": tips(
                ("condition", "condition"),
                ("direction", "direction"),
                ("concept", "concept"),
                ("damage", "accuracy lost"),
                ("own", "the direction's"),
                ("runs", "seeds"),
            ),
        },
    }
    dots = {
        "transform": [{"filter": "datum.own === 'own concept'"}],
        "mark": {"type": "point", "filled": True, "size": 22, "color": "#111827", "opacity": 0.9},
        "encoding": places,
    }
    return {
        "facet": {"field": "condition", "type": "nominal", "title": None},
        "columns": 4,
        "spacing": 14,
        "spec": {"width": {"step": 30}, "height": {"step": 19}, "layer": [cells, dots]},
    }


def spectra(final: Rows, base: Rows) -> Iterator[Figure]:
    """Yield singular values of each manifest and model: of the base, and last by condition."""
    panels: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in base:
        panels[row["experiment"], row["model"]].append({**row, "condition": BASE_LINE})
    for row in final:
        if row["quantity"] == "singular_value" and row["condition"] != "B0":
            panels[row["experiment"], row["model"]].append(row)
    for (manifest, model), rows in panels.items():
        told = [{**row, "direction": row["direction"] + 1} for row in rows if row["value"] > 0]
        if told:
            yield Figure(
                slug("spectrum", manifest, model),
                f"{model}, {manifest}",
                "Of the base model and after the last step, means over seeds.",
                SPECTRUM,
                table(SPECTRUM, told),
                _lines(sorted({row["condition"] for row in told})),
            )


def _lines(conditions: list[str]) -> Spec:
    scale = colours(conditions)
    scale["range"] = [
        "var(--k0)" if name == BASE_LINE else colour
        for name, colour in zip(scale["domain"], scale["range"], strict=True)
    ]
    return {
        "width": "container",
        "height": 200,
        "mark": {"type": "line", "point": {"size": 34}, "strokeWidth": 1.6},
        "encoding": {
            "x": {
                "field": "direction",
                "type": "ordinal",
                "title": "direction",
                "axis": {"labelAngle": 0},
            },
            "y": x(
                "value",
                "singular value (log)",
                scale={"type": "log", "nice": False, "padding": 12},
                axis={"format": "~g", "tickCount": 5},
            ),
            "color": {
                "field": "condition",
                "type": "nominal",
                "title": "condition",
                "scale": scale,
            },
            "tooltip": tips(
                ("condition", "condition"), ("direction", "direction"), ("value", "singular value")
            ),
        },
    }
