"""One unit for one quantity: 83.3 % beside 0.833, 1.5M beside 1,500,000.

The sign is often left to a column's header, so nothing is changed where the numbers already agree
without it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from repro.claims.claim import Claim

_LEVELS = ("single", "mean", "median", "min", "max", "q25", "q75", "sd", "se", "ci_half_width", "half_range", "span", "sum", "pooled",
          "iqr", "difference", "ci_low", "ci_high")  # fmt: skip
"""Statistics in the unit of their quantity."""
FACTORS = {"": 1.0, "million": 1e6, "billion": 1e9}
COUNTED_OUT = 1e5
"""Numbers without a unit from here on are not counts of millions."""
_SMALL_SHARE = 1.0


def in_one_unit(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims, those of one quantity in one unit; a ratio of 30 % is 0.3."""
    groups: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.is_number and claim.statistic in _LEVELS:
            groups[claim.quantity].append(claim)
    changed = {id(claim): scaled for group in groups.values() for claim, scaled in _changes(group)}
    changed |= {
        id(claim): _scaled(claim, 0.01)
        for claim in claims
        if claim.statistic == "ratio" and claim.unit == "percent" and claim.is_number
    }
    return [changed.get(id(claim), claim) for claim in claims] if changed else list(claims)


def _changes(group: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield the claims of one quantity printed in another unit than the rest, with the change.

    Each comes with itself in the common unit.
    """
    units = {claim.unit for claim in group}
    plain = [claim for claim in group if claim.unit == "" and claim.number]
    counted = units & {"million", "billion"}
    if counted:
        common = "billion" if "billion" in counted else "million"
        written_out = all(abs(claim.number) >= COUNTED_OUT for claim in plain)
        others = [
            c for c in group if c.unit in FACTORS and c.unit != common and (c.unit or written_out)
        ]
        yield from (
            (claim, _scaled(claim, FACTORS[claim.unit] / FACTORS[common], common))
            for claim in others
        )
    shares = [claim for claim in group if claim.unit in ("percent", "points")]
    if shares and plain and _are_shares(plain, shares):
        yield from ((claim, _scaled(claim, 0.01)) for claim in shares)


def _are_shares(plain: Sequence[Claim], shares: Sequence[Claim]) -> bool:
    """Tell whether numbers without a sign are fractions of one, and those with it percentages."""
    if (
        max(abs(claim.number) for claim in plain) > _SMALL_SHARE
        or max(abs(c.number) for c in shares) <= _SMALL_SHARE
    ):
        return False
    known = {claim.term.key: claim.number for claim in plain}
    return not any(known.get(claim.term.key) == claim.number for claim in shares)


def _scaled(claim: Claim, factor: float, unit: str = "") -> Claim:
    """Return a claim with its number and interval times a factor, in another unit."""

    def times(value: float | None) -> float | None:
        return None if value is None else float(f"{value * factor:.12g}")

    update = {"value": times(claim.number), "low": times(claim.low), "high": times(claim.high)}
    return claim.model_copy(update={**update, "digit": claim.digit * factor, "unit": unit})
