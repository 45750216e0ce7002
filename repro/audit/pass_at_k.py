"""pass@k against pass@1: more samples never solve less, and k solve at most k times what one does.

`pass_at_k`: of any problem, and so of their mean, pass@k/k falls and pass@k rises with k, for the
share of solved samples and for the unbiased estimator 1 − C(n − c, k)/C(n, k) alike (Chen et al.
2021, §2.1), which is concave in k and 0 at 0.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval, gap_between
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.recompute import check_of, write_interval
from repro.audit.scale import scale_of
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim

_NAME = re.compile(r"(.*_)?pass_at_(\d+)")


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one check for every pass@k beside one with fewer samples, of the same cell."""
    cells: dict[tuple[str, str, str], dict[int, Claim]] = defaultdict(dict)
    for claim in prints.claims:
        found = _NAME.fullmatch(claim.quantity)
        if (
            found
            and claim.is_number
            and claim.term.of is None
            and claim.statistic in ("single", "mean")
        ):
            alike = claim.term.model_copy(update={"quantity": found[1] or ""}).key
            cells[claim.source, claim.unit, alike].setdefault(int(found[2]), claim)
    for by_samples in cells.values():
        ordered = sorted(by_samples.items())
        for (few, fewer), (many, more) in pairwise(ordered):
            yield _pass_at_k(fewer, more, many / few, prints)


def _pass_at_k(fewer: Claim, more: Claim, times: float, prints: PrintedNumbers) -> Check:
    """Check that the rate of more samples lies between that of fewer and `times` as much."""
    lookup = prints.near(None)
    lookup.read[fewer.id] = None
    low, scale = allowed_interval(fewer), scale_of(more, max(more.number, fewer.number))
    room = Interval(low.low, min(times * low.high, scale))
    outside = gap_between(allowed_interval(more), room) > 0
    told = (
        f"{describe(more.term)}: {more.printed}; beside {fewer.printed} of {fewer.quantity} it "
        f"lies in {write_interval(room)}"
    )
    outcome: tuple[CheckVerdict, Severity] = (
        ("inconsistent", "substantive") if outside else ("consistent", "none")
    )
    return check_of(more, lookup, room, outcome, told, "pass_at_k")
