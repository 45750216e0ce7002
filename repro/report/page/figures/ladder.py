"""The scale ladder: EI after the last step against the size of the model."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from repro.report.page.figure import Figure, colours, table, tips, x
from repro.report.page.figures.trajectories import SHAPES
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published

_COLUMNS = ("kind", "model", "parameters", "condition", "ei", "low", "high", "runs", "from")
BILLION = 1e9


def ladder(
    measured: Rows, printed: Sequence[Published], sizes: Mapping[str, int]
) -> Iterator[Figure]:
    """Yield the figure where two models have a value; `sizes` are parameters by model."""
    rows = [*_measured(measured), *_published(printed)]
    known = [
        {**row, "parameters": sizes[row["model"]] / BILLION}
        for row in rows
        if row["model"] in sizes
    ]
    if len({row["model"] for row in known}) < 2:
        return
    colour = {
        "field": "condition",
        "type": "nominal",
        "title": "condition",
        "scale": colours(r["condition"] for r in known),
    }
    across = x(
        "parameters",
        "parameters, billions",
        scale={"type": "log", "nice": False, "padding": 30},
        axis={
            "values": [0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 14, 20, 32, 50, 70],
            "format": "~g",
            "grid": False,
        },
    )
    shown = tips(
        ("kind", "kind"),
        ("model", "model"),
        ("condition", "condition"),
        ("ei", "EI"),
        ("runs", "seeds"),
        ("from", "from"),
    )
    bar = {
        "mark": {"type": "rule", "opacity": 0.6},
        "encoding": {
            "x": across,
            "y": x("low", "entanglement intensity"),
            "y2": {"field": "high"},
            "color": colour,
        },
    }
    point = {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.85},
        "encoding": {
            "x": across,
            "y": x("ei", "entanglement intensity"),
            "color": colour,
            "tooltip": shown,
            "shape": {"field": "kind", "type": "nominal", "title": None, "scale": SHAPES},
        },
    }
    ours = sorted({row["model"] for row in known if row["kind"] == "measured"})
    yield Figure(
        "scale-ladder",
        "Scale ladder",
        "Bars are standard deviations over seeds. "
        + (f"Measured here: {', '.join(ours)}." if ours else "Nothing of it is measured here."),
        _COLUMNS,
        table(_COLUMNS, known),
        {"width": "container", "height": 280, "layer": [bar, point]},
    )


def _measured(rows: Rows) -> Iterator[Row]:
    last: dict[tuple[str, str, str, str], Row] = {}
    for row in rows:  # steps ascend
        last[row["experiment"], row["model"], row["condition"], row["run"]] = row
    cells: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for (manifest, model, condition, _), row in last.items():
        if row["status"] == "done" and row["step"] > 0:
            cells[manifest, model, condition].append(row["ei"])
    for (manifest, model, condition), values in cells.items():
        mean = sum(values) / len(values)
        sd = (
            (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
            if len(values) > 1
            else 0.0
        )
        yield {
            "kind": "measured",
            "model": model,
            "condition": condition,
            "ei": mean,
            "low": mean - sd,
            "high": mean + sd,
            "runs": len(values),
            "from": manifest,
        }


def _published(values: Sequence[Published]) -> Iterator[Row]:
    last: dict[tuple[str, str, str], int] = {}
    whole = [
        value
        for value in values
        if value.model and value.condition and value.step and value.seed is None
    ]
    for value in whole:
        place = value.paper, str(value.model), str(value.condition)
        last[place] = max(last.get(place, 0), value.step or 0)
    for value in whole:
        if value.step == last[value.paper, str(value.model), str(value.condition)]:
            spread = value.sd or 0.0
            yield {
                "kind": "published",
                "model": value.model,
                "condition": value.condition,
                "ei": value.value,
                "low": value.value - spread,
                "high": value.value + spread,
                "runs": None,
                "from": f"{value.paper}, {value.locator}",
            }
