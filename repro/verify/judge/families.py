"""Judge many verdicts at once: Holm's adjustment, and the histogram of their z.

Definition: docs/SCIENCE.md §13; S. Holm, A simple sequentially rejective multiple test procedure
(1979). A paper's headline claims are one family, the cells of the other claims another. A cell's p
is the smallest of its claims' weighted p: its representative gets half of the level, the others
share the other half.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from repro.claims.claim import Claim
from repro.claims.family import families, level_factors
from repro.verify.statistics import SIGNIFICANCE

BIN = 0.5
"""Width of a bin of the z histogram."""
LIMIT = 4.0
"""z beyond this share the outermost bins."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values in the order given.

    One is below a level exactly when Holm's procedure rejects at that level.
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values, dtype=float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if len(order) else steps
    return [float(p) for p in adjusted]


def z_histogram(z_values: Sequence[float]) -> list[tuple[float, float, int, float]]:
    """Return (low, high, count, count expected of N(0, 1)) per bin.

    The outermost bins are open. A paper whose numbers all reproduce gives the normal's counts.
    Too many near 0 is as informative as too many far out.
    """
    edges = np.arange(-LIMIT, LIMIT + BIN / 2, BIN)
    counts = np.histogram(np.clip(z_values, -LIMIT, LIMIT), bins=edges)[0]
    cumulative = special.ndtr(edges)
    cumulative[0], cumulative[-1] = 0.0, 1.0
    expected = np.diff(cumulative) * len(z_values)
    return [
        (float(low), float(high), int(count), float(share))
        for low, high, count, share in zip(edges[:-1], edges[1:], counts, expected, strict=True)
    ]


def adjust(claims: Sequence[Claim], p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p after Holm in its family for every claim with a p of contradiction, by id.

    `claims`: all claims of the papers, judged or not. A test that was not carried out counts as
    passed, so that leaving tests out makes no family smaller; a cell without any p is not a
    test.
    """
    papers: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        papers[claim.source].append(claim)
    found: dict[str, float] = {}
    for of_paper in papers.values():
        known = families(of_paper)
        found |= _corrected(known.headline, p_values)
        tested = [[name for name in cell if name in p_values] for cell in known.cells]
        found |= _corrected_cells([cell for cell in tested if cell], p_values)
    return found


def _corrected_cells(
    cells: Sequence[Sequence[str]], p_values: Mapping[str, float]
) -> dict[str, float]:
    """Return p after Holm over cells.

    A claim stands where the cells before its own do, and it does at the level left to its cell.
    """
    # Dividing a cell's level among its claims is the same as multiplying their p.
    weighted = [
        {name: share * p_values[name] for name, share in level_factors(cell).items()}
        for cell in cells
    ]
    found: dict[str, float] = {}
    before = 0.0
    for place, cell in enumerate(sorted(weighted, key=lambda cell: min(cell.values()))):
        left = len(cells) - place
        # Holm: no adjusted p is smaller than that of the step before.
        found |= {name: min(1.0, max(before, left * p)) for name, p in cell.items()}
        before = max(before, min(1.0, left * min(cell.values())))
    return found


def _corrected(names: Sequence[str], p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p after Holm over the named tests; those without a p count as passed."""
    adjusted = holm([p_values.get(name, 1.0) for name in names])
    return {name: p for name, p in zip(names, adjusted, strict=True) if name in p_values}


def stands(p_holm: float) -> bool:
    """Return whether a contradiction stands in its family."""
    return p_holm < SIGNIFICANCE
