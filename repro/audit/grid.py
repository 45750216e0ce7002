"""Can the number occur at all? Shares of n things lie on a grid of 1/n (GRIM).

Source: Brown and Heathers 2017. `grid`: a percentage or share whose total is printed. `probe_grid`:
accuracies of one table against the number of probes the paper prints first, the one of its
protocol, unless the claims name a probe set; the explanation names other printed numbers that would
do, and the fewest probes that make every printed accuracy possible.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from repro.audit.check import Check, allowed_interval
from repro.audit.prints import PrintedNumbers, describe
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim

ON_PROBES = ("accuracy", "binary_accuracy")
ELSEWHERE = frozenset(("dataset", "benchmark"))
"""Keys of a cell whose accuracy is not one on probes."""
_LARGEST = 1000
"""Numbers of probes searched for one that fits."""


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield `grid` for every share whose total is printed, and `probe_grid` for every table."""
    for claim in prints.claims:
        if claim.statistic in ("percentage", "share") and claim.is_number:
            total = claim.total or prints.total(claim.source, claim.term)
            if claim.statistic == "share":
                total = prints.number_of(claim.term, claim.term.over or "seed")
            if total:
                yield on_grid(claim, total)
    yield from probe_grids(prints)


def _fits_grid(printed: Interval, total: int, scale: float = 1.0) -> bool:
    """Tell whether a whole number k has scale·k/total inside the print."""
    slack = 1e-9 * scale
    return math.floor((printed.high + slack) * total / scale) >= math.ceil(
        (printed.low - slack) * total / scale
    )


def on_grid(claim: Claim, total: int) -> Check:
    """Check that the print is 100·k/total for some whole k."""
    fine = _fits_grid(allowed_interval(claim), total, 100.0)
    nearest = 100 * round(claim.number * total / 100) / total
    told = f"{describe(claim.term)}: {claim.printed} of {total}"
    explanation = (
        f"{told} is a whole number of them"
        if fine
        else f"{told} is no whole number of them: the nearest is {nearest:.2f} %"
    )
    return Check(
        id=f"grid:{claim.id}", check="grid", inputs=(claim.id,), papers=(claim.source,), locator=claim.locator,
        printed=claim.number, recomputed=nearest, verdict="consistent" if fine else "inconsistent",
        severity="none" if fine else "substantive", explanation=explanation,
    )  # fmt: skip


def probe_grids(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield, by paper and place, accuracies of single runs against the printed number of probes."""
    columns: dict[tuple[str, str, str, bool], list[Claim]] = defaultdict(list)
    sizes: dict[str, list[Claim]] = defaultdict(list)
    for claim in prints.claims:
        if claim.quantity == "probes" and claim.is_number:
            sizes[claim.source].append(claim)
        if (
            claim.quantity in ON_PROBES
            and claim.statistic == "single"
            and claim.qualifier == "exact"
            and claim.is_number
            and not ELSEWHERE & claim.selector.keys()
        ):
            columns[claim.source, claim.locator, claim.quantity, "class" in claim.selector].append(
                claim
            )
    for (source, _, quantity, by_class), claims in columns.items():
        if quantity == "accuracy" and not by_class and sizes[source]:
            yield _column(claims, sizes[source])


def _column(claims: Sequence[Claim], sizes: Sequence[Claim]) -> Check:
    """Check one table's accuracies against its paper's number of probes."""
    first, size = claims[0], _own_size(claims[0], sizes)
    number = int(size.number)
    impossible = [claim for claim in claims if not _fits_grid(allowed_interval(claim), number)]
    fewest = smallest(claims)
    others = {int(other.number): other for other in sizes if int(other.number) != number}
    allowing = [
        str(n) for n in others if all(_fits_grid(allowed_interval(claim), n) for claim in claims)
    ]
    strange = ", ".join(dict.fromkeys(claim.printed for claim in impossible))
    told = (
        f"not multiples of 1/{number} ({size.locator}): {strange}"
        if impossible
        else f"multiples of 1/{number}"
    )
    also = f"; the printed {', '.join(allowing)} would do" if impossible and allowing else ""
    return Check(
        id=f"probe_grid:{first.id}", check="probe_grid", inputs=(*(claim.id for claim in impossible or claims), size.id),
        papers=(first.source,), locator=first.locator, printed=f"{number} probes", recomputed=f"{fewest} probes",
        verdict="inconsistent" if impossible else "consistent", severity="substantive" if impossible else "none",
        explanation=f"accuracies in {first.locator}: {told}{also}; the fewest probes that allow all are {fewest}",
    )  # fmt: skip


def _own_size(claim: Claim, sizes: Sequence[Claim]) -> Claim:
    """Return the number of probes of the claim's probe set; of the first one when it names none."""
    named = [
        size for size in sizes if size.selector.get("probe_set") == claim.selector.get("probe_set")
    ]
    return named[0] if named else sizes[0]


def smallest(claims: Sequence[Claim]) -> int | None:
    """Return the fewest probes that make every print possible."""
    return next(
        (
            n
            for n in range(2, _LARGEST)
            if all(_fits_grid(allowed_interval(claim), n) for claim in claims)
        ),
        None,
    )
