"""Families of tests, fixed before any run: a paper's headline claims, and the rest cell by cell.

Definition: docs/SCIENCE.md §13. Many claims speak of one measured cell (its mean, its change, each
of its seeds). Together they count as one test: one of them, of the most telling kind, represents
the cell and has half of its level; the others share the other half.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from repro.claims.claim import Claim
from repro.claims.selector import Scalar, is_untrained, normal_selector
from repro.claims.term import Term
from repro.claims.tolerance import ClaimKind

HEADLINES = ("abstract", "title")
"""Where the headline claims stand in a paper that declares none."""
TELLING: tuple[ClaimKind, ...] = (
    "seed_mean", "problem_count", "derived", "share", "ordering", "no_effect", "correlation", "test", "category",
    "recomputed", "single_run", "base_model", "spread",
)  # fmt: skip
"""Kinds of claim, the one that represents its cell first."""


@dataclass(frozen=True)
class Families:
    """The tests of one paper: ids of claims."""

    headline: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    """Every cell of the rest: the claims about it, in the order in which they may represent it."""


def level_factors(cell: Sequence[str]) -> dict[str, int]:
    """Return by how much each claim's p is multiplied within its cell, the representative first."""
    if len(cell) == 1:
        return {cell[0]: 1}
    # Half of the level is a factor of 2 on p; the other half, shared by n − 1, one of 2(n − 1).
    return {name: 2 if name == cell[0] else 2 * (len(cell) - 1) for name in cell}


def families(claims: Sequence[Claim]) -> Families:
    """Sort the claims of one paper that measurements judge into its two families."""
    tested = [claim for claim in claims if is_tested(claim)]
    headline = tuple(claim.id for claim in tested if claim.headline)
    cells: dict[Hashable, list[Claim]] = defaultdict(list)
    for claim in tested:
        if not claim.headline:
            cells[measured_cell(claim.term)].append(claim)
    ordered = (
        sorted(group, key=lambda claim: TELLING.index(claim.kind)) for group in cells.values()
    )
    return Families(headline, tuple(tuple(claim.id for claim in group) for group in ordered))


def is_tested(claim: Claim) -> bool:
    """Tell whether a measurement could contradict the claim."""
    return (
        claim.basis == "measured" and claim.measured_by is not None and claim.unverifiable is None
    )


def measured_cell(term: Term) -> Hashable:
    """Return what tells a claim's cells from others: quantity and place, no seed or statistic.

    The base model that a change starts from is not the cell that the change is about.
    """
    paths = list(term.paths())
    trained = [path for path in paths if not is_untrained(path[-1].selector)]
    return frozenset(map(_placed, trained or paths))


def _placed(
    path: tuple[Term, ...],
) -> tuple[str, frozenset[tuple[str, Scalar]], tuple[Hashable, ...]]:
    """Return a cell's quantity, its selector without its seed, and the axes around it.

    The axes are those that it and the terms around it run along.
    """
    cell = path[-1]
    selector = {
        key: value for key, value in normal_selector(cell.selector).items() if key != "seed"
    }
    axes = tuple((term.over, term.among) for term in path if term.over not in (None, "seed"))
    return cell.quantity, frozenset(selector.items()), axes


def with_families(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return a paper's claims, each with its family and the number of tests that it is one of."""
    declared = any(claim.headline for claim in claims)
    if not declared:
        claims = [
            claim.model_copy(update={"headline": True})
            if is_tested(claim) and claim.locator.casefold().startswith(HEADLINES)
            else claim
            for claim in claims
        ]
    found = families(claims)
    sizes = dict.fromkeys(found.headline, len(found.headline))
    for cell in found.cells:
        sizes |= {name: share * len(found.cells) for name, share in level_factors(cell).items()}
    return tuple(
        claim.model_copy(update={"tests": sizes[claim.id]}) if sizes.get(claim.id, 1) > 1 else claim
        for claim in claims
    )
