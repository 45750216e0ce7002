"""What a claim's neighbours in print say about it: the effect it claims, the spread of its seeds, their number.

Judging needs them (docs/SCIENCE.md §13: a margin of a quarter of the claimed effect; s and n of a seed mean; the spread of
the same quantity's seeds behind a single run). They become parameters of its tolerance, so its digest covers them.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from repro.manifest.claim import Claim
from repro.manifest.claim_term import Scalar, normal_selector

Cell = tuple[str, frozenset[tuple[str, Scalar]]]
_WITH_CONTEXT = ("seed_mean", "single_run", "base_model", "spread", "problem_count")


def with_context(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims of one paper, each base claim with `effect`, `sd` and `n` where the paper prints them."""
    printed = _index(claims)
    return tuple(_informed(claim, printed) for claim in claims)


def _cell(claim: Claim, drop: tuple[str, ...] = ("seed",), **fixed: Scalar) -> Cell:
    selector = normal_selector({**claim.selector, **fixed})
    return claim.quantity, frozenset((key, value) for key, value in selector.items() if key not in drop)


def _index(claims: Sequence[Claim]) -> dict[tuple[str, Cell], list[Claim]]:
    found: dict[tuple[str, Cell], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.is_number and claim.term.of is None:
            found[claim.statistic, _cell(claim)].append(claim)
    return found


def _informed(claim: Claim, printed: dict[tuple[str, Cell], list[Claim]]) -> Claim:
    if claim.kind not in _WITH_CONTEXT or claim.term.of is not None:
        return claim
    facts = {"effect": _effect(claim, printed), "sd": _sd(claim, printed), "n": _seeds(claim, printed)}
    known = {name: value for name, value in facts.items() if value is not None}
    parameters = {**known, **claim.tolerance.parameters}
    return claim.model_copy(update={"tolerance": claim.tolerance.model_copy(update={"parameters": parameters})})


def _effect(claim: Claim, printed: dict[tuple[str, Cell], list[Claim]]) -> float | None:
    """Distance from the base model's value as printed nearby: the same table first, then anywhere in the paper."""
    if "step" not in claim.selector or claim.selector["step"] == 0:
        return None
    cell = _cell(claim, step=0)
    base = [other for statistic in (claim.statistic, "mean", "single") for other in printed.get((statistic, cell), ())]
    seed = claim.selector.get("seed")
    base.sort(key=lambda other: (other.locator != claim.locator, other.selector.get("seed") != seed))
    if not base or claim.statistic == "sd":
        return None
    return round(abs(claim.number - base[0].number), 6)


def _runs(claim: Claim, printed: dict[tuple[str, Cell], list[Claim]]) -> dict[Scalar, float]:
    runs = printed.get(("single", _cell(claim)), ())
    return {run.selector["seed"]: run.number for run in runs if "seed" in run.selector}


def _sd(claim: Claim, printed: dict[tuple[str, Cell], list[Claim]]) -> float | None:
    if spread := printed.get(("sd", _cell(claim))):
        return spread[0].number
    values = list(_runs(claim, printed).values())
    if len(values) < 2:
        return None
    centre = math.fsum(values) / len(values)
    return round(math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (len(values) - 1)), 6)


def _seeds(claim: Claim, printed: dict[tuple[str, Cell], list[Claim]]) -> float | None:
    """The number of seeds: printed for this very cell, else for the model and condition, else the runs listed."""
    if counted := printed.get(("count", _cell(claim))):
        return counted[0].number
    wanted = {key: claim.selector[key] for key in ("model", "condition") if key in claim.selector}
    for (statistic, (_, selector)), others in printed.items():
        if statistic == "count" and others[0].term.over == "seed" and wanted.items() <= dict(selector).items():
            return others[0].number
    return float(len(_runs(claim, printed))) or None
