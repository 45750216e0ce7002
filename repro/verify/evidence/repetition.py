"""Take the axis over which a paper of one's own repeats its runs for its seeds.

A paper that prints "0.641 ± 0.050" over `trial` means by a trial what others mean by a seed. The
rules for seed means know seeds, so claims and values are put in their terms.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from repro.claims.claim import Claim, Term, default_kind, default_tolerance
from repro.verify.evidence.axes import axes_of, level_text
from repro.verify.evidence.columns import NO_SEED
from repro.verify.evidence.values import SuppliedValue

_SPREADS = ("sd", "se", "ci_half_width", "half_range", "iqr")
SEED = "seed"


def repetition_axis(claims: Iterable[Claim]) -> str | None:
    """Return the axis of the paper's own that its spreads run over; None where seeds are used, or
    where there are several such axes.
    """
    claims = [claim for claim in claims if claim.basis == "measured"]
    terms = [term for claim in claims for term in claim.term.walk()]
    if any(term.over == SEED or SEED in term.selector for term in terms):
        return None
    found = {
        term.over for term in terms if term.statistic in _SPREADS and term.over is not None
    } & {*axes_of(claims).own}
    return found.pop() if len(found) == 1 else None


def with_seeds(
    claims: Sequence[Claim], values: Sequence[SuppliedValue]
) -> tuple[list[Claim], list[SuppliedValue]]:
    """Return claims and values with the paper's repetitions as seeds; as they are where it has
    none of its own.
    """
    axis = repetition_axis(claims)
    if axis is None:
        return [*claims], [*values]
    levels = {level for value in values for name, level in value.axes if name == axis}
    whole = all(level.isascii() and level.isdigit() for level in levels)
    seeds = {level: int(level) if whole else at for at, level in enumerate(sorted(levels))}
    return [_claim(claim, axis, seeds) for claim in claims], [
        _value(value, axis, seeds) for value in values
    ]


def _value(value: SuppliedValue, axis: str, seeds: dict[str, int]) -> SuppliedValue:
    """Return a value whose repetition is its seed."""
    own = dict(value.axes)
    level = own.pop(axis, None)
    seed = value.seed if level is None else seeds[level]
    return replace(value, seed=seed, axes=tuple(sorted(own.items())))


def _claim(claim: Claim, axis: str, seeds: dict[str, int]) -> Claim:
    """Return a claim whose repetitions are seeds, of the kind that it then has."""
    term = _term(claim.term, axis, seeds)
    if term == claim.term:
        return claim
    usual = claim.kind == default_kind(claim.term, claim.unit)
    kind = default_kind(term, claim.unit) if usual else claim.kind
    own = claim.tolerance == default_tolerance(claim.kind)
    tolerance = default_tolerance(kind) if own else claim.tolerance
    return claim.model_copy(update={"term": term, "kind": kind, "tolerance": tolerance})


def _term(term: Term, axis: str, seeds: dict[str, int]) -> Term:
    """Return a term with the axis called seed, and so all terms below it."""
    selector = {key: level for key, level in term.selector.items() if key != axis}
    if axis in term.selector:
        selector[SEED] = seeds.get(level_text(term.selector[axis]), NO_SEED)
    return term.model_copy(
        update={
            "selector": selector,
            "over": SEED if term.over == axis else term.over,
            "of": term.of and _term(term.of, axis, seeds),
            "against": term.against and _term(term.against, axis, seeds),
        }
    )
