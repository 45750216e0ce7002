"""The same quantity printed more than once, in one paper or in several: do the prints agree?

`same_value`: the same statistic of the same cells. `unnamed_seed`: a value without a seed beside a mean over seeds, or
beside single seeds none of which it equals. `base_without_seed`: before training there is one base model, so its values
cannot depend on the seed of a training that has not begun.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from repro.manifest.claim import Claim
from repro.manifest.claim_term import Scalar, Term, normal_selector
from repro.verify.algebra import at, evaluate
from repro.verify.algebra_interval import Interval
from repro.verify.audit.check import Check, Outcome, Severity, allowed, apart, severity, unit_of
from repro.verify.audit.prints import Prints, describe
from repro.verify.audit.recompute import shown

_OPEN = ("below", "above", "at_most", "at_least")


def checks(prints: Prints) -> Iterator[Check]:
    for claims in prints.by_key.values():
        yield from same_value(list({claim.id: claim for claim in claims}.values()))
    yield from unnamed_seed(prints)
    yield from base_without_seed(prints)


def same_value(claims: Sequence[Claim]) -> Iterator[Check]:
    """Every print that differs from the one most often given; one check that they agree when none does."""
    claims = [claim for claim in claims if not isinstance(claim.value, bool) and claim.qualifier not in _OPEN]
    if len(claims) < 2:
        return
    reference = max(claims, key=lambda one: (sum(_agree(one, other) for other in claims), -claims.index(one)))
    deviating = [claim for claim in claims if not _agree(claim, reference)]
    if not deviating:
        yield _pair("same_value", reference, claims[1] if claims[0] is reference else claims[0], claims, "none", "")
    reported: list[Claim] = []
    for claim in deviating:
        twins = [other for other in deviating if other.value == claim.value]
        if claim is twins[0]:
            reported.append(claim)
            yield _pair("same_value", claim, reference, twins, _gap(claim, reference), "")


def _agree(one: Claim, other: Claim) -> bool:
    if isinstance(one.value, tuple) and isinstance(other.value, tuple):
        return sorted(map(str, one.value)) == sorted(map(str, other.value))
    if one.is_number and other.is_number:
        return apart(allowed(one), allowed(other)) == 0
    return one.value == other.value


def _gap(one: Claim, other: Claim) -> Severity:
    if one.is_number and other.is_number:
        return severity(allowed(one), allowed(other), max(unit_of(one), unit_of(other)))
    return "substantive"


def _pair(name: str, claim: Claim, other: Claim, twins: Sequence[Claim], gap: Severity, more: str) -> Check:
    verdict: Outcome = "consistent" if gap == "none" else "inconsistent"
    where = "; ".join(sorted({f"{twin.source} {twin.locator}" for twin in twins}))
    explanation = (
        f"{describe(claim.term)}: {claim.printed} in {where}; {other.printed} in {other.source} {other.locator}{more}"
    )
    return Check(
        id=f"{name}:{claim.id}", check=name, inputs=tuple(dict.fromkeys((claim.id, other.id, *(t.id for t in twins)))),
        papers=tuple(dict.fromkeys((claim.source, other.source))), locator=claim.locator, printed=_plain(claim),
        recomputed=_plain(other), verdict=verdict, severity=gap, explanation=explanation,
    )  # fmt: skip


def _plain(claim: Claim) -> float | bool | str:
    return ", ".join(map(str, claim.value)) if isinstance(claim.value, tuple) else claim.value


def over_seeds(term: Term) -> Term:
    """The term with every cell that names no seed read as a mean over seeds, unless it runs over seeds already."""
    if term.over == "seed":
        return term
    if term.of is None and term.against is None:
        if term.statistic == "single" and "seed" not in term.selector and "model" in term.selector:
            return Term(statistic="mean", over="seed", quantity=term.quantity, selector=term.selector)
        return term
    changes = {name: over_seeds(inner) for name in ("of", "against") if (inner := getattr(term, name)) is not None}
    return term.model_copy(update=changes)


def unnamed_seed(prints: Prints) -> Iterator[Check]:
    """A print without a seed against the mean over seeds, and against the single seeds."""
    done: set[tuple[str, object]] = set()
    for claim in prints.claims:
        headline = over_seeds(claim.term)
        if not claim.is_number or headline.key == claim.term.key or (claim.term.key, claim.value) in done:
            continue
        done.add((claim.term.key, claim.value))
        means = [other for other in prints.by_key.get(headline.key, ()) if other.is_number]
        seeds = list(_seeds(claim, prints))
        matching = _matching(claim, seeds)
        if means and not any(_agree(claim, mean) for mean in means):
            gap = _gap(claim, means[0])
            more = "; no single seed printed gives it either"
            if matching:
                gap, more = "minor", f"; it is the value of seed {matching[0]} alone, which is not said beside it"
            yield _pair("unnamed_seed", claim, means[0], [claim], gap, more)
        elif seeds and not means and not matching:
            yield _against_seeds(claim, seeds)


def _seeds(claim: Claim, prints: Prints) -> Iterator[tuple[Scalar, Interval]]:
    """The claim's value for every seed that is printed."""
    leaf = claim.term
    while leaf.of is not None:
        leaf = leaf.of
    for seed in prints.seen(leaf, "seed"):
        lookup = prints.near(claim)
        value = evaluate(at(claim.term, "seed", seed), lookup)
        if isinstance(value, Interval):
            yield seed, value


def _matching(claim: Claim, seeds: list[tuple[Scalar, Interval]]) -> list[Scalar]:
    """Seeds whose value is the print, nearest first; a seed whose own prints contradict each other matches nothing."""
    own = allowed(claim)
    sharp = [(seed, value) for seed, value in seeds if value.high - value.low <= 4 * (own.high - own.low)]
    sharp.sort(key=lambda pair: abs(pair[1].middle - claim.number))
    return [seed for seed, value in sharp if apart(own, value) == 0]


def _against_seeds(claim: Claim, seeds: list[tuple[Scalar, Interval]]) -> Check:
    nearest = min(seeds, key=lambda pair: apart(allowed(claim), pair[1]))
    listed = ", ".join(f"seed {seed}: {shown(value)}" for seed, value in seeds)
    return Check(
        id=f"unnamed_seed:{claim.id}", check="unnamed_seed", inputs=(claim.id,), papers=(claim.source,),
        locator=claim.locator, printed=_plain(claim), recomputed=nearest[1].middle, verdict="inconsistent",
        severity=severity(allowed(claim), nearest[1], claim.digit),
        explanation=f"{describe(claim.term)}: {claim.printed} names no seed and is no printed seed's value ({listed})",
    )  # fmt: skip


def base_without_seed(prints: Prints) -> Iterator[Check]:
    """The base model's value, printed once per training seed: one number."""
    groups: dict[tuple[str, str, frozenset[tuple[str, Scalar]]], list[Claim]] = defaultdict(list)
    for claim in prints.claims:
        term = claim.term
        if term.statistic == "single" and term.of is None and claim.is_number and term.selector.get("step") == 0:
            rest = {key: value for key, value in normal_selector(term.selector).items() if key != "seed"}
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
