"""EI from the base model to the last step, by condition and seed, the papers' values over it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from repro.report.page.figure import Figure, Spec, colours, slug, table, tips, x
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published

_COLUMNS = ("kind", "condition", "seed", "step", "ei", "low", "high", "anchored", "series", "from")
SHAPES = {"domain": ["measured", "published"], "range": ["circle", "diamond"]}
DASHES = {"condition": {"test": "datum.kind === 'published'", "value": [5, 4]}, "value": [1, 0]}


def trajectories(measured: Rows, printed: Sequence[Published]) -> Iterator[Figure]:
    """Yield one figure for each manifest and model, those with measurements first."""
    panels: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in measured:
        panels[row["experiment"], row["model"]].append(_measured(row))
    for value in printed:
        if value.step is not None and value.model and value.condition and value.manifest:
            panels[value.manifest, value.model].append(_published(value))
    for (manifest, model), rows in sorted(
        panels.items(), key=lambda item: (not _has_runs(item[1]), item[0])
    ):
        if len({row["step"] for row in rows}) > 1:
            yield _figure(manifest, model, rows)


def _has_runs(rows: Iterable[Row]) -> bool:
    return any(row["kind"] == "measured" for row in rows)


def _measured(row: Row) -> Row:
    return {
        **row,
        "kind": "measured",
        "series": row["run"][:8],
        "from": None if row["status"] == "done" else row["status"],
        "seed": None if row["seed"] is None else str(row["seed"]),
    }


def _published(value: Published) -> Row:
    seed = None if value.seed is None else str(value.seed)
    cell = " ".join(f"{key} {level}" for key, level in value.further.items())
    ends = {"low": value.value - value.sd, "high": value.value + value.sd} if value.sd else {}
    return {
        "kind": "published",
        "condition": value.condition,
        "seed": seed,
        "step": value.step,
        "ei": value.value,
        **ends,
        "series": f"{value.paper} {value.condition} {seed} {cell}".rstrip(),
        "from": f"{value.paper}, {value.locator}"
        + (f", {cell}" if cell else "")
        + (f", SD {value.sd:g}" if value.sd is not None else ""),
    }


def _figure(manifest: str, model: str, rows: list[Row]) -> Figure:
    runs = len({row["series"] for row in rows if row["kind"] == "measured"})
    said = sum(row["kind"] == "published" for row in rows)
    ours = f"{runs} {'run' if runs == 1 else 'runs'} measured" if runs else "nothing measured here"
    theirs = f"{said} published values" if said else "the papers print no value of it"
    return Figure(
        slug("trajectory", manifest, model),
        f"{model}, {manifest}",
        f"{ours[0].upper()}{ours[1:]}, {theirs}.",
        _COLUMNS,
        table(_COLUMNS, rows),
        _spec({row["condition"] for row in rows}, any("low" in row for row in rows)),
    )


def _spec(conditions: Iterable[str], spreads: bool) -> Spec:
    colour = {
        "field": "condition",
        "type": "nominal",
        "title": "condition",
        "scale": colours(conditions),
    }
    shown = tips(
        ("kind", "kind"),
        ("condition", "condition"),
        ("seed", "seed"),
        ("step", "step"),
        ("ei", "EI"),
        ("anchored", "EI, anchored"),
        ("series", "run or paper"),
        ("from", "from"),
    )
    places = {
        "x": x(
            "step", "training step", axis={"tickMinStep": 1, "tickCount": 6, "labelOverlap": True}
        ),
        "y": x("ei", "entanglement intensity"),
        "color": colour,
    }
    line = {
        "mark": {"type": "line", "strokeWidth": 1.6, "opacity": 0.75},
        "encoding": {**places, "detail": {"field": "series"}, "strokeDash": DASHES},
    }
    bar = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "opacity": 0.6},
        "encoding": {
            "x": places["x"],
            "y": x("low", "entanglement intensity"),
            "y2": {"field": "high"},
            "color": colour,
        },
    }
    point = {
        "mark": {"type": "point", "filled": True, "size": 46, "opacity": 0.95},
        "encoding": {
            **places,
            "tooltip": shown,
            "shape": {"field": "kind", "type": "nominal", "title": None, "scale": SHAPES},
        },
    }
    return {
        "width": "container",
        "height": 230,
        "layer": [*([bar] if spreads else []), line, point],
    }
