"""Entanglement entropies of updates and of attention (docs/SCIENCE.md §12), beside random ones.

Profiles along the cuts, what they come to (valley, volume law), and attention by length.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from repro.evidence.part import part_keys
from repro.geometry.entropy import factors, middle
from repro.geometry.gaussian import gaussian_product_profile, gaussian_profile
from repro.geometry.undefined import Array
from repro.manifest.model import Architecture
from repro.report.page.figure import Figure, Spec, colours, slug, table, tips, x
from repro.report.page.figures.chain import panels
from repro.report.page.measured import Row, Rows
from repro.report.terminal.words import count_noun
from repro.verify.evidence.trained import trained_of

PROFILE = ("condition", "panel", "kind", "cut", "entropy", "middle", "line", "runs")
SUMMARY = ("condition", "module", "seed", "value", "random")
LENGTHS = ("condition", "length", "entropy", "runs")
_ATTENTION = "attention"
_LARGEST = 1 << 20
"""Entries of a random matrix that is decomposed for a figure at most: a second's work."""
LEGEND = 3
"""Conditions side by side in a legend."""
_WORDS = {
    "valley_depth": (
        "Valley",
        "How far the entropy between rows and columns lies below the maxima on both sides. Dots: "
        "a run each. Ticks: random factors of the same shape and rank, whose valley no training made.",
        "depth of the valley, nats",
    ),
    "volume_law_slope": (
        "Volume law",
        "Growth of the entropy along the first half of the row sites. Dots: a run each. Ticks: "
        "random factors of the same shape and rank.",
        "slope, nats per site",
    ),
}
"""Quantity → title, words, axis."""


def profiles(found: Rows, shapes: Mapping[str, Architecture]) -> Iterator[Figure]:
    """Yield the profiles after the last step of each manifest and model, a line a condition."""
    for (manifest, model), rows in _by_model(found).items():
        shape, drawn = shapes.get(model), list[Row]()
        lines: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            lines[row["condition"], row["part"]].append(row)
        for (condition, part), cuts in lines.items():
            keys = part_keys(part)
            sides = _sides(keys, len(cuts), shape)
            panel = f"update of {keys['module']}" if "module" in keys else keys["matrix"]
            same = {
                "condition": condition,
                "panel": panel,
                "middle": middle(sides[0]) + 1 if sides else None,
                "runs": cuts[0]["runs"],
            }
            kinds = {"measured": [row["value"] for row in cuts]}
            if (
                "module" in keys
                and sides
                and (random := _random(sides, cuts[0]["key"])) is not None
            ):
                kinds["random"] = [float(value) for value in random]
            for kind, values in kinds.items():
                line = {**same, "kind": kind, "line": f"{condition} {kind}"}
                drawn += [
                    {**line, "cut": cut, "entropy": value} for cut, value in enumerate(values, 1)
                ]
        yield Figure(
            slug("entropy", manifest, model),
            f"{model}, {manifest}",
            f"After step {max(row['step'] for row in rows)}, means over layers, heads and "
            f"{count_noun(max(row['runs'] for row in rows), 'run', 'runs')}. The dotted upright is the "
            "cut between rows and columns; broken lines are random matrices of the update's shape "
            "and rank.",
            PROFILE,
            table(PROFILE, drawn),
            panels(
                sorted({row["panel"] for row in drawn}, key=lambda name: (name == _ATTENTION, name)),
                ("measured", "random"), 200,
                _colour(row["condition"] for row in rows),
                ("condition", "condition"), ("panel", "of"), ("runs", "seeds"),
            ),
            wide=True,
        )  # fmt: skip


def summaries(found: Rows) -> Iterator[Figure]:
    """Yield the valley's depth and the volume law's slope of every run, beside random ones."""
    for quantity, (title, says, axis) in _WORDS.items():
        chosen = [row for row in found if row["quantity"] == quantity]
        for (manifest, model), rows in _by_model(chosen).items():
            told = [{**row, "module": part_keys(row["part"])["module"]} for row in rows]
            yield Figure(
                slug(quantity, manifest, model),
                f"{title}: {model}, {manifest}",
                says,
                SUMMARY,
                table(SUMMARY, told),
                _summary_spec(axis, sorted({row["condition"] for row in rows})),
            )


