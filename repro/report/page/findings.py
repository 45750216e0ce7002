"""What the audit finds inconsistent, each with both places in the paper.

It is remembered, since finding it takes a second.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from repro.audit import PACKAGE, REACHED, Check, audit
from repro.audit.check import Severity
from repro.claims.claim import Claim
from repro.files import digest, file_digest, write_json
from repro.report.terminal.audit import write_value

ORDER: tuple[Severity, ...] = ("substantive", "minor", "rounding", "none")
_FIELDS = (
    "id",
    "check",
    "inputs",
    "papers",
    "locator",
    "printed",
    "recomputed",
    "verdict",
    "severity",
    "explanation",
)
_CHECKS = TypeAdapter(tuple[Check, ...])


@dataclass(frozen=True)
class FindingPlace:
    """A print that a finding speaks of."""

    claim: str
    locator: str
    printed: str


@dataclass(frozen=True)
class Finding:
    """One inconsistency: the print that is checked, and those that it disagrees with."""

    id: str
    paper: str
    check: str
    severity: Severity
    here: FindingPlace
    there: tuple[FindingPlace, ...]
    printed: str
    recomputed: str
    explanation: str


def findings(claims: Sequence[Claim], remembered: Path) -> list[Finding]:
    """Return the inconsistencies among claims, the gravest first within each paper."""
    by_id = {claim.id: claim for claim in claims}
    found = [_finding(check, by_id) for check in _inconsistent(claims, remembered)]
    return sorted(found, key=lambda finding: (finding.paper, ORDER.index(finding.severity)))


def _finding(check: Check, by_id: Mapping[str, Claim]) -> Finding:
    places = [
        FindingPlace(name, by_id[name].locator, by_id[name].printed)
        for name in check.inputs
        if name in by_id
    ]
    return Finding(
        check.id, check.papers[0], check.check.replace("_", " "), check.severity, places[0], tuple(places[1:]),
        write_value(check.printed), write_value(check.recomputed), check.explanation,
    )  # fmt: skip


def _inconsistent(claims: Sequence[Claim], remembered: Path) -> tuple[Check, ...]:
    files = [
        Path(__file__),
        *PACKAGE.glob("*.py"),
        *(file for room in REACHED for file in (PACKAGE / room).rglob("*.py")),
    ]
    key = digest(
        [
            [file_digest(file) for file in sorted(files)],
            [claim.model_dump(mode="json") for claim in claims],
        ]
    )
    try:
        content = json.loads(remembered.read_bytes())
        if (content["key"], content["sha256"]) == (key, digest(content["checks"])):
            return _CHECKS.validate_python(content["checks"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        pass
    found = tuple(check for check in audit(claims) if check.verdict == "inconsistent")
    kept = [{name: getattr(check, name) for name in _FIELDS} for check in found]
    write_json(
        remembered, {"key": key, "sha256": digest(json.loads(json.dumps(kept))), "checks": kept}
    )
    return found
