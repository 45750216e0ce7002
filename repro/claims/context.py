"""What other prints say of a claim: the effect it claims, the spread of its seeds, their number.

Judging needs them (docs/SCIENCE.md §13: a margin of a quarter of the claimed effect; s and n of a
seed mean; the spread of the same quantity's seeds behind a single run). They become parameters of
its tolerance, so its digest covers them.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from repro.claims.claim import Claim
from repro.claims.family import with_families
from repro.claims.selector import Scalar, normal_selector

_Cell = tuple[str, frozenset[tuple[str, Scalar]]]
_WITH_CONTEXT = ("seed_mean", "single_run", "base_model", "spread", "problem_count")


def with_context(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return a paper's claims, each with its family, and with the facts printed about its cell.

    The facts are `effect`, `sd` and `n`, of the kinds of claim that are judged by them.
    """
    printed = _index(claims)
    return with_families([_informed(claim, printed) for claim in claims])


def _cell(claim: Claim, drop: tuple[str, ...] = ("seed",), **fixed: Scalar) -> _Cell:
    """Return what identifies a claim's cell, whatever its seed; `fixed` replaces keys of it."""
    selector = normal_selector({**claim.selector, **fixed})
    return claim.quantity, frozenset(
        (key, value) for key, value in selector.items() if key not in drop
    )


def _index(claims: Sequence[Claim]) -> dict[tuple[str, _Cell], list[Claim]]:
    found: dict[tuple[str, _Cell], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.is_number and claim.term.of is None:
            found[claim.statistic, _cell(claim)].append(claim)
    return found


def _informed(claim: Claim, printed: dict[tuple[str, _Cell], list[Claim]]) -> Claim:
    """Return a claim with the facts of its cell as parameters of its tolerance; its own win."""
    if claim.kind not in _WITH_CONTEXT or claim.term.of is not None:
        return claim
    facts = {
        "effect": _effect(claim, printed),
        "sd": _sd(claim, printed),
        "n": _seeds(claim, printed),
    }
    known = {name: value for name, value in facts.items() if value is not None}
    parameters = {**known, **claim.tolerance.parameters}
    return claim.model_copy(
        update={"tolerance": claim.tolerance.model_copy(update={"parameters": parameters})}
    )


def _effect(claim: Claim, printed: dict[tuple[str, _Cell], list[Claim]]) -> float | None:
    """Return the distance from the base model's value: in the same table, else in the paper."""
    if "step" not in claim.selector or claim.selector["step"] == 0:
        return None
    cell = _cell(claim, step=0)
    base = [
        other
        for statistic in (claim.statistic, "mean", "single")
        for other in printed.get((statistic, cell), ())
    ]
    seed = claim.selector.get("seed")
    base.sort(
        key=lambda other: (other.locator != claim.locator, other.selector.get("seed") != seed)
    )
    if not base or claim.statistic == "sd":
        return None
    return round(abs(claim.number - base[0].number), 6)


def _runs(claim: Claim, printed: dict[tuple[str, _Cell], list[Claim]]) -> dict[Scalar, float]:
    """Return the printed value of each seed of a claim's cell."""
    runs = printed.get(("single", _cell(claim)), ())
    return {run.selector["seed"]: run.number for run in runs if "seed" in run.selector}


def _sd(claim: Claim, printed: dict[tuple[str, _Cell], list[Claim]]) -> float | None:
    """Return the printed SD of a claim's cell, else that of its seeds' printed values."""
    if spread := printed.get(("sd", _cell(claim))):
        return spread[0].number
    values = list(_runs(claim, printed).values())
    if len(values) < 2:
        return None
    centre = math.fsum(values) / len(values)
    return round(math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (len(values) - 1)), 6)


def _seeds(claim: Claim, printed: dict[tuple[str, _Cell], list[Claim]]) -> float | None:
    """Return the number of seeds: printed for this very cell, else for the model and condition.

    Else the number of the runs listed, else what a column of the same table's row says of the
    row's model under every condition.
    """
    if counted := printed.get(("count", _cell(claim))):
        return counted[0].number
    wanted = {key: claim.selector[key] for key in ("model", "condition") if key in claim.selector}
    for (statistic, (_, selector)), others in printed.items():
        if (
            statistic == "count"
            and others[0].term.over == "seed"
            and wanted.items() <= dict(selector).items()
        ):
            return others[0].number
    if listed := len(_runs(claim, printed)):
        return float(listed)
    for (statistic, (_, selector)), others in printed.items():
        said = dict(selector)
        if statistic == "count" and said.items() <= dict(_cell(claim)[1]).items() and said:
            for other in others:
                if other.locator == claim.locator and other.term.over == "seed":
                    return other.number
    return None
