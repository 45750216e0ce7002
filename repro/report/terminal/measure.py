"""The readable tables of `repro measure`. Every EI is shown with what it has to be read against."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from rich import box
from rich.console import RenderableType
from rich.table import Table

from repro.geometry.diagnosis import Geometry
from repro.geometry.interval import BootstrapInterval
from repro.geometry.specification import Specification, SpecifiedValue
from repro.geometry.sweep import ScalePoint
from repro.geometry.undefined import Undefined
from repro.measure.compose import MeasureContext, MeasuredActivations
from repro.measure.record import alone, specification
from repro.report.terminal.console import literal

INTACT = 0.9
"""Share of its accuracy at scale 1 that a concept keeps while the geometry counts as intact."""


def show_measures(measured: MeasuredActivations) -> None:
    """Print all tables."""
    console = literal(160, highlight=False)
    for part in parts(measured):
        console.print(part)
        console.print()


def parts(measured: MeasuredActivations) -> Iterator[RenderableType]:
    """Yield the tables and sentences, in reading order."""
    yield _summary(measured)
    if note := alone(measured):
        yield note
    yield _accuracies(measured.geometry)
    yield _directions(measured.geometry)
    if measured.context and not note and (words := _outside(measured)):
        yield words
    if measured.context and not note:
        yield from _context(measured.geometry, measured.context)
    yield _similarity(measured)


def _context(geometry: Geometry, context: MeasureContext) -> Iterator[RenderableType]:
    """Yield what EI has to be read against."""
    yield _nulls(context)
    yield _sweep(context)
    yield _overlay(context)
    yield scale_sentence(geometry, context.sweep)
    yield relative_sentence(context.readings)
    yield _specifications(context)
    yield switch_sentences(specification(context.readings)["readings"])


def _number(value: float | Undefined, digits: int = 3) -> str:
    """Write a number, or why there is none."""
    return f"undefined: {value.reason}" if isinstance(value, Undefined) else f"{value:.{digits}g}"


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def _summary(measured: MeasuredActivations) -> Table:
    g = measured.geometry
    table = _table(f"{g.n} probes × {g.width} features", "quantity", "value")
    table.add_row("entanglement intensity (EI)", _number(g.entanglement_intensity))
    if measured.context and not alone(measured):
        table.add_row("  95 % bootstrap interval (median)", _interval(measured.context.interval))
    table.add_row(
        "  theory, nominal rank | measured rank",
        f"{_number(g.theory)} | {_number(g.theory_measured_rank)}",
    )
    table.add_row("V-purity", _number(g.v_purity))
    table.add_row("rank, empty directions", f"{g.rank}, {g.empty_directions}")
    table.add_row("margin, weakest concept", f"{_number(g.margin)}, {g.weakest_concept}")
    table.add_row(
        "σ1/σ2, top 3 / bottom 4",
        f"{_number(g.singular_value_ratio)}, {_number(g.singular_value_concentration)}",
    )
    table.add_row("activation RMS", _number(g.activation_rms))
    return table


def _interval(interval: BootstrapInterval | Undefined) -> str:
    if isinstance(interval, Undefined):
        return _number(interval)
    missing = (
        f", {interval.undefined} of {interval.draws} draws undefined" if interval.undefined else ""
    )
    return f"{interval.low:.3g} to {interval.high:.3g} ({interval.median:.3g}){missing}"


def _outside(measured: MeasuredActivations) -> str:
    """Say why an interval leaves its own estimate out, and what it is without its bias."""
    value, context = measured.geometry.entanglement_intensity, measured.context
    interval = context.interval if context else Undefined("not asked for")
    if isinstance(value, Undefined) or isinstance(interval, Undefined):
        return ""
    if interval.low <= value <= interval.high:
        return ""
    low, high = interval.around(value)
    return (
        f"The bootstrap interval leaves the EI of {value:.3g} out. Each draw repeats some probes "
        "and loses about 37 % of them, and the EI of the draws lies "
        f"{interval.median - value:+.3g} beside it (their median). Read from the interval how far "
        f"EI varies, not where it lies; moved by that bias it is {low:.3g} to {high:.3g}."
    )


def _accuracies(g: Geometry) -> Table:
    table = _table("Leave-one-out accuracy", "concept", "classes", "accuracy", "chance")
    for name, classes in zip(g.concepts, g.classes, strict=True):
        table.add_row(name, str(len(classes)), f"{g.accuracy[name]:.3f}", f"{g.chance[name]:.3f}")
    return table


def _directions(g: Geometry) -> Table:
    title = "Damage: accuracy lost when a direction is removed (accuracy left)"
    table = _table(title, "direction", "σ", "own concept", "loading", *g.concepts)
    for i in range(g.rank):
        cells = [
            f"{g.damage[i, j]:+.3f} ({g.accuracy_after[i, j]:.3f})" for j in range(len(g.concepts))
        ]
        table.add_row(
            str(i + 1),
            _number(g.singular_values[i]),
            g.own[i],
            f"{g.loadings[i].max():.2f}",
            *cells,
        )
    return table


def _nulls(context: MeasureContext) -> Table:
    table = _table(
        "EI when nothing is there",
        "null",
        "draws",
        "undefined",
        "2.5 %",
        "median",
        "97.5 %",
        "p of yours",
    )
    for kind, null in context.null.items():
        cells = [_number(value) for value in (null.q025, null.median, null.q975, null.p)]
        table.add_row(kind, str(null.draws), str(null.undefined), *cells)
    return table


def _point_cells(point: ScalePoint) -> list[str]:
    accuracies = [f"{value:.3f}" for value in point.accuracy.values()]
    return [
        _number(point.entanglement_intensity),
        _number(point.v_purity),
        _number(point.sigma_1),
        *accuracies,
    ]


def _sweep(context: MeasureContext) -> Table:
    names = list(context.sweep[0].accuracy)
    table = _table(
        "Scale sweep: the same activations, multiplied", "scale", "EI", "V-purity", "σ1", *names
    )
    for point in context.sweep[:: max(1, len(context.sweep) // 16)]:
        table.add_row(f"{point.scale:.3g}", *_point_cells(point))
    return table


def _overlay(context: MeasureContext) -> Table:
    names = list(context.sweep[0].accuracy)
    title = "Published pairs, beside these activations at the scale with the same σ1"
    table = _table(title, "printed for", "σ1", "EI", "scale here", "EI here", *names)
    for pair, point in context.overlay:
        printed = [pair.label, f"{pair.sigma_1:g}", f"{pair.entanglement_intensity:.3f}"]
        if isinstance(point, Undefined):
            table.add_row(*printed, _number(point))
        else:
            accuracies = [f"{value:.3f}" for value in point.accuracy.values()]
            table.add_row(
                *printed, f"{point.scale:.3g}", _number(point.entanglement_intensity), *accuracies
            )
    return table


def scale_sentence(g: Geometry, sweep: list[ScalePoint]) -> str:
    """Say how far scale alone moves EI while every concept stays readable."""
    intact = [
        (point.entanglement_intensity, point.scale)
        for point in sweep
        if not isinstance(point.entanglement_intensity, Undefined)
        and all(point.accuracy[name] >= INTACT * g.accuracy[name] for name in g.concepts)
    ]
    if not intact:
        return "Scale alone: EI is undefined at every scale where the concepts stay readable."
    (low, at_low), (high, at_high) = min(intact), max(intact)
    return (
        f"Scale alone takes EI from {high:.3g} (scale {at_high:.3g}) to {low:.3g} (scale "
        f"{at_low:.3g}) while every "
        f"accuracy keeps {INTACT:.0%} of its value. With the penalty anchored to these "
        "activations EI is "
        f"{_number(g.entanglement_intensity)} at every scale."
    )


def relative_sentence(readings: list[SpecifiedValue]) -> str:
    """Say what EI is with a penalty in proportion to the activations, which no scale can move."""
    plain = Specification(capture=readings[0].specification.capture)
    found = {
        r.specification.alpha: r.value
        for r in readings
        if replace(r.specification, alpha="absolute") == plain
    }
    values = [
        f"{name.split(':')[1]}: {_number(value)}"
        for name, value in found.items()
        if name.startswith("relative")
    ]
    return f"With a penalty of ρ·trace(K)/n, EI at every scale is, by ρ: {', '.join(values)}."


def _specifications(context: MeasureContext) -> Table:
    found = specification(context.readings)
    table = _table(f"{found['count']} readings of the definition", "statement", "share of readings")
    for statement, value in found["share"].items():
        table.add_row(statement, f"{value:.1%}")
    table.add_row("undefined", f"{found['undefined'] / found['count']:.1%}", end_section=True)
    for name in ("minimum", "median", "maximum"):
        table.add_row(f"{name} of EI", _number(found[name]))
    return table


def switch_sentences(readings: list[dict[str, Any]]) -> str:
    """Write the median EI under each value of each switch, a line a switch.

    The switch that moves it most comes first.
    """
    lines = []
    for switch in [key for key in readings[0] if key != "entanglement_intensity"]:
        values: dict[str, list[float]] = {str(reading[switch]): [] for reading in readings}
        for reading in readings:
            if not isinstance(reading["entanglement_intensity"], Undefined):
                values[str(reading[switch])].append(reading["entanglement_intensity"])
        medians = {value: float(np.median(under)) for value, under in values.items() if under}
        if len(values) > 1:
            said = (
                f"{value} {_number(medians[value]) if value in medians else 'undefined'}"
                for value in values
            )
            lines.append(
                (np.ptp([*medians.values()]) if medians else 0.0, f"  {switch}: {', '.join(said)}")
            )
    ranked = [line for _, line in sorted(lines, key=lambda line: -line[0])]
    return "\n".join(["Median EI by switch, the one that moves it most first:", *ranked])


def _similarity(measured: MeasuredActivations) -> Table:
    s = measured.similarity
    columns = ("centroid cosine", "subspace overlap", "binary accuracy", "cosine between")
    table = _table(f"Similarity of {measured.stratum} classes", "pair", *columns)
    for pair in s.pairs:
        values = (
            pair.centroid_cosine,
            pair.subspace_overlap,
            pair.binary_accuracy,
            pair.cosine_between,
        )
        table.add_row(f"{pair.first} – {pair.second}", *(_number(value) for value in values))
    mean = (s.centroid_cosine, s.subspace_overlap, s.binary_accuracy, s.cosine_between)
    table.add_row("mean", *(_number(value) for value in mean), style="bold")
    table.caption = (
        f"Equal centred groups have centroid cosine {s.centroid_cosine_by_construction:.3g} "
        "by construction; "
        f"mean cosine within a class {_number(s.cosine_within)}."
    )
    return table
