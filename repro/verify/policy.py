"""A gate in YAML: which claims must not be contradicted, and which of them may stay undecided.

It takes the verdicts as they are and never changes one. What was not run has not passed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from repro.errors import ManifestError
from repro.frozen import Frozen
from repro.manifest.yaml import read_yaml, validate
from repro.names import nearest
from repro.verify.verdict import Outcome, Verdict

Glob = Annotated[str, Field(min_length=1)]
GateState = Literal["passed", "failed", "incomplete"]
GATE_STATES: dict[Outcome, GateState] = {
    "reproduced": "passed", "consistent": "passed", "holds": "passed", "as_printed": "passed",
    "contradicted": "failed", "fails": "failed",
    "not_run": "incomplete", "inconclusive": "incomplete", "unverifiable": "incomplete",
    "differs": "incomplete", "not_set": "incomplete",
}  # fmt: skip
"""What each outcome is to a gate, unless the policy excuses it."""
EXCUSABLE: tuple[Outcome, ...] = ("inconclusive", "unverifiable", "differs", "not_set")
"""Undecided by what was run, or by anything. What was not run is not among them."""
CODES: dict[GateState, int] = {"passed": 0, "failed": 1, "incomplete": 3}


class Policy(Frozen):
    """One gate: globs over the ids of claims, as `repro verify --all` lists them."""

    must_not_be_contradicted: tuple[Glob, ...] = Field(min_length=1)
    """Claims that have to be decided, and not against the print: 'consolidated/abstract/*'."""
    may_be_inconclusive: tuple[Glob, ...] = ()
    """Those among them that pass undecided: inconclusive or unverifiable, or a setting that is
    another. Being contradicted or not run is never excused.
    """


@dataclass(frozen=True)
class GatedClaim:
    """What one claim is to the gate."""

    id: str
    state: GateState
    why: str
    """Its outcome and reason; that it was not judged, where no verdict is given of it."""


@dataclass(frozen=True)
class Gate:
    """A policy's answer: every claim it names, in the papers' order."""

    claims: tuple[GatedClaim, ...]

    @property
    def state(self) -> GateState:
        """Return failed if any claim did, else incomplete if any is, else passed."""
        found = {claim.state for claim in self.claims}
        return (
            "failed" if "failed" in found else "incomplete" if "incomplete" in found else "passed"
        )

    @property
    def code(self) -> int:
        """Return the exit code: 0 passed, 1 failed, 3 incomplete."""
        return CODES[self.state]

    def record(self) -> dict[str, Any]:
        """Return the answer as JSON has it: {"state", "claims": [{"id", "state", "why"}]}."""
        return {"state": self.state, "claims": [asdict(claim) for claim in self.claims]}


def load_policy(path: Path) -> Policy:
    """Read a policy. Raises ManifestError for what is none."""
    return validate(Policy, read_yaml(path), str(path))


def apply_policy(
    policy: Policy, known: Sequence[str], verdicts: Iterable[Verdict], where: str
) -> Gate:
    """Hold verdicts to a policy.

    `known` are the ids of every claim; a claim that is named but has no verdict is incomplete.
    Raises ManifestError for a glob that names no claim, or excuses one that is not held.
    """
    held = _named(policy.must_not_be_contradicted, known, f"{where}: must_not_be_contradicted", "")
    excused = set(
        _named(policy.may_be_inconclusive, held, f"{where}: may_be_inconclusive", " that must hold")
    )
    judged = {verdict.id: verdict for verdict in verdicts}
    return Gate(tuple(_gated(name, judged.get(name), name in excused) for name in held))


def _named(globs: Sequence[str], known: Sequence[str], where: str, which: str) -> list[str]:
    """Return the ids that globs name, in their own order."""
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in known):
            raise ManifestError(
                f"{where}: {glob!r} names no claim{which}; {nearest(glob, known)}"
                "`repro verify --all` lists the ids"
            )
    return [name for name in known if any(fnmatchcase(name, glob) for glob in globs)]


def _gated(name: str, verdict: Verdict | None, excused: bool) -> GatedClaim:
    if verdict is None:
        return GatedClaim(name, "incomplete", "not judged here: another manifest or paper is asked")
    state = GATE_STATES[verdict.outcome]
    if excused and verdict.outcome in EXCUSABLE:
        state = "passed"
    return GatedClaim(name, state, f"{verdict.outcome.replace('_', ' ')}: {verdict.reason}")


def gate_lines(gate: Gate, where: str) -> Iterator[str]:
    """Yield the answer, then a line for each claim that did not pass, failures first."""
    total = len(gate.claims)
    failed, incomplete = (
        [claim for claim in gate.claims if claim.state == state]
        for state in ("failed", "incomplete")
    )
    passed = total - len(failed) - len(incomplete)
    yield (
        f"policy {where}: {gate.state}: {passed} of {total} claims pass, {len(failed)} failed, "
        f"{len(incomplete)} incomplete"
    )
    for claim in (*failed, *incomplete):
        yield f"{claim.state}: {claim.id}: {claim.why}"
