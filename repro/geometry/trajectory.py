"""What runs' sequences of checkpoints show: collapse, recovery, divergence, order of cells.

Definitions: docs/SCIENCE.md §11. Source: selective paper §4. A value that is undefined or invalid
is NaN: it is not 0, so it neither starts nor continues a collapse, and a seed without a value is
left out of a comparison. R runs, S ≥ 1 checkpoints by rising step, N seeds, K concepts.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from repro.geometry.undefined import Array, Undefined

_LEVEL = 0.05
"""Two-sided level beyond which two conditions differ (§11)."""


def collapse_steps(steps: Sequence[float], values: Array) -> Array:
    """Return, per run, the first step from which every value (R × S) is 0.

    NaN where the last value is not 0.
    """
    # Read from the end: a step counts while it and all that follow are 0.
    zero_to_the_end = np.logical_and.accumulate((values == 0)[:, ::-1], axis=1)[:, ::-1]
    first = zero_to_the_end.argmax(axis=1)
    return np.where(zero_to_the_end[:, -1], np.asarray(steps, dtype=np.float64)[first], np.nan)


def recoveries(values: Array) -> npt.NDArray[np.bool_]:
    """Tell, per run, whether a value (R × S) is 0, then above 0, then 0 again, at any distance."""
    zero = values == 0
    was_zero = np.logical_or.accumulate(zero, axis=1)
    alive_again = np.logical_or.accumulate(was_zero & (values > 0), axis=1)
    return np.asarray((zero & alive_again).any(axis=1))


def divergence_step(
    steps: Sequence[int], first: Array, second: Array, level: float = _LEVEL
) -> int | Undefined:
    """Return the first step from which Welch's t of two conditions (N × S each) stays significant.

    Significant: beyond the two-sided level. Where neither condition varies, the step counts when
    the means differ.
    """
    known = [(a[~np.isnan(a)], b[~np.isnan(b)]) for a, b in zip(first.T, second.T, strict=True)]
    if min(len(seeds) for seeds in known[-1]) < 2:
        return Undefined("fewer than two seeds of a condition at the last checkpoint")
    beyond = [_differ(a, b, level) for a, b in known]
    if not beyond[-1]:
        return Undefined("the conditions do not differ at the last checkpoint")
    alike = [i for i, differs in enumerate(beyond) if not differs]
    return steps[alike[-1] + 1 if alike else 0]


def cell_damage(damage: Array, own: Sequence[str], concepts: Sequence[str]) -> Array:
    """Return D⁺ (own concept × other concept, K × K) from clipped damage (directions × K).

    Damage is summed over the directions of each own concept; NaN for a concept that owns none.
    Directions need not match across checkpoints.
    """
    belongs = np.array([[name == concept for name in own] for concept in concepts], dtype=bool)
    cells: Array = belongs.astype(np.float64) @ np.maximum(damage, 0)
    cells[~belongs.any(axis=1)] = np.nan
    return cells


def collapse_order(
    steps: Sequence[int], cells: Sequence[Array], concepts: Sequence[str]
) -> dict[tuple[str, str], float]:
    """Return the first step from which a cell stays 0, for every (own concept, other concept).

    `cells` holds K × K damage of each checkpoint. NaN where the cell is not 0 at the last one.
    """
    K = len(concepts)
    paths = np.stack(cells, axis=-1).reshape(K * K, len(steps))
    found = collapse_steps(steps, paths).reshape(K, K)
    return {
        (a, b): float(found[i, j])
        for i, a in enumerate(concepts)
        for j, b in enumerate(concepts)
        if i != j
    }


def _differ(a: Array, b: Array, level: float) -> bool:
    """Tell whether Welch's t of two samples lies beyond the level.

    Samples without any spread differ where their values do; one of fewer than two tells nothing.
    """
    from scipy import special  # 0.3 s: claims need this module, and few of them a t

    if min(len(a), len(b)) < 2:
        return False
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return bool(a[0] != b[0])
    errors = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = sum(errors) ** 2 / (errors[0] ** 2 / (len(a) - 1) + errors[1] ** 2 / (len(b) - 1))
    t = (a.mean() - b.mean()) / np.sqrt(sum(errors))
    return bool(2 * special.stdtr(freedom, -abs(t)) < level)
