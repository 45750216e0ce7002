"""Crosstalk, block-diagonal ratio and asymmetry from each other.

Source: consolidated paper §3.6, docs/SCIENCE.md §8. With CT = ½(D_AB + D_BA) and BDR = S/(S +
2·CT), S = D_AA + D_BB follows: S = 2·CT·BDR/(1 − BDR). Damages are losses of accuracy, so no D
exceeds 1 and S does not exceed 2; the larger of D_AB and D_BA is CT·(1 + asymmetry).
"""

from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.recompute import check_of, write_interval
from repro.claims.algebra.evaluate import evaluate
from repro.claims.algebra.interval import Interval, Value
from repro.claims.claim import Claim
from repro.claims.term import Term
from repro.geometry.undefined import Undefined


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one `crosstalk_identity` for every ratio or asymmetry printed beside a crosstalk."""
    for claim in prints.claims:
        if claim.quantity in ("block_diagonal_ratio", "asymmetry") and claim.statistic == "single":
            yield _identity(claim, prints)


def _identity(claim: Claim, prints: PrintedNumbers) -> Check:
    """Check a ratio or asymmetry with the crosstalk of its pair: can damages give both?"""
    lookup = prints.near(claim)
    crosstalk = evaluate(Term(quantity="crosstalk", selector=claim.term.selector), lookup)
    printed = evaluate(claim.term, prints.near(None))
    what = f"{describe(claim.term)}: {claim.printed}"
    name = "crosstalk_identity"
    if not isinstance(crosstalk, Interval) or not isinstance(printed, Interval):
        missing = Undefined("no crosstalk of this pair is printed")
        return check_of(
            claim, lookup, missing, ("undecidable", "none"), f"{what}: {missing.reason}", name
        )
    bound, told = (
        _own_damage(printed, crosstalk)
        if claim.quantity == "block_diagonal_ratio"
        else _across(printed, crosstalk)
    )
    outcome: tuple[CheckVerdict, Severity] = (
        ("inconsistent", "substantive") if bound is None else ("consistent", "none")
    )
    value: Value = bound or Undefined(told)
    return check_of(
        claim,
        lookup,
        value,
        outcome,
        f"{what} with crosstalk {write_interval(crosstalk)}: {told}",
        name,
    )


def _own_damage(ratio: Interval, crosstalk: Interval) -> tuple[Interval | None, str]:
    """Return S, the damage that two domains do to themselves; None when no S from 0 to 2 exists."""
    if ratio.low > 1 or ratio.high < 0:
        return None, "a ratio lies between 0 and 1"
    if crosstalk.low > 0 and ratio.low >= 1:
        return None, "a ratio of 1 means no damage across, but there is some"
    # S rises with the ratio and with the crosstalk, so the ends of both give its ends.
    least = (
        max(2 * crosstalk.low * max(ratio.low, 0.0) / (1 - max(ratio.low, 0.0)), 0.0)
        if ratio.low < 1
        else 0.0
    )
    most = 2 * crosstalk.high * ratio.high / (1 - ratio.high) if ratio.high < 1 else 2.0
    if least > 2:
        return None, (
            f"the two domains would lose {least:.2f} of accuracy to themselves, and 2 is all "
            "there is"
        )
    return Interval(
        least, min(most, 2.0)
    ), f"own damage of both together {least:.3f} to {min(most, 2.0):.3f}"


def _across(asymmetry: Interval, crosstalk: Interval) -> tuple[Interval | None, str]:
    """Return the larger of the two damages across; None when it would exceed 1."""
    if asymmetry.low > 1 or asymmetry.high < 0:
        return None, "an asymmetry lies between 0 and 1"
    larger = Interval(
        crosstalk.low * (1 + max(asymmetry.low, 0.0)),
        crosstalk.high * (1 + min(asymmetry.high, 1.0)),
    )
    if larger.low > 1:
        return None, f"one direction would lose {larger.low:.2f} of accuracy, and 1 is all there is"
    return larger, f"larger damage {write_interval(larger)}"
