"""EI against the scale of activations: the base models' sweeps, our runs and published pairs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from repro.report.page.figure import Figure, Spec, table, tips, x
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published
from repro.report.terminal.words import count_noun

SWEEP = ("kind", "series", "scale", "condition", "step", "sigma", "ei", "from")


def sweep(
    sweeps: Rows, measured: Rows, sigmas: Sequence[Published], printed: Sequence[Published]
) -> Iterator[Figure]:
    """Yield EI against σ₁ as base models' activations are scaled, our runs and prints over it."""
    rows: list[Row] = [
        {
            **row,
            "kind": "base, scaled",
            "series": f"{row['model']}, {row['probe_set']}",
            "scale": float(row["scale"].removeprefix("scale=")),
            "from": f"{row['model']}, probes {row['probe_set']}",
        }
        for row in sweeps
    ]
    rows += _over_seeds(measured)
    pairs = list(_pairs(sigmas, printed))
    rows += [
        {
            "kind": "published",
            "condition": ei.condition,
            "step": ei.step,
            "sigma": value.value,
            "ei": ei.value,
            "from": f"{value.paper}, {value.locator}, {ei.locator}: {value.model}"
            + ("" if ei.seed == value.seed else ", EI as mean"),
        }
        for value, ei in pairs
        if value.value > 0
    ]
    lines = len({(row["model"], row["probe_set"]) for row in sweeps})
    if rows:
        yield Figure(
            "scale-sweep",
            "EI against the scale of activations",
            f"{count_noun(len(pairs), 'published pair', 'published pairs')} (σ₁, EI) over "
            f"{count_noun(lines, 'sweep', 'sweeps')}.",
            SWEEP,
            table(SWEEP, rows),
            _sweep_spec(bool(sweeps)),
        )


def _over_seeds(measured: Rows) -> Iterator[Row]:
    """Yield the mean σ₁ and EI of each model, condition and step."""
    cells: dict[tuple[str, str, str, int], list[Row]] = defaultdict(list)
    for row in measured:
        if (row["sigma"] or 0) > 0:
            cells[row["experiment"], row["model"], row["condition"], row["step"]].append(row)
    for (manifest, model, condition, step), rows in cells.items():
        means = {name: sum(row[name] for row in rows) / len(rows) for name in ("sigma", "ei")}
        told = f"{manifest}, {model} {condition}, mean of {count_noun(len(rows), 'run', 'runs')}"
        yield {"kind": "run", "condition": condition, "step": step, **means, "from": told}


def _pairs(
    sigmas: Sequence[Published], printed: Sequence[Published]
) -> Iterator[tuple[Published, Published]]:
    """Yield σ₁ with the EI printed of the same seed, or else with the mean over seeds."""
    known = {
        (value.paper, value.model, value.condition, value.seed, value.step): value
        for value in reversed(printed)
    }
    for value in sigmas:
        place = value.paper, value.model, value.condition
        ei = known.get((*place, value.seed, value.step)) or known.get((*place, None, value.step))
        if value.further.get("direction") == 0 and ei is not None:
            yield value, ei


def _sweep_spec(lines: bool) -> Spec:
    across = x(
        "sigma",
        "largest singular value σ₁ (log)",
        scale={"type": "log", "nice": False, "padding": 14},
        axis={"format": "~g", "tickCount": 8},
    )
    shown = tips(
        ("kind", "kind"),
        ("from", "from"),
        ("scale", "scale"),
        ("condition", "condition"),
        ("step", "step"),
        ("sigma", "σ₁"),
        ("ei", "EI"),
    )
    kinds = {"field": "kind", "type": "nominal", "title": None}
    names = ["base, scaled", "run", "published"]
    colour = {
        **kinds,
        "scale": {"domain": names, "range": ["var(--muted)", "var(--k2)", "var(--k1)"]},
    }
    line = {
        "transform": [{"filter": "datum.kind === 'base, scaled'"}],
        "mark": {"type": "line", "opacity": 0.6},
        "encoding": {
            "x": across,
            "y": x("ei", "entanglement intensity"),
            "detail": {"field": "series"},
            "order": {"field": "scale", "type": "quantitative"},
            "color": colour,
        },
    }
    shape = {**kinds, "scale": {"domain": names, "range": ["stroke", "circle", "diamond"]}}
    size = {"condition": {"test": "datum.kind === 'published'", "value": 90}, "value": 26}
    dot = {
        "mark": {"type": "point", "filled": True, "opacity": 0.8},
        "encoding": {
            "x": across,
            "y": x("ei", "entanglement intensity"),
            "color": colour,
            "shape": shape,
            "size": size,
            "tooltip": shown,
        },
    }
    return {"width": "container", "height": 280, "layer": [*([line] if lines else []), dot]}
