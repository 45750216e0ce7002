"""The common formulas of tests and intervals of one or two proportions, by name.

Definitions: docs/SCIENCE.md §10. A paper seldom says which one it used, and the one that fits its
print is named. Where statsmodels or scipy has a formula it is theirs. A formula that does not exist
for some counts (a division by zero at 0 of n or n of n) is left out for those.
"""

import math
import warnings
from collections.abc import Mapping

import numpy as np
from scipy import special

Counts = tuple[float, int, float, int]
"""Successes and total of the first, successes and total of the second."""
Ends = tuple[float, float]
"""The ends of an interval, as shares."""


def whole(counts: Counts) -> tuple[int, int, int, int] | None:
    """Return the counts as whole numbers; None where only rounded percentages are printed."""
    one, n_one, two, n_two = counts
    near = round(one), round(two)
    return (
        (near[0], n_one, near[1], n_two) if abs(one - near[0]) + abs(two - near[1]) < 1e-6 else None
    )


def p_values(counts: Counts, one_sided: bool) -> dict[str, float]:
    """Return p of a difference, by test; one-sided: of the first being larger."""
    one, n_one, two, n_two = counts
    p, q, share = one / n_one, two / n_two, (one + two) / (n_one + n_two)
    sizes = 1 / n_one + 1 / n_two
    pooled, apart = (
        math.sqrt(share * (1 - share) * sizes),
        math.sqrt(p * (1 - p) / n_one + q * (1 - q) / n_two),
    )
    corrected = math.copysign(max(abs(p - q) - sizes / 2, 0.0), p - q)
    normal = {
        "the pooled z test": (p - q, pooled),
        "the unpooled z test": (p - q, apart),
        "χ² with Yates's correction": (corrected, pooled),
    }
    found = {
        name: _tail(gap / error, one_sided) for name, (gap, error) in normal.items() if error > 0
    }
    if (exact := whole(counts)) is not None:
        from scipy import stats  # 0.5 s, and the other formulas need none of it

        table = [[exact[0], exact[1] - exact[0]], [exact[2], exact[3] - exact[2]]]
        side = "greater" if one_sided else "two-sided"
        found["Fisher's exact test"] = float(stats.fisher_exact(table, alternative=side).pvalue)
        if not one_sided and min(map(sum, zip(*table, strict=True))) > 0:
            ratio = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
            found["the likelihood ratio test"] = float(ratio.pvalue)
    return found


def z_values(counts: Counts) -> dict[str, float]:
    """Return z of a difference, by its variance."""
    one, n_one, two, n_two = counts
    p, q = one / n_one, two / n_two
    apart = math.sqrt(p * (1 - p) / n_one + q * (1 - q) / n_two)
    return {"the unpooled z": (p - q) / apart} if apart > 0 else {}


def _tail(z: float, one_sided: bool) -> float:
    """Return p of z, one-sided for the first being larger."""
    return float(special.ndtr(-z)) if one_sided else 2 * float(special.ndtr(-abs(z)))


def difference_intervals(counts: Counts, level: float) -> dict[str, Ends]:
    """Return intervals of the first share minus the second, by name, at a level in percent.

    The samples are independent.
    """
    one, n_one, two, n_two = counts
    z, p, q = _quantile(level), one / n_one, two / n_two
    half = z * math.sqrt(p * (1 - p) / n_one + q * (1 - q) / n_two)
    more = half + (1 / n_one + 1 / n_two) / 2
    found = {
        "Wald": (p - q - half, p - q + half),
        "Wald with continuity correction": (p - q - more, p - q + more),
    }
    exact = whole(counts)
    if exact is not None:
        found["Newcombe with continuity correction"] = _newcombe_corrected(exact, level)
    for name, method, correction in (
        ("Newcombe", "newcomb", False), ("Miettinen–Nurminen", "score", True), ("Mee", "score", False),
        ("Agresti–Caffo", "agresti-caffo", False),
    ):  # fmt: skip
        if (ends := _of_statsmodels(counts, level, method, correction)) is not None:
            found[name] = ends
    return _proper(found)


def _proper(found: Mapping[str, Ends]) -> dict[str, Ends]:
    """Drop intervals of no width, which no sample of finite size has."""
    return {name: (low, high) for name, (low, high) in found.items() if low < high}


