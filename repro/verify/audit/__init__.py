"""The papers' numbers against each other: no run, no model, seconds (`repro audit`).

Each module is a family of checks that works on any paper's claims; none knows a particular one. `audit` runs them all.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.files import digest, file_digest, write_json
from repro.manifest.claim import Claim
from repro.verify.audit import confidence, counts, crosstalk, grid, inference, recompute, repeats, spread, trajectory
from repro.verify.audit.check import Check
from repro.verify.audit.prints import Prints

FAMILIES = (recompute, spread, repeats, inference, confidence, grid, trajectory, crosstalk, counts)


def audit(claims: Sequence[Claim]) -> tuple[Check, ...]:
    """Every check of every family over these claims, in the order of the papers."""
    prints = Prints(claims)
    found = {check.id: check for family in FAMILIES for check in family.checks(prints)}
    order = {claim.id: number for number, claim in enumerate(claims)}
    return tuple(sorted(found.values(), key=lambda check: order[check.inputs[0]]))


@dataclass(frozen=True)
class Audited:
    """What the audit comes to, claim by claim."""

    findings: Mapping[str, Sequence[str]]
    """Claim id → ids of the inconsistent checks it is the subject of; claims without one are absent."""
    checked: frozenset[str]
    """Claims that some check could compare with another print."""
    substantive: tuple[str, ...]
    """The claim that is checked first, of every check that is inconsistent beyond rounding."""


def audited(claims: Sequence[Claim], remembered: Path | None = None) -> Audited:
    """Run every check and collect what it says of each claim.

    `remembered`: a file that keeps the answer for these very claims and these very checks, since the tests behind some
    checks take a second to import.
    """
    key = digest([_sources(), [[claim.id, claim.locator, claim.digest] for claim in claims]]) if remembered else ""
    if remembered and (known := _recall(remembered, key)) is not None:
        return known
    subjects: dict[str, list[str]] = defaultdict(list)
    checks = audit(claims)
    for check in checks:
        if check.verdict == "inconsistent":
            for claim in check.inputs[:-1] if check.check == "probe_grid" else check.inputs[:1]:
                subjects[claim].append(check.id)
    checked = {claim for check in checks if check.verdict != "undecidable" for claim in check.inputs}
    severe = [check.inputs[0] for check in checks if (check.verdict, check.severity) == ("inconsistent", "substantive")]
    if remembered:
        kept = {"findings": subjects, "checked": sorted(checked), "substantive": severe}
        write_json(remembered, {"key": key, **kept})
    return Audited(dict(subjects), frozenset(checked), tuple(severe))


def findings(claims: Sequence[Claim], remembered: Path | None = None) -> Mapping[str, Sequence[str]]:
    """Collect, by claim, the ids of the inconsistent checks it is the subject of."""
    return audited(claims, remembered).findings


def _sources() -> list[str]:
    """The code the answer depends on."""
    here = Path(__file__).parent
    return [file_digest(file) for file in sorted([*here.glob("*.py"), *here.parent.glob("algebra*.py")])]


def _recall(file: Path, key: str) -> Audited | None:
    try:
        content = json.loads(file.read_bytes())
        found = Audited(content["findings"], frozenset(content["checked"]), tuple(content["substantive"]))
        return found if content["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


__all__ = ["Audited", "Check", "audit", "audited", "findings"]
