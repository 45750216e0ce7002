"""Problems of code benchmarks solved, with intervals, and which changed sides against the base."""

from collections.abc import Iterator, Mapping, Sequence

from repro.proportions import wilson
from repro.report.page.figure import Figure, slug, table, tips, x
from repro.report.page.figures.trajectories import SHAPES
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published

SCORES = ("kind", "cell", "score", "low", "high", "passed", "problems", "from")
FLIPS = ("cell", "change", "problems")
PROBLEMS = 164
"""Problems of HumanEval and of HumanEval+ alike."""


def scores(measured: Rows, printed: Mapping[str, Sequence[Published]]) -> Iterator[Figure]:
    """Yield a figure for each benchmark and model: share solved with its interval, and prints.

    The intervals are Wilson's; prints are counts.
    """
    rows: list[Row] = [
        {
            **row,
            "kind": "measured",
            "cell": _cell(row["condition"], row["seed"]),
            "from": row["reason"] or f"step {row['step']}",
        }
        for row in measured
    ]
    for benchmark, values in printed.items():
        rows += [row for value in values if (row := _published(benchmark, value))]
    for place in sorted({(row["benchmark"], row["model"]) for row in rows}):
        mine = [row for row in rows if (row["benchmark"], row["model"]) == place]
        kinds = {"field": "kind", "type": "nominal", "title": None}
        colour = {
            **kinds,
            "scale": {"domain": SHAPES["domain"], "range": ["var(--k2)", "var(--k1)"]},
        }
        down = {
            "field": "cell",
            "type": "nominal",
            "title": None,
            "sort": None,
            "axis": {"domain": False, "ticks": False},
        }
        beside = {**kinds, "sort": None}
        percent = {"format": "~%", "tickCount": 8}
        bar = {
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.6},
            "encoding": {
                "y": down,
                "yOffset": beside,
                "x": x("low", "share solved", axis=percent),
                "x2": {"field": "high"},
                "color": colour,
            },
        }
        dot = {
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {
                "y": down,
                "yOffset": beside,
                "x": x("score", "share solved", axis=percent),
                "color": colour,
                "shape": {**kinds, "scale": SHAPES},
                "tooltip": tips(
                    ("kind", "kind"),
                    ("cell", "runs of"),
                    ("passed", "solved"),
                    ("problems", "of"),
                    ("from", "from"),
                ),
            },
        }
        yield Figure(
            slug(*place),
            f"{place[1]}, {place[0].replace('_plus', '+')}",
            "Bars are Wilson's 95 % intervals.",
            SCORES,
            table(SCORES, mine),
            {
                "width": "container",
                "height": 30 * len({row["cell"] for row in mine}),
                "layer": [bar, dot],
            },
        )


def _cell(condition: str, seed: int | str | None) -> str:
    return condition if seed is None else f"{condition}, seed {seed}"


def _published(benchmark: str, value: Published) -> Row | None:
    """Return the row of a printed count; None for a share, which says the same once more."""
    if (
        value.model is None
        or value.condition is None
        or not value.value.is_integer()
        or value.value > PROBLEMS
    ):
        return None
    share = wilson(int(value.value), PROBLEMS)
    seed = value.seed if isinstance(value.seed, (int, str)) else None
    return {
        "kind": "published",
        "benchmark": benchmark,
        "model": value.model,
        "cell": _cell(value.condition, seed),
        "score": value.value / PROBLEMS,
        "low": share.low,
        "high": share.high,
        "passed": int(value.value),
        "problems": PROBLEMS,
        "from": f"{value.paper}, {value.locator}",
    }


def flips(found: Rows) -> Iterator[Figure]:
    """Yield the problems gained and lost against the base model."""
    for place in sorted({(row["benchmark"], row["model"]) for row in found}):
        mine = [row for row in found if (row["benchmark"], row["model"]) == place]
        rows = [
            {
                "cell": _cell(row["condition"], row["seed"]),
                "change": change,
                "problems": sign * row[change],
            }
            for row in mine
            for change, sign in (("gained", 1), ("lost", -1))
        ]
        colour = {
            "field": "change",
            "type": "nominal",
            "title": None,
            "scale": {"domain": ["gained", "lost"], "range": ["var(--k3)", "var(--k1)"]},
        }
        yield Figure(
            slug("flips", *place),
            f"{place[1]}, {place[0].replace('_plus', '+')}: changed sides",
            "Right: solved only after training; left: solved only before.",
            FLIPS,
            table(FLIPS, rows),
            {
                "width": "container",
                "height": 24 * len({row["cell"] for row in rows}),
                "mark": {"type": "bar"},
                "encoding": {
                    "y": {"field": "cell", "type": "nominal", "title": None},
                    "x": x("problems", "problems, against the base model"),
                    "color": colour,
                    "tooltip": tips(
                        ("cell", "runs of"), ("change", "change"), ("problems", "problems")
                    ),
                },
            },
        )
