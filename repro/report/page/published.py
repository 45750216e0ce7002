"""What the papers print about single cells, to be drawn beside what was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from repro.claims.claim import Claim, Term
from repro.claims.selector import BASE, Scalar

VALUES = ("single", "mean", "median")
Place = tuple[
    str | None,
    str,
    str | None,
    str | None,
    Scalar | None,
    int | None,
    tuple[tuple[str, Scalar], ...],
]
"""(manifest, paper, model, condition, seed, step, further keys of the cell)."""
NAMED = ("model", "condition", "seed", "step")


@dataclass(frozen=True)
class Published:
    """One printed value of one cell."""

    manifest: str | None
    """The manifest whose runs measure it."""
    paper: str
    model: str | None
    condition: str | None
    seed: Scalar | None
    step: int | None
    further: Mapping[str, Scalar]
    """The rest of the cell: concept, direction, companion, …"""
    value: float
    sd: float | None
    claim: str
    locator: str


def published(claims: Iterable[Claim], quantity: str) -> list[Published]:
    """Return a quantity's printed values, each cell of a paper once, with its printed spread."""
    values: dict[Place, tuple[Claim, float]] = {}
    spreads: dict[Place, float] = {}
    for claim in claims:
        cell = claim.term.cell
        if cell is None or cell.quantity != quantity or not isinstance(claim.value, (int, float)):
            continue
        place = _place(claim, cell)
        if claim.statistic == "sd":
            spreads.setdefault(place, float(claim.value))
        elif claim.statistic in VALUES and claim.is_number:
            values.setdefault(place, (claim, float(claim.value)))
    return [
        Published(*place[:6], dict(place[6]), value, spreads.get(place), claim.id, claim.locator)
        for place, (claim, value) in values.items()
    ]


def _place(claim: Claim, cell: Term) -> Place:
    selector = cell.selector
    step = selector.get("step")
    condition = (
        str(selector["condition"]) if "condition" in selector else (BASE if step == 0 else None)
    )
    model = str(selector["model"]) if "model" in selector else None
    further = tuple(sorted((key, value) for key, value in selector.items() if key not in NAMED))
    whole = step if isinstance(step, int) else None
    return claim.measured_by, claim.source, model, condition, selector.get("seed"), whole, further
