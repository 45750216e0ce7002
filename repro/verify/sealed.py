"""Nobody widens a tolerance after seeing a result: each run carries the digests of the claims that were bound to it.

A claim whose digest differs from that in the evidence is refused; one that the evidence does not know was stated after
it, and is at best inconclusive.
"""

import json
from collections.abc import Iterable, Mapping

from repro.errors import EvidenceError
from repro.manifest.claim import Claim
from repro.verify.gather import Connection

_SEALS = (
    "SELECT DISTINCT experiment, claims FROM runs WHERE status = 'done' AND experiment IN (SELECT unnest(?::VARCHAR[]))"
)
AFTERWARDS = "stated after the evidence it would be judged by: at best inconclusive"
_NAMED = 5

Seals = Mapping[str, tuple[Mapping[str, str], ...]]
"""Experiment → the digests, by claim id, of every different set of claims its finished runs carry."""


def read_seals(connection: Connection, experiments: Iterable[str]) -> Seals:
    """The claims as they stood when the finished runs were planned."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for experiment, claims in connection.execute(_SEALS, [sorted(set(experiments))]).fetchall():
        found.setdefault(experiment, []).append(json.loads(claims) if claims else {})
    return {experiment: tuple(sets) for experiment, sets in found.items()}


def refuse_changed(claims: Iterable[Claim], seals: Seals) -> None:
    """Raise EvidenceError naming the claims that are no longer what they were when their evidence was planned."""
    changed = [
        claim.id
        for claim in claims
        if claim.measured_by is not None
        and any(sealed.get(claim.id, claim.digest) != claim.digest for sealed in seals.get(claim.measured_by, ()))
    ]
    if changed:
        named = ", ".join(changed[:_NAMED]) + (f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else "")
        raise EvidenceError(
            f"{len(changed)} claims changed after their evidence was planned: {named}. Found other values, selectors "
            "or tolerances than the runs were started with; restore them, or run the manifest again under the new ones"
        )


def stated_afterwards(claim: Claim, seals: Seals) -> bool:
    """Whether some finished run of the claim's manifest was planned before the claim existed."""
    if claim.measured_by is None:
        return False
    return any(claim.id not in sealed for sealed in seals.get(claim.measured_by, ()))
