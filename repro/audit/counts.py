"""Numbers of things against the things: "two of eight", a rank and its classes, seeds and a table.

`total`: the denominator of a count against the printed number of seeds. `listed`: a list of levels
against the cells printed for it. `rank_limit`: no design has more informative directions than Σ(m −
1). `class_counts`: a list of class counts that names no probe set must be that of some probe set.
"""

from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.recompute import check_of
from repro.claims.algebra.interval import Levels, point
from repro.claims.claim import Claim
from repro.geometry.undefined import Undefined


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield the four kinds of check, each for the claims that it can be asked of."""
    designs = [
        c for c in prints.claims if c.quantity == "cardinalities" and isinstance(c.value, tuple)
    ]
    named = [design for design in designs if "probe_set" in design.selector]
    for design in designs:
        if named and "probe_set" not in design.selector:
            yield class_counts(design, named, prints)
    for claim in prints.claims:
        if claim.statistic == "count_where" and claim.total is not None and claim.term.over:
            yield _total(claim, prints)
        if claim.statistic == "levels" and claim.term.over and isinstance(claim.value, tuple):
            yield from compare_levels(claim, prints)
        if claim.quantity == "rank" and claim.statistic == "single" and claim.is_number:
            yield from rank_limit(
                claim, [design for design in designs if design.source == claim.source], prints
            )


def class_counts(claim: Claim, named: list[Claim], prints: PrintedNumbers) -> Check:
    """Compare class counts printed without a probe set with those printed for one, in any order."""
    lookup = prints.near(claim)
    lookup.read.update(dict.fromkeys(design.id for design in named))
    same = [design for design in named if _classes(design) == _classes(claim)]
    lists = "; ".join(
        dict.fromkeys(f"{design.printed} in {design.source} {design.locator}" for design in named)
    )
    told = (
        f"{describe(claim.term)}: {claim.printed} in {claim.source} {claim.locator} names no "
        f"probe set; printed for one: {lists}"
    )
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if same else ("inconsistent", "substantive")
    )
    return check_of(claim, lookup, Levels(_classes(named[0])), outcome, told, "class_counts")


def _classes(design: Claim) -> tuple[int, ...]:
    return tuple(sorted(int(m) for m in design.value)) if isinstance(design.value, tuple) else ()


def _total(claim: Claim, prints: PrintedNumbers) -> Check:
    """Compare the eight of "two of eight" with the number of seeds printed elsewhere."""
    number = prints.number_of(claim.term, claim.term.over or "seed")
    lookup = prints.near(claim)
    what = f"{describe(claim.term)}: {claim.printed}"
    if number is None:
        missing = Undefined("how many there are is not printed elsewhere")
        return check_of(
            claim, lookup, missing, ("undecidable", "none"), f"{what}: {missing.reason}", "total"
        )
    right = number == claim.total and claim.number <= number
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if right else ("inconsistent", "substantive")
    )
    return check_of(
        claim, lookup, point(number), outcome, f"{what}; elsewhere there are {number}", "total"
    )


def compare_levels(claim: Claim, prints: PrintedNumbers) -> Iterator[Check]:
    """Compare the levels that a paper lists (seeds, λ) with those its tables print values for."""
    wanted, axis = claim.term.selector.items(), claim.term.over or "seed"
    seen = {
        other.selector[axis]
        for other in prints.claims
        if other.quantity == claim.quantity
        and axis in other.selector
        and wanted <= other.selector.items()
    }
    lookup = prints.near(claim)
    unlisted = sorted(seen - set(claim.value), key=str) if isinstance(claim.value, tuple) else []
    if seen:
        told = (
            f"{describe(claim.term)}: {claim.printed}; values are printed for "
            f"{', '.join(map(str, sorted(seen, key=str)))}"
        )
        outcome: tuple[CheckVerdict, Severity] = (
            ("inconsistent", "substantive") if unlisted else ("consistent", "none")
        )
        yield check_of(claim, lookup, point(len(seen)), outcome, told, "listed")


def rank_limit(claim: Claim, designs: list[Claim], prints: PrintedNumbers) -> Iterator[Check]:
    """Compare the printed rank with the largest Σ(m − 1) of the paper's probe designs."""
    limits = [
        sum(int(m) - 1 for m in design.value)
        for design in designs
        if isinstance(design.value, tuple)
    ]
    if limits:
        fine = allowed_interval(claim).low <= max(limits)
        outcome: tuple[CheckVerdict, Severity] = (
            ("consistent", "none") if fine else ("inconsistent", "substantive")
        )
        told = (
            f"{describe(claim.term)}: {claim.printed}; the class counts allow at most {max(limits)}"
        )
        lookup = prints.near(claim)
        lookup.read.update(dict.fromkeys(design.id for design in designs))
        yield check_of(claim, lookup, point(max(limits)), outcome, told, "rank_limit")
