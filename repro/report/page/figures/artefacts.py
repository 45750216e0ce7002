"""What could explain an EI away: chance (nulls), and the choice of a reading (specifications)."""

from collections import defaultdict
from collections.abc import Iterator

from repro.report.page.figure import Figure, Spec, colours, slug, table, tips, x
from repro.report.page.measured import Row, Rows

NULLS = ("cell", "condition", "null", "low", "median", "high", "ei", "runs")
READINGS = ("condition", "ei", "reading")
DEFAULT = "default"
NULL_WORDS = {
    "joint": "shuffled",
    "within_domain": "within domain",
    "planted": "planted apart",
}


def nulls(final: Rows) -> Iterator[Figure]:
    """Yield EI after the last step inside the 95 % ranges of each null, a figure a manifest."""
    found: dict[tuple[str, str, str, str], Row] = defaultdict(dict)
    observed: dict[tuple[str, str, str], float] = {}
    for row in final:
        place = row["experiment"], row["model"], row["condition"]
        if row["quantity"].startswith("null_"):
            name = {"null_q025": "low", "null_q975": "high", "null_median": "median"}[
                row["quantity"]
            ]
            found[(*place, row["specification"])] |= {name: row["value"], "runs": row["runs"]}
        elif row["quantity"] == "entanglement_intensity":
            observed[place] = row["value"]
    panels: dict[str, list[Row]] = defaultdict(list)
    for (manifest, model, condition, null), values in sorted(found.items()):
        ei = observed.get((manifest, model, condition))
        panels[manifest].append(
            {
                **values,
                "cell": f"{model} {condition}",
                "condition": condition,
                "null": NULL_WORDS.get(null, null),
                "ei": ei,
            }
        )
    for manifest, rows in panels.items():
        inside = sum(
            r["ei"] is not None and r.get("low", 1) <= r["ei"] <= r.get("high", 0) for r in rows
        )
        yield Figure(
            slug("nulls", manifest),
            manifest,
            f"{inside} of {len(rows)} values lie inside the middle 95 % of their null, which "
            "would explain them.",
            NULLS,
            table(NULLS, rows),
            _null_spec(len({row["cell"] for row in rows})),
        )


def _null_spec(cells: int) -> Spec:
    row = {
        "field": "cell",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"domain": False, "ticks": False},
    }
    names = list(NULL_WORDS.values())
    offset = {"field": "null", "type": "nominal", "sort": None}
    colour = {
        "field": "null",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": ["var(--k7)", "var(--k4)", "var(--k5)"]},
    }
    shown = tips(
        ("cell", "runs of"),
        ("null", "null"),
        ("low", "2.5 %"),
        ("median", "median"),
        ("high", "97.5 %"),
        ("ei", "EI measured"),
        ("runs", "seeds"),
    )
    places = {"y": row, "yOffset": offset}
    bar = {
        "mark": {"type": "bar", "height": 5, "opacity": 0.45, "cornerRadius": 2},
        "encoding": {
            **places,
            "x": x("low", "entanglement intensity", axis={"tickCount": 8}),
            "x2": {"field": "high"},
            "color": colour,
            "tooltip": shown,
        },
    }
    tick = {
        "mark": {"type": "tick", "thickness": 2, "size": 9},
        "encoding": {**places, "x": x("median", "entanglement intensity"), "color": colour},
    }
    dot = {
        "mark": {"type": "point", "filled": True, "size": 44, "color": "var(--ink)"},
        "encoding": {**places, "x": x("ei", "entanglement intensity"), "tooltip": shown},
    }
    return {"width": "container", "height": 46 * cells, "layer": [bar, tick, dot]}


def readings(found: Rows) -> Iterator[Figure]:
    """Yield EI under every reading of its definition, by rising mean, per manifest and model."""
    panels: dict[tuple[str, str], dict[str, dict[str, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in found:
        panels[row["experiment"], row["model"]][row["specification"]][row["condition"]] = row["ei"]
    for (manifest, model), by_reading in panels.items():
        if len(by_reading) < 3:
            continue
        order = sorted(
            by_reading, key=lambda name: sum(by_reading[name].values()) / len(by_reading[name])
        )
        conditions = sorted({condition for values in by_reading.values() for condition in values})
        rows: Rows = [
            {
                "condition": name,
                "ei": [_short(by_reading[reading].get(name)) for reading in order],
                "reading": order,
            }
            for name in conditions
        ]
        yield Figure(
            slug("readings", manifest, model),
            f"{model}, {manifest}",
            f"{len(order)} readings by rising mean; the large dot is the one judged here. What "
            "lies beyond the axis is at its edge.",
            READINGS,
            tuple(tuple(row[name] for name in READINGS) for row in rows),
            _reading_spec(conditions, _ends(rows)),
        )


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _ends(rows: Rows) -> tuple[float, float]:
    """Return the range that all but the outermost twentieth of values lie in."""
    values = sorted(value for row in rows for value in row["ei"] if value is not None)
    cut = len(values) // 40
    low, high = values[cut], values[-1 - cut]
    return min(0.0, low), high if high > low else low + 1.0


def _reading_spec(conditions: list[str], ends: tuple[float, float]) -> Spec:
    colour = {
        "field": "condition",
        "type": "nominal",
        "title": "condition",
        "scale": colours(conditions),
    }
    places = {
        "x": x("place", "reading", axis={"labels": False, "ticks": False, "grid": False}),
        "y": x("ei", "entanglement intensity", scale={"domain": ends, "clamp": True}),
        "color": colour,
        "tooltip": tips(("condition", "condition"), ("reading", "reading"), ("ei", "EI")),
    }
    return {
        "width": "container",
        "height": 200,
        "transform": [
            {"flatten": ["ei", "reading"]},
            {"window": [{"op": "row_number", "as": "place"}], "groupby": ["condition"]},
            {"filter": "isValid(datum.ei)"},
        ],
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 10, "opacity": 0.55},
                "encoding": places,
            },
            {
                "transform": [{"filter": f"datum.reading === '{DEFAULT}'"}],
                "mark": {"type": "point", "filled": True, "size": 90, "stroke": "var(--card)"},
                "encoding": places,
            },
        ],
    }
