"""The entanglement profiles of a user's own matrix or adapter, as `repro entropy` draws them."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from repro.geometry.entropy import middle
from repro.measure.entropy import Profile
from repro.plain import one_line
from repro.report.page.figure import Cell, Figure, Spec, slug
from repro.report.page.figures.chain import CHAIN_KINDS, panels

_COLUMNS = ("panel", "name", "place", "kind", "cut", "entropy", "middle", "line")


def given_profiles(title: str, profiles: Sequence[Profile]) -> Figure:
    """Draw profiles beside random ones and the largest possible; a panel a shape of layer."""
    by_panel: dict[str, list[Profile]] = defaultdict(list)
    for one in profiles:
        by_panel[_panel(one, alone=len(profiles) == 1)].append(one)
    rows: list[tuple[Cell, ...]] = []
    for panel, layers in by_panel.items():
        first = layers[0]  # of one shape and rank: random matrices and the bound are the same
        lines = [("measured", one_line(layer.name), layer.entropy) for layer in layers]
        lines += [("random", "", first.baseline), ("at most", "", first.bound)]
        for place, (kind, name, values) in enumerate(lines, 1):
            rows += [
                (panel, name, place, kind, cut, float(value), middle(first.p) + 1, f"{place}")
                for cut, value in enumerate(values, 1)
            ]
    most = max(len(layers) for layers in by_panel.values())
    return Figure(
        slug("entropy", title),
        title,
        "Entanglement entropy by cut, in nats. The dotted upright is the cut between rows and "
        "columns; random: Gaussian matrices of this shape and rank.",
        _COLUMNS,
        tuple(rows),
        panels(tuple(by_panel), tuple(CHAIN_KINDS), 460 if len(by_panel) == 1 else 260, _colour(most), ("name", "of")),
    )  # fmt: skip


def _panel(one: Profile, alone: bool) -> str:
    """Return a heading: the matrix's own name, or what layers of one kind have in common."""
    name = Path(one.name).name if alone else one.name.rpartition(".")[2]
    return f"{one_line(name)}, {one.p} × {one.q}, rank {one.rank}"


def _colour(layers: int) -> Spec:
    """Return the colour of a line: by its layer where there are several, ink where not measured."""
    other = {"test": "datum.kind !== 'measured'", "value": "var(--ink)"}
    if layers == 1:
        return {"condition": other, "value": "var(--k2)"}
    scale = {"domain": [1, layers], "scheme": "viridis"}
    shown = {"field": "place", "type": "quantitative", "title": "layer", "scale": scale}
    return {"condition": other, **shown}
