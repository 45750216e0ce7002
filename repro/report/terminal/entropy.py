"""The readable form of `repro entropy`: a drawing for one profile, a line for each of many."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich import box
from rich.console import RenderableType
from rich.table import Table

from repro.geometry.entropy import middle, valley_depth, volume_law_slope
from repro.geometry.gaussian import DRAWS
from repro.geometry.undefined import Undefined
from repro.measure.entropy import Profile
from repro.report.terminal.console import literal

_WIDTH = 40
"""Characters of the longest bar."""


def show_entropy(profiles: Sequence[Profile], undefined: Sequence[str]) -> None:
    """Print a drawing of one profile, or a table of several, and what has none."""
    console = literal(160, highlight=False)
    for part in (
        _drawing(profiles[0]) if len(profiles) == 1 else [_table(profiles)] if profiles else []
    ):
        console.print(part)
    for words in undefined:
        console.print(words)


def _drawing(found: Profile) -> Iterator[RenderableType]:
    """Yield a bar for each cut: entropy, and a mark where random matrices lie."""
    yield (
        f"{found.name}: {found.p} × {found.q}, rank {found.rank}, {len(found.sites)} sites; "
        "entropies in nats"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("cut after", "entropy", "random", "at most", ""):
        table.add_column(column, justify="left" if not column else "right")
    scale = _WIDTH / max(float(found.bound.max()), 1e-9)
    for place, value in enumerate(found.entropy):
        at = "rows | columns" if place == middle(found.p) else f"site {place + 1}"
        bar, mark = round(float(value) * scale), round(float(found.baseline[place]) * scale)
        drawn = "".join(
            "┃" if at_ == mark else "█" if at_ < bar else " " for at_ in range(max(bar, mark + 1))
        )
        table.add_row(
            at, f"{value:.4f}", f"{found.baseline[place]:.4f}", f"{found.bound[place]:.4f}", drawn
        )
    yield table
    yield (
        f"┃ random: the mean of {DRAWS} Gaussian matrices of this "
        f"shape{' and rank' if _low(found) else ''}"
    )
    for name, measure in (("valley depth", valley_depth), ("volume law", volume_law_slope)):
        ours, theirs = measure(found.entropy, found.p), measure(found.baseline, found.p)
        if isinstance(ours, Undefined) or isinstance(theirs, Undefined):
            yield f"{name}: undefined, {ours.reason if isinstance(ours, Undefined) else ''}"
        else:
            unit = "nats a site" if measure is volume_law_slope else "nats"
            yield f"{name}: {ours:.4f} {unit}; of random matrices {theirs:.4f}"


def _low(found: Profile) -> bool:
    return found.rank < min(found.p, found.q)


def _table(profiles: Sequence[Profile]) -> Table:
    """Build a table, a line a layer: its profile beside random updates of its shape and rank."""
    table = Table(
        title="Entanglement of the updates, in nats; in brackets that of random ones",
        box=box.SIMPLE_HEAD,
    )
    for column in (
        "layer",
        "shape",
        "rank",
        "at rows | columns",
        "largest",
        "valley depth",
        "volume law, a site",
    ):
        table.add_column(column, justify="left" if column == "layer" else "right")
    for found in profiles:
        at = middle(found.p)
        table.add_row(
            found.name, f"{found.p} × {found.q}", str(found.rank),
            f"{found.entropy[at]:.3f} ({found.baseline[at]:.3f})",
            f"{np.max(found.entropy):.3f} ({np.max(found.baseline):.3f})",
            _both(valley_depth(found.entropy, found.p), valley_depth(found.baseline, found.p)),
            _both(volume_law_slope(found.entropy, found.p), volume_law_slope(found.baseline, found.p)),
        )  # fmt: skip
    return table


def _both(ours: float | Undefined, theirs: float | Undefined) -> str:
    if isinstance(ours, Undefined) or isinstance(theirs, Undefined):
        return "undefined"
    return f"{ours:.3f} ({theirs:.3f})"
