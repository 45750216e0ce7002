"""What must be so by the way a quantity is made, whatever was measured.

`one_run`: one value has no spread. `mean_cosine`: the squared sum of k vectors of length one is at
least 0, so the mean of their pairwise cosines is at least −1/(k − 1). `directions`: where the first
singular value is many times the second, the signal is in one direction and not in several. What
training changed is nothing before training: `bounds`.
"""

from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval, gap_between
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.recompute import check_of, write_interval
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim

_ALONE = 0.95
"""Share of the energy σ² of several directions beyond which the first is the only one."""
_SPREADS = ("sd", "se", "ci_half_width")


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield `one_run` once for a cell, and the others once for each print."""
    told: set[tuple[str, str, object, object]] = set()
    for claim in prints.claims:
        if not claim.is_number or claim.term.of is not None:
            continue
        cell = (
            claim.source,
            claim.quantity,
            claim.selector.get("model"),
            claim.selector.get("condition"),
        )
        if claim.statistic in _SPREADS and cell not in told and (alone := of_one(claim, prints)):
            told.add(cell)
            yield one_run(claim, alone, prints)
        if claim.quantity.endswith("cosine") and claim.statistic in ("single", "mean"):
            yield from mean_cosine(claim, prints)
        if claim.quantity == "concentrated_directions" and claim.number > 1:
            yield from _directions(claim, prints)


def of_one(claim: Claim, prints: PrintedNumbers) -> str:
    """Return where the paper says that a single run is behind a spread; empty where it does not.

    It may say so in words, or as a list of one.
    """
    axis = claim.term.over or "seed"
    if prints.number_of(claim.term, axis) == 1:
        return f"elsewhere there is one {axis}"
    listed = prints.expected(claim.term, axis)
    return (
        f"the only {axis} listed is {listed[0]}" if listed is not None and len(listed) == 1 else ""
    )


def one_run(claim: Claim, alone: str, prints: PrintedNumbers) -> Check:
    """Check a spread of one run; zero is what a program prints for it."""
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if claim.number == 0 else ("inconsistent", "substantive")
    )
    told = f"{describe(claim.term)}: {claim.printed}; {alone}, and one value has no spread"
    return check_of(claim, prints.near(claim), Interval(0.0, 0.0), outcome, told, "one_run")


def mean_cosine(claim: Claim, prints: PrintedNumbers) -> Iterator[Check]:
    """Check a mean over all pairs of vectors, where the paper prints how many vectors there are.

    It prints them as `centroids`, or as a list of `domains`.
    """
    if "pair" in claim.selector or claim.term.over not in (None, "pair"):
        return
    sizes = {
        one.id: size
        for one in prints.claims
        if one.source == claim.source and (size := _vectors(one))
    }
    if len(set(sizes.values())) != 1:
        return
    k, scale = next(iter(sizes.values())), 100.0 if claim.unit == "percent" else 1.0
    room = Interval(-scale / (k - 1), scale)
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    told = (
        f"{describe(claim.term)}: {claim.printed}; over all pairs of {k} vectors it is at least "
        f"{room.low:.4g}"
    )
    if gap_between(allowed_interval(claim), room) > 0:
        outcome = "inconsistent", "substantive"
    elif claim.number < 0:
        told += (
            f", and of {k} that are taken around their own mean at most "
            f"{scale * (k - 4) / k:.4g}, whatever they are"
        )
    lookup = prints.near(None)
    lookup.read |= dict.fromkeys(sizes)
    yield check_of(claim, lookup, room, outcome, told, "mean_cosine")


def _vectors(claim: Claim) -> int:
    """Return how many vectors a print says there are; 0 where it says nothing of that."""
    if (
        claim.quantity == "centroids"
        and claim.is_number
        and claim.number == round(claim.number) > 1
    ):
        return round(claim.number)
    listed = claim.quantity == "domains" and isinstance(claim.value, tuple) and len(claim.value) > 1
    return len(claim.value) if listed and isinstance(claim.value, tuple) else 0


def _directions(claim: Claim, prints: PrintedNumbers) -> Iterator[Check]:
    """Check "into three directions" against the printed σ₁/σ₂ of that cell.

    The last step's ratio where the claim names no step.
    """
    ratios = [
        one for one in prints.claims
        if one.quantity == "singular_value_ratio" and one.statistic == "single" and one.is_number
        and one.source == claim.source and claim.selector.items() <= one.selector.items()
    ]  # fmt: skip
    steps = [one for one in ratios if isinstance(one.selector.get("step"), (int, float))]
    if not ratios:
        return
    ratio = max(steps, key=lambda one: float(one.selector["step"])) if steps else ratios[0]
    # The other k − 1 directions have at most σ₂² each, so the first has at least r²/(r² + k − 1) of
    # the energy, r = σ₁/σ₂.
    room, others = allowed_interval(ratio), claim.number - 1
    share = Interval(room.low**2 / (room.low**2 + others), 1.0)
    lookup = prints.near(None)
    lookup.read[ratio.id] = None
    told = (
        f"{describe(claim.term)}: {claim.printed}; σ₁/σ₂ = {ratio.printed} in "
        f"{describe(ratio.term)} leaves the first"
    )
    told += f" {write_interval(share)} of the energy of {claim.number:g}"
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    if share.low >= _ALONE:
        outcome, told = ("inconsistent", "minor"), f"{told}: it concentrates into one"
    yield check_of(
        claim,
        lookup,
        Interval(1.0, 1.0) if share.low >= _ALONE else share,
        outcome,
        told,
        "directions",
    )
