"""Crosstalk of the primary domain with each companion, the published values beside the measured."""

from collections.abc import Iterator, Sequence

from repro.report.page.figure import Figure, slug, table, tips, x
from repro.report.page.figures.trajectories import SHAPES
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published

_COLUMNS = ("kind", "companion", "crosstalk", "from")


def crosstalk(measured: Rows, printed: Sequence[Published]) -> Iterator[Figure]:
    """Yield one figure for each model."""
    rows: list[Row] = [
        {**row, "kind": "measured", "from": f"probes {row['probe_set']}"} for row in measured
    ]
    rows += [
        {
            "kind": "published",
            "model": value.model or "",
            "companion": str(value.further["companion"]),
            "crosstalk": value.value,
            "from": f"{value.paper}, {value.locator}",
        }
        for value in printed
        if "companion" in value.further
    ]
    for model in sorted(
        {row["model"] for row in rows}, key=lambda name: (not _ours(rows, name), name)
    ):
        mine = [row for row in rows if row["model"] == model]
        kinds = {"field": "kind", "type": "nominal", "title": None}
        colour = {
            **kinds,
            "scale": {"domain": SHAPES["domain"], "range": ["var(--k2)", "var(--k1)"]},
        }
        yield Figure(
            slug("crosstalk", model),
            model,
            _words(mine),
            _COLUMNS,
            table(_COLUMNS, mine),
            {
                "width": "container",
                "height": 26 * len({row["companion"] for row in mine}),
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.85},
                "encoding": {
                    "y": {
                        "field": "companion",
                        "type": "nominal",
                        "title": None,
                        "sort": {"field": "crosstalk"},
                        "axis": {"grid": True, "domain": False, "ticks": False},
                    },
                    "x": x("crosstalk", "crosstalk", scale={"zero": True}, axis={"tickCount": 6}),
                    "color": colour,
                    "shape": {**kinds, "scale": SHAPES},
                    "tooltip": tips(
                        ("kind", "kind"),
                        ("companion", "companion"),
                        ("crosstalk", "crosstalk"),
                        ("from", "from"),
                    ),
                },
            },
        )


def _words(rows: Sequence[Row]) -> str:
    ours = [row for row in rows if row["kind"] == "measured"]
    least = min(ours or rows, key=lambda row: row["crosstalk"])
    return (
        f"Least with {least['companion'].replace('_', ' ')}, "
        f"{'measured here' if ours else 'as printed'}."
    )


def _ours(rows: Sequence[Row], model: str) -> bool:
    return any(row["model"] == model and row["kind"] == "measured" for row in rows)
