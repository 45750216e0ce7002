"""What a run's sequence of checkpoints shows: collapse, recovery, divergence, order of cells (docs/SCIENCE.md §11).

Source: selective paper §4. An undefined or invalid EI is not 0, so it neither starts nor continues a collapse.
S checkpoints, N seeds, K concepts.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from repro.geometry.undefined import Array, Undefined

Value = float | Undefined


def collapse_step(steps: Sequence[int], values: Sequence[Value]) -> int | Undefined:
    """First step from which EI is 0 at every later checkpoint."""
    zero = _zeros(values)
    if not zero or not zero[-1]:
        return Undefined("EI is not 0 at the last checkpoint")
    alive = [i for i, is_zero in enumerate(zero) if not is_zero]
    return steps[alive[-1] + 1 if alive else 0]


def temporary_recovery(values: Sequence[Value]) -> bool:
    """Whether EI is 0, later above 0, and later 0 again."""
    zero = _zeros(values)
    alive = [not isinstance(value, Undefined) and value > 0 for value in values]
    return any(alive[i] and any(zero[:i]) and any(zero[i + 1 :]) for i in range(len(values)))


def divergence_step(
    steps: Sequence[int], first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], level: float = 0.05
) -> int | Undefined:
    """First step from which Welch's t of two conditions (S × N seeds each) stays beyond the two-sided level.

    Where neither condition varies, the step counts when the means differ.
    """
    beyond = [_differ(np.asarray(a), np.asarray(b), level) for a, b in zip(first, second, strict=True)]
    if not beyond or not beyond[-1]:
        return Undefined("the conditions do not differ at the last checkpoint")
    alike = [i for i, differs in enumerate(beyond) if not differs]
    return steps[alike[-1] + 1 if alike else 0]


def collapse_order(
    steps: Sequence[int], damage: Sequence[Array], own: Sequence[Sequence[str]], concepts: Sequence[str]
) -> dict[tuple[str, str], int | Undefined]:
    """First step from which the clipped damage stays 0, for every (own concept, other concept).

    Each checkpoint gives its damage matrix (directions × K) and the own concept of each direction. A cell sums the
    damage of all directions of one own concept; directions are not matched across checkpoints.
    """
    cells = [cell_damage(D, names, concepts) for D, names in zip(damage, own, strict=True)]
    pairs = [(a, b) for a in concepts for b in concepts if a != b]
    return {cell: collapse_step(steps, [found[cell] for found in cells]) for cell in pairs}


def cell_damage(D: Array, own: Sequence[str], concepts: Sequence[str]) -> Mapping[tuple[str, str], Value]:
    """Clipped damage summed over the directions of each own concept; undefined when it has none."""
    clipped = np.maximum(D, 0)
    cells: dict[tuple[str, str], Value] = {}
    for a in concepts:
        rows = [i for i, name in enumerate(own) if name == a]
        for j, b in enumerate(concepts):
            none = Undefined(f"no direction belongs to {a}")
            cells[a, b] = float(clipped[rows, j].sum()) if rows else none
    return cells


def _zeros(values: Sequence[Value]) -> list[bool]:
    return [not isinstance(value, Undefined) and value == 0 for value in values]


def _differ(a: Array, b: Array, level: float) -> bool:
    if min(len(a), len(b)) < 2:
        return False
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return bool(a[0] != b[0])
    return bool(stats.ttest_ind(a, b, equal_var=False).pvalue < level)
