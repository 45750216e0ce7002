"""The tests and intervals that judging means rests on, on plain numbers (other scales: `repro.verify.scales`).

Definition: docs/SCIENCE.md §13. One choice it leaves open is made here, because error rates must hold at two or three
seeds: a TOST uses both sides' spread (Welch) as soon as there are two runs.
Only scipy.special is imported: scipy.stats alone would take half of what `repro verify` may take.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

LEVEL = 0.05
"""Two-sided level of an interval, and one-sided level of each half of a TOST."""
POWER = 0.8
"""Power at which a difference counts as detectable."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard deviation of one draw, the degrees of freedom it is known with, and how many draws were averaged."""

    sd: float
    df: float
    n: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours minus theirs, on the scale where the claim is judged (SDs: log ratio; correlations: Fisher's z)."""

    difference: float
    half_width: float
    """Half-width of the interval that a repetition of the paper's own process would fall into."""
    p: float
    """Two-sided probability of a difference this large if both come from one process."""
    p_equivalent: float
    """TOST: probability of looking this close if the truth were at the margin or beyond."""
    margin: float
    detectable: float
    """Smallest true difference that would be found in 80 % of repetitions."""

    @property
    def z(self) -> float:
        """The difference as a standard normal deviate: N(0, 1) when the paper and we run the same process."""
        extremeness = -float(special.ndtri(max(self.p, 1e-300) / 2))
        return math.copysign(extremeness, self.difference)


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t; the normal's for infinite df."""
    return float(special.ndtri(probability) if math.isinf(df) else special.stdtrit(df, probability))


def t_tail(statistic: float, df: float) -> float:
    """P(T > statistic)."""
    return float(special.ndtr(-statistic) if math.isinf(df) else special.stdtr(df, -statistic))


def tost(difference: float, error: float, df: float, margin: float) -> float:
    """p of the two one-sided tests that |true difference| < margin (Schuirmann 1987); exact when error is 0."""
    if error == 0:
        return 0.0 if abs(difference) <= margin else 1.0
    return t_tail((margin - abs(difference)) / error, df)


def combined(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Standard error and Welch–Satterthwaite degrees of freedom of a sum of independent (variance, df) parts."""
    total = math.fsum(variance for variance, _ in parts)
    weight = math.fsum(variance**2 / df for variance, df in parts)
    return math.sqrt(total), (total**2 / weight if weight > 0 else math.inf)


def against_printed(
    difference: float, theirs: Sequence[Spread], ours: Sequence[Spread | None], runs: Sequence[int], margin: float
) -> Comparison:
    """Our value against a printed one whose spread is known: PI = t(df)·√Σ s²(1/n + 1/m), for one mean df = n − 1.

    One entry per cell that the claim combines, its sd already multiplied by the claim's slope in that cell. `theirs` is
    the printed spread, `ours` that of our runs (None: a single run), `runs` the m of each cell.
    """
    error, df = combined([(s.sd**2 * (1 / s.n + 1 / m), s.df) for s, m in zip(theirs, runs, strict=True)])
    if all(spread is not None for spread in ours):
        parts = [(s.sd**2 / s.n, s.df) for s in (*theirs, *ours) if s is not None]
        tost_error, tost_df = combined(parts)
    else:
        tost_error, tost_df = error, df
    half_width = t_quantile(1 - LEVEL / 2, df) * error
    return Comparison(
        difference=difference,
        half_width=half_width,
        p=2 * t_tail(abs(difference) / error, df),
        p_equivalent=tost(difference, tost_error, tost_df, margin),
        margin=margin,
        detectable=half_width + t_quantile(POWER, df) * error,
    )


def against_constant(difference: float, ours: Spread | None, margin: float) -> Comparison:
    """Our mean against a value printed without any spread (s = 0): the declared margin is the interval.

    With a spread of our own, only a mean significantly beyond the margin speaks against the claim.
    """
    error, df = (0.0, math.inf) if ours is None else (ours.sd / math.sqrt(ours.n), ours.df)
    beyond = abs(difference) - margin
    p = 1.0 if beyond <= 0 else 0.0 if error == 0 else 2 * t_tail(beyond / error, df)
    detectable = margin + (t_quantile(1 - LEVEL / 2, df) + t_quantile(POWER, df)) * error
    return Comparison(difference, margin, p, tost(difference, error, df, margin), margin, detectable)


def no_difference(difference: float, parts: Sequence[Spread], margin: float) -> Comparison:
    """A measured difference against none, with our own spread of each cell that it combines (Welch)."""
    error, df = combined([(s.sd**2 / s.n, s.df) for s in parts])
    if error == 0:
        p = 1.0 if difference == 0 else 0.0
        return Comparison(difference, 0.0, p, tost(difference, 0.0, df, margin), margin, margin)
    half_width = t_quantile(1 - LEVEL / 2, df) * error
    p = 2 * t_tail(abs(difference) / error, df)
    detectable = half_width + t_quantile(POWER, df) * error
    return Comparison(difference, half_width, p, tost(difference, error, df, margin), margin, detectable)


def normal_comparison(difference: float, error: float, margin: float) -> Comparison:
    """A difference whose standard error is known, against none."""
    half_width = t_quantile(1 - LEVEL / 2, math.inf) * error
    p = 2 * t_tail(abs(difference) / error, math.inf)
    detectable = half_width + t_quantile(POWER, math.inf) * error
    return Comparison(difference, half_width, p, tost(difference, error, math.inf, margin), margin, detectable)