def attention_by_length(found: Rows) -> Iterator[Figure]:
    """Yield the entropy of attention by the length of the text, a line a condition."""
    for (manifest, model), rows in _by_model(found).items():
        told = [
            {**row, "length": int(part_keys(row["part"])["length"]), "entropy": row["value"]}
            for row in rows
        ]
        lengths = sorted({row["length"] for row in told})
        yield Figure(
            slug("attention", manifest, model),
            f"Attention by length: {model}, {manifest}",
            "Entropy between rows and columns, means over windows, layers and heads. The axis of "
            "lengths is logarithmic: a straight line is an area law with a logarithm, a constant "
            "an area law, and a volume law would bend upwards. Lines that cover one another are "
            "conditions that attention does not tell apart.",
            LENGTHS,
            table(LENGTHS, told),
            {
                "width": "container",
                "height": 220,
                "mark": {"type": "line", "point": {"size": 30}, "strokeWidth": 1.6},
                "encoding": {
                    "x": x("length", "tokens (log)", scale={"type": "log", "base": 2},
                           axis={"values": lengths, "format": "d"}),
                    "y": x("entropy", "entropy, nats"),
                    "color": _colour(row["condition"] for row in rows),
                    "tooltip": tips(
                        ("condition", "condition"), ("length", "tokens"), ("entropy", "nats"),
                        ("runs", "seeds"),
                    ),
                },
            },
        )  # fmt: skip


def _by_model(found: Rows) -> dict[tuple[str, str], Rows]:
    panels: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in found:
        panels[row["experiment"], row["model"]].append(row)
    return panels


def _sides(
    keys: Mapping[str, str], cuts: int, shape: Architecture | None
) -> tuple[int, int] | None:
    """Return rows and columns of a matrix; None where its shape is not known here."""
    if keys["matrix"] == _ATTENTION:
        side = 1 << (cuts + 1) // 2  # a power of two: each side has half of the sites
        return side, side
    columns, rows = shape.linear_sizes[keys["module"]] if shape else (1, 1)
    fits = len(factors(rows)) + len(factors(columns)) - 1 == cuts
    return (rows, columns) if fits else None


def _random(sides: tuple[int, int], key: str | None) -> Array | None:
    """Return the mean profile of random updates; None where making some would take too long."""
    trained = trained_of(json.loads(key) if key else None)
    if trained.rank:
        return gaussian_product_profile(*sides, trained.rank)
    small = trained.adapter == "full" and sides[0] * sides[1] <= _LARGEST
    return gaussian_profile(*sides) if small else None


def _colour(conditions: Iterator[str]) -> Spec:
    scale = colours(conditions)
    legend = {"columns": LEGEND}
    return {
        "field": "condition",
        "type": "nominal",
        "title": "condition",
        "scale": scale,
        "legend": legend,
    }


def _summary_spec(axis: str, conditions: list[str]) -> Spec:
    places: Spec = {
        "y": {
            "field": "condition",
            "type": "nominal",
            "title": None,
            "axis": {"grid": True, "domain": False, "ticks": False},
        }
    }
    scale = {"zero": False, "nice": True}
    dot = {
        "mark": {"type": "point", "filled": True, "size": 50, "opacity": 0.75},
        "encoding": {
            **places,
            "x": x("value", axis, scale=scale),
            "color": {**_colour(iter(conditions)), "legend": None},
            "tooltip": tips(
                ("condition", "condition"), ("seed", "seed"), ("value", "measured"),
                ("random", "random"),
            ),
        },
    }  # fmt: skip
    tick = {
        "mark": {"type": "tick", "thickness": 2, "size": 16, "color": "var(--ink)"},
        "encoding": {**places, "x": x("random", axis, scale=scale)},
    }
    return {
        "facet": {"field": "module", "type": "nominal", "title": None},
        "columns": 1,
        "spacing": 18,
        "spec": {"width": 320, "height": 22 * len(conditions), "layer": [tick, dot]},
    }
