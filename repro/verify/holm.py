"""Many verdicts at once: Holm's adjustment of their p-values, and the histogram of their z.

Source: S. Holm, A simple sequentially rejective multiple test procedure (1979); docs/SCIENCE.md §13.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

BIN = 0.5
"""Width of a bin of the z histogram."""
LIMIT = 4.0
"""z beyond this share the outermost bins."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given: below a level exactly when Holm's procedure rejects at that level."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values, dtype=float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps)) if len(order) else steps
    return [float(p) for p in adjusted]


def z_histogram(z_values: Sequence[float]) -> list[tuple[float, float, int, float]]:
    """(low, high, count, count expected of N(0, 1)) per bin; the outermost bins are open.

    A paper whose numbers all reproduce gives the normal's counts; too many near 0 is as telling as too many far out.
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
