"""Scores of two classes on one n (accuracy, F1, MCC …): does any table of counts have them all?

`confusion`: every count of true and false positives is tried, so what is called impossible is. The
paper says of how many items the scores are: quantities `test_items`, `positives`, `negatives`
beside them, or with fewer selector keys. After Fazekas and Kovács, Knowledge-Based Systems 2024
(mlscorecheck), which needs both class sizes; here one of them may be unknown.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from repro.audit.check import Check
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.recompute import check_of
from repro.audit.scale import scale_of
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.claims.selector import normal_selector
from repro.geometry.undefined import Undefined

_Counts = np.ndarray[Any, np.dtype[np.float64]]
RATES = (
    "accuracy",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "balanced_accuracy",
    "f1",
    "mcc",
)
"""The quantities, by name; those of several classes averaged have other names."""
_MOST = 4_000_000
"""Most tables that are tried."""
_SLACK = 1e-9


def _share(part: _Counts, whole: _Counts) -> _Counts:
    """Return part over whole, 0 where there is nothing to share."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)


def compute_rate(name: str, tp: _Counts, fp: _Counts, p: float, n: float) -> _Counts:
    """Compute a score for every table of true and false positives among p and n items.

    tp is (p + 1) × 1 and fp 1 × (n + 1), so that one call covers all tables.
    """
    tn, called, positives, negatives = n - fp, tp + fp, np.full(1, p), np.full(1, n)
    match name:
        case "accuracy":
            return (tp + tn) / (p + n)
        case "precision":
            return _share(tp, called)
        case "recall" | "sensitivity":
            return _share(tp, positives)
        case "specificity":
            return _share(tn, negatives)
        case "balanced_accuracy":
            return (_share(tp, positives) + _share(tn, negatives)) / 2
        case "f1":
            return _share(2 * tp, called + p)
    return _share(tp * tn - fp * (p - tp), np.sqrt(called * p * n * (p + n - called)))


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one check for every cell with two scores or more whose number of items is printed."""
    cells: dict[tuple[str, frozenset[tuple[str, object]]], dict[str, Claim]] = defaultdict(dict)
    for claim in prints.claims:
        if (
            claim.quantity in RATES
            and claim.statistic == "single"
            and claim.is_number
            and claim.term.of is None
        ):
            place = claim.source, frozenset(normal_selector(claim.selector).items())
            cells[place].setdefault(claim.quantity, claim)
    for scores in cells.values():
        if len(scores) > 1 and (sizes := _sizes(next(iter(scores.values())), prints)):
            yield confusion(scores, sizes, prints)


def _sizes(claim: Claim, prints: PrintedNumbers) -> dict[str, Claim]:
    """Return the numbers of items, positives and negatives printed for the cell in its paper."""
    found: dict[str, Claim] = {}
    for other in prints.claims:
        if (
            other.quantity in ("test_items", "positives", "negatives")
            and other.source == claim.source
        ):
            fits = other.is_number and other.selector.items() <= claim.selector.items()
            if fits and other.low == other.high == round(other.number) > 0:
                found.setdefault(other.quantity, other)
    return found


def confusion(
    scores: Mapping[str, Claim], sizes: Mapping[str, Claim], prints: PrintedNumbers
) -> Check:
    """Check whether any table has every printed score.

    Where none does, name the scores without which some table has the rest.
    """
    first = next(iter(scores.values()))
    lookup = prints.near(None)
    wanted: dict[str, Interval] = {}
    for name, claim in scores.items():
        value, scale = (
            lookup.base(claim.term),
            1.0 if name == "mcc" else scale_of(claim, claim.number),
        )
        if isinstance(value, Interval):
            wanted[name] = Interval(value.low / scale, value.high / scale)
    lookup.read |= dict.fromkeys(claim.id for claim in (*scores.values(), *sizes.values()))
    classes = list(_classes({name: round(claim.number) for name, claim in sizes.items()}))
    printed = ", ".join(f"{name} {claim.printed}" for name, claim in scores.items())
    of = ", ".join(f"{claim.printed} {name.replace('_', ' ')}" for name, claim in sizes.items())
    told = f"{describe(first.term)}: {printed} of {of}"
    if not classes or sum((p + 1) * (n + 1) for p, n in classes) > _MOST:
        missing = Undefined(
            "too many tables to try" if classes else "no two classes have these sizes"
        )
        outcome = ("undecidable", "none") if classes else ("inconsistent", "substantive")
        return check_of(first, lookup, missing, outcome, f"{told}: {missing.reason}", "confusion")  # type: ignore[arg-type]
    if possible(wanted, classes):
        return check_of(
            first,
            lookup,
            wanted[first.quantity],
            ("consistent", "none"),
            f"{told} go together",
            "confusion",
        )
    without = [
        name for name in wanted if possible({k: v for k, v in wanted.items() if k != name}, classes)
    ]
    told += "; no counts of right and wrong have them all" + (
        f"; without {' or '.join(without)} some have" if without else ""
    )
    value = Undefined("no counts have them all")
    return check_of(first, lookup, value, ("inconsistent", "substantive"), told, "confusion")


def _classes(sizes: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the sizes that two classes may have: (positives, negatives)."""
    items, positives, negatives = (
        sizes.get(name) for name in ("test_items", "positives", "negatives")
    )
    if positives is not None and negatives is not None:
        if items in (None, positives + negatives):
            yield positives, negatives
    elif items is None:
        return
    elif positives is not None or negatives is not None:
        known = positives if positives is not None else items - (negatives or 0)
        if 0 <= known <= items:
            yield known, items - known
    else:
        yield from ((p, items - p) for p in range(1, items))


def possible(wanted: Mapping[str, Interval], classes: list[tuple[int, int]]) -> bool:
    """Tell whether some table has every score inside its print."""
    for p, n in classes:
        tp, fp = np.arange(p + 1, dtype=float)[:, None], np.arange(n + 1, dtype=float)[None, :]
        fits = np.ones((p + 1, n + 1), dtype=bool)
        for name, room in wanted.items():
            value = compute_rate(name, tp, fp, float(p), float(n))
            fits &= (value >= room.low - _SLACK) & (value <= room.high + _SLACK)
        if fits.any():
            return True
    return False