def _newcombe_corrected(counts: tuple[int, int, int, int], level: float) -> Ends:
    """Combine two corrected Wilson intervals: their margins, squared and added.

    Source: Newcombe (1998), method 11.
    """
    one, n_one, two, n_two = counts
    first, second = wilson_corrected(one, n_one, level), wilson_corrected(two, n_two, level)
    p, q = one / n_one, two / n_two
    low = p - q - math.hypot(p - first[0], second[1] - q)
    return low, p - q + math.hypot(first[1] - p, q - second[0])


def _of_statsmodels(counts: Counts, level: float, method: str, correction: bool) -> Ends | None:
    """Return an interval of statsmodels; None where its search fails or it is not proper."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    a, n_a, b, n_b = counts
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # it searches a root beyond the ends, where its statistic divides by zero
        warnings.simplefilter("ignore")
        try:
            low, high = confint_proportions_2indep(
                a,
                n_a,
                b,
                n_b,
                method=method,
                compare="diff",
                alpha=1 - level / 100,
                correction=correction,
            )
        except (ValueError, RuntimeError, ZeroDivisionError):
            return None
    return (
        (float(low), float(high))
        if math.isfinite(low) and math.isfinite(high) and low < high
        else None
    )


def share_intervals(one: int, total: int, level: float) -> dict[str, Ends]:
    """Return intervals of one share, by name, at a level in percent."""
    from statsmodels.stats.proportion import proportion_confint

    z, p = _quantile(level), one / total
    half = z * math.sqrt(p * (1 - p) / total)
    more = half + 1 / (2 * total)
    found: dict[str, Ends] = {
        "Wald": (p - half, p + half),
        "Wald with continuity correction": (p - more, p + more),
        "Wilson with continuity correction": wilson_corrected(one, total, level),
    }
    names = {
        "Wilson": "wilson",
        "Clopper–Pearson": "beta",
        "Agresti–Coull": "agresti_coull",
        "Jeffreys": "jeffreys",
    }
    for name, method in names.items():
        low, high = proportion_confint(one, total, alpha=1 - level / 100, method=method)
        found[name] = float(low), float(high)
    found = _proper(found)
    outside = {name: ends for name, ends in found.items() if ends[0] < 0 or ends[1] > 1}
    return found | {
        f"{name}, cut at 0 and 1": (max(low, 0.0), min(high, 1.0))
        for name, (low, high) in outside.items()
    }


def wilson_corrected(one: int, total: int, level: float) -> Ends:
    """Return Wilson's interval with continuity correction (Newcombe 1998, method 4)."""
    z, p, n = _quantile(level), one / total, total
    scale, middle = 2 * (n + z * z), 2 * one + z * z
    low = (
        middle - 1 - z * math.sqrt(max(z * z - 2 - 1 / n + 4 * p * (n * (1 - p) + 1), 0.0))
    ) / scale
    high = (
        middle + 1 + z * math.sqrt(max(z * z + 2 - 1 / n + 4 * p * (n * (1 - p) - 1), 0.0))
    ) / scale
    return (0.0 if one == 0 else max(low, 0.0)), (1.0 if one == total else min(high, 1.0))


def mistaken_intervals(counts: Counts, level: float) -> Mapping[str, Ends]:
    """Return wrong intervals of a difference that papers do print, by what is wrong."""
    one, n_one, two, n_two = counts
    z, p, q, share = _quantile(level), one / n_one, two / n_two, (one + two) / (n_one + n_two)
    single = z * math.sqrt(p * (1 - p) / n_one)
    pooled = z * math.sqrt(share * (1 - share) * (1 / n_one + 1 / n_two))
    found: dict[str, Ends] = {
        "the interval of the first proportion alone, the other taken as exact": (
            p - q - single,
            p - q + single,
        ),
        "the pooled variance, which belongs to the test, not to the interval": (
            p - q - pooled,
            p - q + pooled,
        ),
    }
    if (exact := whole(counts)) is not None:
        first, second = (
            share_intervals(k, n, level)["Clopper–Pearson"] for k, n in (exact[:2], exact[2:])
        )
        found["the ends of two exact intervals subtracted, which is too wide"] = (
            first[0] - second[1],
            first[1] - second[0],
        )
    return _proper(found)


def _quantile(level: float) -> float:
    """Return the normal quantile of a two-sided level in percent."""
    return float(special.ndtri(0.5 + level / 200))
