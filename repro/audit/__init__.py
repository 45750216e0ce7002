"""The papers' numbers against each other: no run, no model, seconds (`repro audit`).

Each module is a family of checks that works on any paper's claims; none knows a particular one.
`audit` runs them all.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.audit import (
    confidence,
    confusion,
    construction,
    counts,
    crosstalk,
    duplicates,
    grid,
    inference,
    intervals,
    matrices,
    own_value,
    pass_at_k,
    possible,
    recompute,
    repeats,
    spread,
    trajectory,
)
from repro.audit.accuracy import ACCURACY_FILE, held_to_accuracy, measured_accuracy
from repro.audit.check import Check
from repro.audit.prints import PrintedNumbers
from repro.claims.claim import Claim
from repro.files import digest, file_digest, write_json

FAMILIES = (recompute, spread, intervals, repeats, inference, confidence, grid, possible, trajectory, crosstalk, counts,
            confusion, pass_at_k, matrices, duplicates, construction, own_value)  # fmt: skip

PACKAGE = Path(__file__).parents[1]
REACHED = ("audit", "claims", "geometry")
"""The rooms whose code the checks reach; a test holds them to the import statements."""


def audit(claims: Sequence[Claim]) -> tuple[Check, ...]:
    """Run every check of every family over these claims; return them in the order of the papers."""
    prints = PrintedNumbers(claims)
    known = measured_accuracy()
    found = {
        check.id: held_to_accuracy(check, known)
        for family in FAMILIES
        for check in family.checks(prints)
    }
    order = {claim.id: number for number, claim in enumerate(claims)}
    return tuple(sorted(found.values(), key=lambda check: order[check.inputs[0]]))


@dataclass(frozen=True)
class Audited:
    """What the audit comes to, claim by claim."""

    findings: Mapping[str, Sequence[str]]
    """Claim id → ids of the inconsistent checks that it is the subject of; others are absent."""
    checked: frozenset[str]
    """Claims that some check could compare with another print."""
    substantive: tuple[str, ...]
    """The first claim of every check that is inconsistent beyond rounding."""


def audit_claims(claims: Sequence[Claim], remembered: Path | None = None) -> Audited:
    """Run every check and collect what it says of each claim.

    `remembered`: a file that keeps the answer for these very claims and these very checks, since
    the tests behind some checks take a second to import.
    """
    told = [claim.model_dump(mode="json") for claim in claims]
    key = digest([_sources(), told]) if remembered else ""
    if remembered and (known := _recall(remembered, key)) is not None:
        return known
    subjects: dict[str, list[str]] = defaultdict(list)
    checks = audit(claims)
    for check in checks:
        if check.verdict == "inconsistent":
            for claim in check.inputs[:-1] if check.check == "probe_grid" else check.inputs[:1]:
                subjects[claim].append(check.id)
    # `bounds` compares a print with its definition, not with another print.
    compared = (
        check for check in checks if check.verdict != "undecidable" and check.check != "bounds"
    )  # of no other print
    checked = {claim for check in compared for claim in check.inputs}
    severe = [
        check.inputs[0]
        for check in checks
        if (check.verdict, check.severity) == ("inconsistent", "substantive")
    ]
    if remembered:
        kept = {"findings": subjects, "checked": sorted(checked), "substantive": severe}
        write_json(remembered, {"key": key, "sha256": digest(kept), **kept})
    return Audited(dict(subjects), frozenset(checked), tuple(severe))


def findings_by_claim(
    claims: Sequence[Claim], remembered: Path | None = None
) -> Mapping[str, Sequence[str]]:
    """Collect, by claim, the ids of the inconsistent checks it is the subject of."""
    return audit_claims(claims, remembered).findings


def _sources() -> list[str]:
    """Return the digests of all code that the answer depends on, and of some that it does not."""
    files = [
        ACCURACY_FILE,
        *PACKAGE.glob("*.py"),
        *(file for room in REACHED for file in (PACKAGE / room).rglob("*.py")),
    ]
    return [file_digest(file) for file in sorted(files)]


def _recall(file: Path, key: str) -> Audited | None:
    """Return the answer that a file remembers for a key; None where it is of another, or broken."""
    try:
        content = json.loads(file.read_bytes())
        kept = {name: content[name] for name in ("findings", "checked", "substantive")}
        found = Audited(kept["findings"], frozenset(kept["checked"]), tuple(kept["substantive"]))
        return found if (content["key"], content["sha256"]) == (key, digest(kept)) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


__all__ = ["Audited", "Check", "audit", "audit_claims", "findings_by_claim"]
