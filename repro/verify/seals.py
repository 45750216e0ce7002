"""Keep tolerances fixed before results are seen.

Claims are sealed before a run starts, and each run names its seal. A claim whose digest differs
from the seal, and that was not sealed again, is refused. A claim stated or sealed after its
evidence is at best inconclusive.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from repro.claims.claim import Claim
from repro.errors import EvidenceError
from repro.verify.evidence.gather import Connection

_SEALS = """
SELECT experiment, claims, min(coalesce(started, finished)) FROM runs
WHERE status = 'done' AND experiment IN (SELECT unnest(?::VARCHAR[]))
GROUP BY ALL ORDER BY min(coalesce(started, finished))
"""
_LENDERS = """
SELECT DISTINCT r.run_id, c.experiment, c.claims, coalesce(r.started, r.finished)
FROM runs r LEFT JOIN sealed_claims c USING (seal)
WHERE r.run_id IN (SELECT unnest(?::VARCHAR[])) AND (c.experiment IS NULL OR c.experiment IN (SELECT unnest(?::VARCHAR[])))
"""
_SEALED = "SELECT claim, digest, min(sealed) FROM seals GROUP BY ALL"
AFTERWARDS = "stated after the evidence it would be judged by: at best inconclusive"
_NAMED = 5


@dataclass(frozen=True)
class Seals:
    """What was sealed, and when."""

    bound: Mapping[str, tuple[tuple[Mapping[str, str], datetime | None], ...]] = field(
        default_factory=dict
    )
    """Experiment → each distinct set of claims its finished runs began under, and when the
    first of them began.
    """
    sealed: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """(claim, digest) → when it was first sealed."""
    lenders: Mapping[str, datetime | None] = field(default_factory=dict)
    """Runs whose step 0 other manifests read → when they began."""
    lent: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    """(lender, manifest) → the claims of that manifest that the lender began under."""


def read_claim_seals(
    connection: Connection, experiments: Iterable[str], lenders: Iterable[str] = ()
) -> Seals:
    """Read from the store the claims that finished runs began under, and the time of every seal."""
    experiments = sorted(set(experiments))
    bound: dict[str, tuple[tuple[Mapping[str, str], datetime | None], ...]] = {}
    for experiment, claims, began in connection.execute(_SEALS, [experiments]).fetchall():
        bound[experiment] = (
            *bound.get(experiment, ()),
            (json.loads(claims) if claims else {}, began),
        )
    sealed = {
        (claim, digest): time for claim, digest, time in connection.execute(_SEALED).fetchall()
    }
    starts: dict[str, datetime | None] = {}
    lent: dict[tuple[str, str], Mapping[str, str]] = {}
    for run, experiment, claims, began in connection.execute(
        _LENDERS, [sorted(set(lenders)), experiments]
    ).fetchall():
        starts[run] = began
        if experiment is not None:
            lent[run, experiment] = json.loads(claims)
    return Seals(bound, sealed, starts, lent)


def refuse_changed_claims(claims: Iterable[Claim], seals: Seals) -> None:
    """Raise EvidenceError for claims that changed after their evidence was planned.

    It names them. A claim that was sealed again since is accepted.
    """
    changed = [
        claim.id
        for claim in claims
        if (claim.id, claim.digest) not in seals.sealed
        and any(
            sealed.get(claim.id, claim.digest) != claim.digest for sealed, _ in _bound(claim, seals)
        )
    ]
    if changed:
        named = ", ".join(changed[:_NAMED]) + (
            f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        )
        raise EvidenceError(
            f"{len(changed)} claims changed after their evidence was planned: {named}. Found "
            "other values, selectors "
            "or tolerances than the runs were started with; restore them, or run the "
            "manifest again under the new ones"
        )


def stated_afterwards(claim: Claim, seals: Seals, lenders: Collection[str] = ()) -> str | None:
    """Return why a claim cannot be judged by runs that began before its present form was sealed.

    None where it can. `lenders`: runs of other manifests whose step 0 it is judged by.
    """
    # Runs that began under another form of the claim, or before it was sealed at all.
    late = [
        began
        for sealed, began in _bound(claim, seals, lenders)
        if sealed.get(claim.id) != claim.digest
    ]
    if not late:
        return None
    at, began = seals.sealed.get((claim.id, claim.digest)), late[0]
    if at is None or began is None:
        return AFTERWARDS
    return (
        f"{AFTERWARDS} (the claim was sealed {at:%Y-%m-%d %H:%M:%S}, its first run began "
        f"{began:%Y-%m-%d %H:%M:%S} UTC)"
    )


def which_came_first(
    claim: Claim, seals: Seals, lenders: Collection[str] = ()
) -> dict[str, str] | None:
    """Return when the claim was sealed, when its first evidence began, and which came first.

    None where either time is unknown.
    """
    bound, sealed = _bound(claim, seals, lenders), seals.sealed.get((claim.id, claim.digest))
    began = min((time for _, time in bound if time is not None), default=None)
    if sealed is None or began is None:
        return None
    first = "evidence" if stated_afterwards(claim, seals, lenders) else "claim"
    return {"claim": sealed.isoformat(), "evidence": began.isoformat(), "first": first}


def _bound(
    claim: Claim, seals: Seals, lenders: Collection[str] = ()
) -> tuple[tuple[Mapping[str, str], datetime | None], ...]:
    """Return the sets of claims that the claim's evidence began under, with the time it began."""
    name = claim.measured_by or ""
    lent = tuple(
        (seals.lent.get((run, name), {}), seals.lenders.get(run)) for run in sorted(lenders)
    )
    return (*seals.bound.get(name, ()), *lent)
