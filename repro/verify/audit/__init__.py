"""The papers' numbers against each other: no run, no model, seconds (`repro audit`).

Each module is a family of checks that works on any paper's claims; none knows a particular one. `audit` runs them all.
"""

from collections import defaultdict
from collections.abc import Sequence

from repro.manifest.claim import Claim
from repro.verify.audit import counts, crosstalk, grid, inference, recompute, repeats, spread, trajectory
from repro.verify.audit.check import Check
from repro.verify.audit.prints import Prints

FAMILIES = (recompute, spread, repeats, inference, grid, trajectory, crosstalk, counts)


def audit(claims: Sequence[Claim]) -> tuple[Check, ...]:
    """Every check of every family over these claims, in the order of the papers."""
    prints = Prints(claims)
    found = {check.id: check for family in FAMILIES for check in family.checks(prints)}
    order = {claim.id: number for number, claim in enumerate(claims)}
    return tuple(sorted(found.values(), key=lambda check: order[check.inputs[0]]))


def findings(claims: Sequence[Claim]) -> dict[str, tuple[str, ...]]:
    """Claim id → ids of the inconsistent checks it is the subject of; claims without one are absent."""
    subjects: dict[str, list[str]] = defaultdict(list)
    for check in audit(claims):
        if check.verdict == "inconsistent":
            for claim in check.inputs[:1] if check.check != "probe_grid" else check.inputs:
                subjects[claim].append(check.id)
    return {claim: tuple(ids) for claim, ids in subjects.items()}


__all__ = ["Check", "audit", "findings"]
