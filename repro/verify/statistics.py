"""Tests and intervals behind the judgement of means, on plain numbers (other scales:
`repro.verify.scales`).

Definition: docs/SCIENCE.md §13. It leaves one choice open, made here so that error rates hold at
two or three seeds: a TOST uses both sides' spread (Welch) as soon as there are two runs. Only
scipy.special is imported: scipy.stats alone would take half of the time `repro verify` is allowed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import special

SIGNIFICANCE = 0.05
"""Two-sided level of an interval, and one-sided level of each half of a TOST."""
POWER = 0.8
"""Power at which a difference counts as detectable."""
ErrorParts = tuple[tuple[float, float], ...]
"""(variance, degrees of freedom) of every independent part of a standard error."""
_NODES = {1: 200, 2: 40, 3: 14}
"""Quantiles of each χ² when power is integrated over one, two or three estimated variances."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The SD of one draw, its degrees of freedom, and the number of draws averaged."""

    sd: float
    df: float
    n: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours minus theirs, on the scale where the claim is judged (SDs: log ratio; correlations:
    Fisher's z).
    """

    difference: float
    half_width: float
    """Half-width of the interval for a repetition of the paper's own process."""
    p: float
    """Two-sided probability of a difference this large if both come from one process."""
    p_equivalent: float
    """TOST: probability of looking this close if the true difference were at the margin or
    beyond.
    """
    margin: float
    parts: ErrorParts = ()
    """Parts of the standard error that p rests on."""
    beyond: float = 0.0
    """Distance from 0 at which p begins to fall: 0, or the margin of a constant."""

    @property
    def detectable(self) -> float:
        """Return the smallest true difference that would be found in 80 % of repetitions."""
        return self.beyond + smallest_detectable(self.parts)

    @property
    def z(self) -> float:
        """Return the difference as a standard normal deviate.

        It is N(0, 1) when paper and runs come from one process.
        """
        extremeness = -float(special.ndtri(max(self.p, 1e-300) / 2))
        return math.copysign(extremeness, self.difference)


def t_quantile(probability: float, df: float) -> float:
    """Return a quantile of Student's t; the normal's for infinite df."""
    return float(special.ndtri(probability) if math.isinf(df) else special.stdtrit(df, probability))


def t_tail(statistic: float, df: float) -> float:
    """Return P(T > statistic) for Student's t."""
    return float(special.ndtr(-statistic) if math.isinf(df) else special.stdtr(df, -statistic))


def tost(difference: float, error: float, df: float, margin: float) -> float:
    """Return p of the two one-sided tests that |true difference| < margin (Schuirmann 1987).

    Exact when error is 0.
    """
    if error == 0:
        return 0.0 if abs(difference) <= margin else 1.0
    return t_tail((margin - abs(difference)) / error, df)


def combine_errors(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return standard error and Welch–Satterthwaite df of a sum of (variance, df) parts.

    The parts are independent.
    """
    total = math.fsum(variance for variance, _ in parts)
    weight = math.fsum(variance**2 / df for variance, df in parts)
    return math.sqrt(total), (total**2 / weight if weight > 0 else math.inf)


def against_printed(
    difference: float,
    theirs: Sequence[Spread],
    ours: Sequence[Spread | None],
    runs: Sequence[int],
    margin: float,
) -> Comparison:
    """Compare our value with a printed one of known spread.

    For one mean the interval is t(n − 1)·√Σ s²(1/n + 1/m). One entry per cell that the claim
    combines, its SD already multiplied by the claim's slope in that cell. `theirs` is the
    printed spread, `ours` that of our runs (None: a single run), `runs` the m of each cell.
    """
    predicted = tuple(
        (s.sd**2 * (1 / s.n + 1 / m), s.df) for s, m in zip(theirs, runs, strict=True)
    )
    both = predicted
    if all(spread is not None for spread in ours):
        # Two runs show a spread of their own: TOST then takes each side's (see the
        # module's note).
        both = tuple((s.sd**2 / s.n, s.df) for s in (*theirs, *ours) if s is not None)
    return compare_parts(difference, predicted, both, margin)


def compare_parts(
    difference: float, predicted: ErrorParts, both: ErrorParts, margin: float
) -> Comparison:
    """Test a difference by a prediction's error, its equivalence by both sides' error."""
    error, df = combine_errors(predicted)
    tost_error, tost_df = combine_errors(both)
    return Comparison(
        difference=difference,
        half_width=t_quantile(1 - SIGNIFICANCE / 2, df) * error,
        p=two_sided(difference, error, df),
        p_equivalent=tost(difference, tost_error, tost_df, margin),
        margin=margin,
        parts=predicted,
    )


def two_sided(difference: float, error: float, df: float) -> float:
    """Return the two-sided p of a difference against 0.

    With error 0 it is 1 for no difference, else 0.
    """
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * t_tail(abs(difference) / error, df)


def against_margin(difference: float, parts: ErrorParts, margin: float) -> Comparison:
    """Compare a measured difference with the claim that it is at most a margin.

    A margin of 0 gives Welch's test. p is that of a difference beyond the margin,
    `p_equivalent` that of the two one-sided tests inside it.
    """
    error, df = combine_errors(parts)
    beyond = abs(difference) - margin
    return Comparison(
        difference=difference,
        half_width=t_quantile(1 - SIGNIFICANCE / 2, df) * error,
        p=1.0 if beyond <= 0 else two_sided(beyond, error, df),
        p_equivalent=tost(difference, error, df, margin),
        margin=margin,
        parts=parts,
        beyond=margin,
    )


def normal_comparison(difference: float, error: float, margin: float) -> Comparison:
    """Compare a difference of known standard error with 0."""
    known = ((error**2, math.inf),)
    return compare_parts(difference, known, known, margin)


@cache
def _chi_squares(dfs: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Return equally likely values of independent χ²/df, one row a part.

    They are the nodes that power is integrated over.
    """
    count = _NODES[len(dfs)]
    middles = (np.arange(count) + 0.5) / count
    rows = [special.chdtri(df, 1 - middles) / df for df in dfs]
    return np.array(list(product(*rows)), dtype=np.float64).T


def errors_seen(
    parts: ErrorParts,
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the true standard error, and equally likely estimates of it with their df.

    The df are Welch–Satterthwaite's. At most three estimated variances are integrated over; the
    smallest of the others count as known.
    """
    # The largest estimated variances dominate, so only they are integrated over.
    ordered = sorted(
        (part for part in parts if part[0] > 0), key=lambda part: (math.isinf(part[1]), -part[0])
    )
    free = [part for part in ordered if math.isfinite(part[1])][:3]
    fixed = math.fsum(variance for variance, _ in ordered) - math.fsum(
        variance for variance, _ in free
    )
    true = math.sqrt(math.fsum(variance for variance, _ in ordered))
    if not free:
        return true, np.array([true]), np.array([math.inf])
    seen = _chi_squares(tuple(df for _, df in free)) * np.array(
        [[variance] for variance, _ in free]
    )
    total = seen.sum(axis=0) + max(fixed, 0.0)
    df = total**2 / (seen**2 / np.array([[df] for _, df in free])).sum(axis=0)
    return true, np.sqrt(total), df


def rejection_rate(parts: ErrorParts, shift: float, level: float = SIGNIFICANCE) -> float:
    """Return how often a two-sided t test finds a true difference of `shift`.

    It is the power of the noncentral t for one part, of Welch's test for several.
    """
    true, critical = _critical(parts, level)
    return _rate_beyond(true, critical, shift)


def _critical(parts: ErrorParts, level: float) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the true standard error, and for each equally likely estimate of it the difference
    from which on a two-sided t test rejects.
    """
    true, seen, df = errors_seen(parts)
    with np.errstate(invalid="ignore"):
        quantile = np.where(
            np.isinf(df), special.ndtri(1 - level / 2), special.stdtrit(df, 1 - level / 2)
        )
    return true, quantile * seen


def _rate_beyond(true: float, critical: npt.NDArray[np.float64], shift: float) -> float:
    """Return how often a difference around `shift` lies beyond the critical one."""
    if true == 0:
        return float(shift != 0)
    # Given an estimated error the difference is normal: average over the equally likely
    # estimates.
    return float(
        np.mean(special.ndtr((shift - critical) / true) + special.ndtr((-shift - critical) / true))
    )


def equivalence_rate(parts: ErrorParts, margin: float, shift: float = 0.0) -> float:
    """Return how often a TOST shows a true difference of `shift` to be within the margin."""
    true, seen, df = errors_seen(parts)
    if true == 0:
        return float(abs(shift) <= margin)
    with np.errstate(invalid="ignore"):
        critical = (
            np.where(
                np.isinf(df), special.ndtri(1 - SIGNIFICANCE), special.stdtrit(df, 1 - SIGNIFICANCE)
            )
            * seen
        )
    room = np.maximum(margin - critical, 0.0)
    return float(
        np.mean(special.ndtr((room - shift) / true) - special.ndtr((-room - shift) / true))
    )


def smallest_detectable(parts: ErrorParts) -> float:
    """Return the true difference that is found in 80 % of repetitions."""
    total = math.fsum(variance for variance, _ in parts)
    if total == 0:
        return 0.0
    return math.sqrt(total) * _detectable(
        tuple((round(variance / total, 4), df) for variance, df in parts)
    )


@cache
def _detectable(shares: ErrorParts) -> float:
    """Return the same in standard errors, by false position (the Illinois method)."""
    true, critical = _critical(shares, SIGNIFICANCE)  # the same at every difference that is tried
    low, high = 0.0, 4.0
    while (above := _rate_beyond(true, critical, high) - POWER) < 0:
        low, high = high, 2 * high
    below = _rate_beyond(true, critical, low) - POWER
    for _ in range(30):
        # The secant through both ends; halving the value of a stale end keeps it from
        # stalling.
        middle = high - above * (high - low) / (above - below)
        found = _rate_beyond(true, critical, middle) - POWER
        if abs(found) < 1e-5:
            return middle
        if found * above > 0:
            high, above, below = middle, found, below / 2
        else:
            low, below, above = middle, found, above / 2
    return high
