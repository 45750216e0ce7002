"""Statistics of solved problems: counts, intervals, differences (docs/SCIENCE.md §10).

Every interval is at 95 % unless another level is given. Shares are between 0 and 1. Formulas that
statsmodels has are taken from it; the others are short enough to be read here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

_LEVEL = 0.95


@dataclass(frozen=True)
class ShareInterval:
    """A two-sided interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Pairs:
    """Outcomes of two conditions on the same problems, problem by problem."""

    both: int
    only_first: int
    only_second: int
    neither: int
    lost: tuple[str, ...] = ()
    """Problems that the first solves and the second does not, by name."""
    won: tuple[str, ...] = ()
    """Problems that the second solves and the first does not."""

    @property
    def total(self) -> int:
        """Return the number of problems scored under both."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """Return the second share minus the first."""
        return (self.only_second - self.only_first) / self.total


def pair_outcomes(first: Mapping[str, bool], second: Mapping[str, bool]) -> Pairs:
    """Compare outcomes problem by problem, on the problems that both have.

    Raises ValueError when there is none.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        raise ValueError("no problem was scored under both conditions")
    lost = tuple(name for name in shared if first[name] and not second[name])
    won = tuple(name for name in shared if second[name] and not first[name])
    both = sum(first[name] and second[name] for name in shared)
    return Pairs(both, len(lost), len(won), len(shared) - both - len(lost) - len(won), lost, won)


def wilson(solved: int, total: int, level: float = _LEVEL) -> ShareInterval:
    """Return Wilson's score interval of a share (1927)."""
    _check(solved, total)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, scale = solved / total, 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = 0.0 if solved == 0 else middle - half  # exact, where rounding would leave 1e-17
    return ShareInterval(low, 1.0 if solved == total else middle + half)


def mcnemar(pairs: Pairs, kind: Literal["exact", "mid-p"] = "exact") -> float:
    """Return the two-sided p of McNemar's test on the problems that flipped; 1 where none did.

    `mid-p`: the exact p without half the probability of what was seen (Fagerland, Lydersen and
    Laake 2013).
    """
    flips, fewer = pairs.only_first + pairs.only_second, min(pairs.only_first, pairs.only_second)
    if flips == 0:
        return 1.0
    # Whole numbers to the end: no rounding, and no 0.5 s for importing scipy.stats.
    exact = min(1.0, 2 * sum(math.comb(flips, n) for n in range(fewer + 1)) / (1 << flips))
    if kind == "exact":
        return exact
    seen = math.comb(flips, fewer) / (1 << flips)
    # The middle outcome is its own mirror image: it counts once.
    return 1 - seen / 2 if 2 * fewer == flips else exact - seen


def newcombe_paired(pairs: Pairs, level: float = _LEVEL) -> ShareInterval:
    """Return Newcombe's interval of the difference on the same problems (1998b, method 10),
    second minus first.
    """
    a, b, c, d, n = pairs.both, pairs.only_first, pairs.only_second, pairs.neither, pairs.total
    p, q = (a + b) / n, (a + c) / n
    first, second = wilson(a + b, n, level), wilson(a + c, n, level)
    margins = math.sqrt(float(a + b) * (c + d) * (a + c) * (b + d))
    product = a * d - b * c
    top = max(product - n / 2, 0.0) if product > 0 else float(product)
    phi = top / margins if margins else 0.0

    def half(x: float, y: float) -> float:
        """Return one half-width, corrected for the correlation of the two shares."""
        return math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))

    return ShareInterval(
        q - p - half(q - second.low, first.high - p), q - p + half(second.high - q, p - first.low)
    )


def pooled_z(one: int, n_one: int, two: int, n_two: int) -> float | None:
    """Return z of share two minus share one with their pooled variance, as in the papers.

    None where that is 0.
    """
    _check(one, n_one)
    _check(two, n_two)
    share = (one + two) / (n_one + n_two)
    error = math.sqrt(share * (1 - share) * (1 / n_one + 1 / n_two))
    return (two / n_two - one / n_one) / error if error else None


def wald(one: int, n_one: int, two: int, n_two: int, level: float = _LEVEL) -> ShareInterval:
    """Return Wald's interval of share two minus share one, as in the papers."""
    _check(one, n_one)
    _check(two, n_two)
    p, q = one / n_one, two / n_two
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(
        p * (1 - p) / n_one + q * (1 - q) / n_two
    )
    return ShareInterval(q - p - half, q - p + half)


def pass_at_k(solved: int, samples: int, k: int) -> float:
    """Return the unbiased chance that one of k samples solves a problem (Chen et al. 2021).

    `solved` of `samples` did. Raises ValueError for a k larger than the number of samples.
    """
    _check(solved, samples)
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} of {samples} samples: k has to be between 1 and {samples}")
    return 1 - math.comb(samples - solved, k) / math.comb(samples, k)


def _check(solved: int, total: int) -> None:
    """Raise ValueError for counts that are not a share."""
    if not 0 <= solved <= total or total == 0:
        raise ValueError(f"{solved} of {total} is no share")
