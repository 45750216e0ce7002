"""The same quantity printed more than once, in one paper or in several: do the prints agree?

`same_value`: the same statistic of the same cells. `unnamed_seed`: a value without a seed beside a
mean over seeds, or beside single seeds none of which it equals. `base_without_seed`: before
training there is one base model, so its values cannot depend on the seed of a training that has not
begun.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from repro.audit.check import (
    Check,
    CheckVerdict,
    Severity,
    allowed_interval,
    as_rounded,
    gap_between,
    is_bare,
    severity,
    unit_of,
)
from repro.audit.prints import PrintedNumbers, describe, over_seeds
from repro.audit.recompute import write_interval
from repro.claims.algebra.evaluate import at, derive, evaluate
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.claims.selector import Scalar, normal_selector

_OPEN = ("below", "above", "at_most", "at_least")


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield `same_value` for every print that is there twice, and the checks about seeds."""
    for claims in prints.by_key.values():
        distinct = {claim.id: claim for claim in claims}.values()
        for form in (float, str, tuple):  # a word beside a number says something else of it
            yield from same_value(
                [claim for claim in distinct if isinstance(claim.value, form)], prints
            )
    yield from unnamed_seed(prints)
    yield from base_without_seed(prints)


def same_value(claims: Sequence[Claim], prints: PrintedNumbers) -> Iterator[Check]:
    """Yield a check for every print that differs from the one most often given.

    One check that they agree when none differs.
    """
    claims = [
        claim
        for claim in claims
        if not isinstance(claim.value, bool) and claim.qualifier not in _OPEN
    ]
    if len(claims) < 2:
        return
    reference = max(
        claims, key=lambda one: (sum(_agree(one, other) for other in claims), -claims.index(one))
    )
    deviating = [claim for claim in claims if not _agree(claim, reference)]
    if not deviating:  # 0.62 agrees with 0.622 and with 0.618, which do not agree
        finest = _finest(claims)
        deviating = [claim for claim in claims if not _agree(claim, finest[0])]
        reference = finest[0] if deviating else reference
    if not deviating:
        yield _pair(
            "same_value",
            reference,
            claims[1] if claims[0] is reference else claims[0],
            claims,
            "none",
            "",
        )
    reported: list[Claim] = []
    for claim in deviating:
        twins = [other for other in deviating if other.value == claim.value]
        if claim is twins[0]:
            reported.append(claim)
            yield _pair(
                "same_value", claim, reference, twins, *_told_apart(claim, reference, prints)
            )


def _finest(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims printed to the most decimals.

    Counts and words such as "zero" have no decimals, and say no more than those.
    """
    rounded = [
        claim
        for claim in claims
        if claim.is_number and allowed_interval(claim).high > allowed_interval(claim).low
    ]
    width = {
        claim.id: allowed_interval(claim).high - allowed_interval(claim).low for claim in rounded
    }
    least = min(width.values(), default=0.0)
    return [claim for claim in rounded if width[claim.id] <= least * (1 + 1e-9)] or list(claims)


def _agree(one: Claim, other: Claim) -> bool:
    """Tell whether two prints allow one value; lists in any order."""
    if isinstance(one.value, tuple) and isinstance(other.value, tuple):
        return sorted(map(str, one.value)) == sorted(map(str, other.value))
    if one.is_number and other.is_number:
        return gap_between(allowed_interval(one), allowed_interval(other)) == 0
    return one.value == other.value


def _told_apart(claim: Claim, other: Claim, prints: PrintedNumbers) -> tuple[Severity, str]:
    """Return how grave the gap is, and why.

    It is minor where one is printed as a seed's own value, and the other as another seed's or the
    mean.
    """
    gap, whose = _gap(claim, other), [_whose(claim, prints), _whose(other, prints)]
    if gap != "substantive" or not all(whose) or whose[0] == whose[1]:
        return gap, ""
    return "minor", (
        f"; the one is that of {whose[0]}, the other that of {whose[1]}, which is not said "
        "beside them"
    )


def _whose(claim: Claim, prints: PrintedNumbers) -> str:
    """Return which seed's value a print without a seed is, or that it is the mean of seeds.

    Empty where it is neither.
    """
    if (
        not claim.is_number
        or over_seeds(claim.term).key == claim.term.key
        or claim.selector.get("step") == 0
    ):
        return ""
    mean = evaluate(over_seeds(claim.term), prints.near(claim))
    if (
        claim.term.of is not None
        and isinstance(mean, Interval)
        and gap_between(allowed_interval(claim), mean) == 0
    ):
        return "the mean over seeds"
    if claim.term.of is None:
        cells = [(seed, at(claim.term, "seed", seed)) for seed in prints.seen(claim.term, "seed")]
        for seed, cell in cells:
            if any(
                other.is_number and _agree(claim, other)
                for other in prints.by_key.get(cell.key, ())
            ):
                return f"seed {seed}"
    matching = _matching(claim, list(_seeds(claim, prints)))
    return f"seed {matching[0]}" if matching else ""


def _agree_if_rounded(one: Claim, other: Claim) -> bool:
    """Tell whether prints agree once a bare whole number beside decimals counts as rounded."""
    numbers = one.is_number and other.is_number
    return (
        numbers
        and is_bare(one) != is_bare(other)
        and gap_between(as_rounded(one), as_rounded(other)) == 0
    )


def _gap(one: Claim, other: Claim) -> Severity:
    """Return how grave the gap between two prints is; words that differ are substantive."""
    if one.is_number and other.is_number:
        return severity(
            allowed_interval(one), allowed_interval(other), max(unit_of(one), unit_of(other))
        )
    return "substantive"


def _pair(
    name: str, claim: Claim, other: Claim, twins: Sequence[Claim], gap: Severity, more: str
) -> Check:
    """Build the check of a print against another; `twins` are the prints that say the same."""
    verdict: CheckVerdict = "consistent" if gap == "none" else "inconsistent"
    if gap != "none" and _agree_if_rounded(claim, other):
        verdict, gap, more = "undecidable", "rounding", "; unless the whole number is a rounded one"
    where = "; ".join(sorted({f"{twin.source} {twin.locator}" for twin in twins}))
    explanation = (
        f"{describe(claim.term)}: {claim.printed} in {where}; {other.printed} in "
        f"{other.source} {other.locator}{more}"
    )
    return Check(
        id=f"{name}:{claim.id}", check=name, inputs=tuple(dict.fromkeys((claim.id, other.id, *(t.id for t in twins)))),
        papers=tuple(dict.fromkeys((claim.source, other.source))), locator=claim.locator, printed=_plain(claim),
        recomputed=_plain(other), verdict=verdict, severity=gap, explanation=explanation,
    )  # fmt: skip


def _plain(claim: Claim) -> float | bool | str:
    """Return a claim's value as a check holds it; lists are text."""
    return ", ".join(map(str, claim.value)) if isinstance(claim.value, tuple) else claim.value


def unnamed_seed(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield checks of prints without a seed against the mean over seeds, and the single seeds."""
    done: set[tuple[str, object]] = set()
    for claim in prints.claims:
        headline = over_seeds(claim.term)
        if (
            not claim.is_number
            or headline.key == claim.term.key
            or (claim.term.key, claim.value) in done
        ):
            continue
        done.add((claim.term.key, claim.value))
        means = [other for other in prints.by_key.get(headline.key, ()) if other.is_number]
        means = _finest(means)
        seeds = list(_seeds(claim, prints))
        matching = _matching(claim, seeds)
        if claim.term.of is not None and not matching and _follows(claim, prints):
            continue  # whose operands are, is asked where they stand
        if means and not any(_agree(claim, mean) for mean in means):
            gap = _gap(claim, means[0])
            more = "; no single seed printed gives it either"
            if matching:
                gap, more = (
                    "minor",
                    f"; it is the value of seed {matching[0]} alone, which is not said beside it",
                )
            elif whose := _whose(claim, prints):
                gap, more = (
                    "minor",
                    f"; it is one of the values printed for {whose}, which is not said beside it",
                )
            yield _pair("unnamed_seed", claim, means[0], [claim], gap, more)
        elif seeds and not means and not matching:
            yield _against_seeds(claim, seeds)


def _follows(claim: Claim, prints: PrintedNumbers) -> bool:
    """Tell whether a derived number follows from its operands as they are printed nearest."""
    value = derive(claim.term, prints.near(claim))
    return isinstance(value, Interval) and gap_between(allowed_interval(claim), value) == 0


def _seeds(claim: Claim, prints: PrintedNumbers) -> Iterator[tuple[Scalar, Interval]]:
    """Yield the claim's value for every seed that is printed."""
    for seed in prints.seen(claim.term.first_cell, "seed"):
        lookup = prints.near(claim)
        value = evaluate(at(claim.term, "seed", seed), lookup)
        if isinstance(value, Interval):
            yield seed, value


def _matching(claim: Claim, seeds: list[tuple[Scalar, Interval]]) -> list[Scalar]:
    """Return the seeds whose value is the print, nearest first.

    A seed whose own prints contradict each other matches nothing.
    """
    own = allowed_interval(claim)
    sharp = [
        (seed, value) for seed, value in seeds if value.high - value.low <= 4 * (own.high - own.low)
    ]
    sharp.sort(key=lambda pair: abs(pair[1].middle - claim.number))
    return [seed for seed, value in sharp if gap_between(own, value) == 0]


def _against_seeds(claim: Claim, seeds: list[tuple[Scalar, Interval]]) -> Check:
    """Build the check of a print that names no seed and is no seed's printed value."""
    nearest = min(seeds, key=lambda pair: gap_between(allowed_interval(claim), pair[1]))
    listed = ", ".join(f"seed {seed}: {write_interval(value)}" for seed, value in seeds)
    return Check(
        id=f"unnamed_seed:{claim.id}", check="unnamed_seed", inputs=(claim.id,), papers=(claim.source,),
        locator=claim.locator, printed=_plain(claim), recomputed=nearest[1].middle, verdict="inconsistent",
        severity=severity(allowed_interval(claim), nearest[1], claim.digit),
        explanation=f"{describe(claim.term)}: {claim.printed} names no seed and is no printed seed's value ({listed})",
    )  # fmt: skip


def base_without_seed(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield checks that a base model's value, printed once per training seed, is one number."""
    groups: dict[tuple[str, str, frozenset[tuple[str, Scalar]]], list[Claim]] = defaultdict(list)
    for claim in prints.claims:
        term = claim.term
        if (
            term.statistic == "single"
            and term.of is None
            and claim.is_number
            and term.selector.get("step") == 0
        ):
            rest = {
                key: value for key, value in normal_selector(term.selector).items() if key != "seed"
            }
            if "seed" in term.selector:
                groups[claim.source, term.quantity, frozenset(rest.items())].append(claim)
    for claims in groups.values():
        by_seed = {claim.selector["seed"]: claim for claim in claims}
        if len(by_seed) > 1:
            first, *others = by_seed.values()
            differing = [other for other in others if not _agree(first, other)]
            other = differing[0] if differing else others[0]
            more = "; a base model has no training seed" if differing else ""
            yield _pair("base_without_seed", first, other, [first], _gap(first, other), more)
