"""Read from the store what authors sent, as evidence of the claims of their paper and no other's.

It stands beside the evidence of runs and is never mixed with it: a claim is judged by the one or by
the other (`repro.verify.assess`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from repro.claims.claim import Claim
from repro.verify.evidence.columns import NO_SEED
from repro.verify.evidence.gather import Connection
from repro.verify.evidence.repetition import with_seeds
from repro.verify.evidence.supplied import SuppliedEvidence, judged_on_values, supplied_evidence
from repro.verify.evidence.values import SuppliedValue
from repro.verify.seals import Seals
from repro.verify.verdict import Graded

STATED = "values as they state them"
MEASURED_HERE = "measured here from what they sent"
_FOLDERS = """
SELECT s.folder, paper, supplied_by, supplied, told, seal,
       (SELECT count(*) FROM supplied e WHERE e.paper = s.paper AND NOT e.counts)
FROM supplied s WHERE counts AND paper IN (SELECT unnest(?::VARCHAR[]))
"""
_VALUES = """
SELECT model, condition, coalesce(seed, -1), step, quantity, specification, concept, direction,
       probe_set, adapter, axes, coalesce(measured, stated), measured IS NOT NULL, n
FROM supplied_values WHERE folder = ? AND undefined IS NULL
"""
_IS_MEASURED = 12
"""The place of a row's truth."""
_SEALED = "SELECT experiment, claims FROM sealed_claims WHERE seal = ?"
_WHEN = "SELECT claim, digest, min(sealed) FROM seals GROUP BY ALL"


@dataclass(frozen=True)
class KeptFiles:
    """What the authors of one paper sent, as far as its claims are concerned."""

    evidence: SuppliedEvidence
    claims: Mapping[str, Claim]
    """Claim id → the claim as these values judge it."""
    seals: Seals
    record: Mapping[str, Any] = field(default_factory=dict)
    """Who sent it and when, its folder, and what was told of it."""


def read_kept(connection: Connection, claims: Iterable[Claim]) -> dict[str, KeptFiles]:
    """Return what counts of what authors sent, by paper."""
    of_paper: dict[str, list[Claim]] = {}
    for claim in claims:
        of_paper.setdefault(claim.source, []).append(claim)
    folders = connection.execute(_FOLDERS, [sorted(of_paper)]).fetchall()
    return {
        paper: _read(connection, of_paper[paper], *row) for row in folders for paper in [row[1]]
    }


def kept_notes(connection: Connection, claims: Iterable[Claim]) -> list[str]:
    """Return what was told of the files that count for these claims, a line a folder."""
    papers = sorted({claim.source for claim in claims})
    return [
        f"what {by} supplied of {paper} ({supplied:%Y-%m-%d}): {_first(told.splitlines())}"
        for _, paper, by, supplied, told, *_ in connection.execute(_FOLDERS, [papers]).fetchall()
        if told
    ]


def _first(lines: Sequence[str]) -> str:
    return lines[0] + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")


def _read(
    connection: Connection,
    claims: Sequence[Claim],
    folder: str,
    _paper: str,
    by: str,
    supplied: datetime,
    told: str,
    seal: str,
    earlier: int,
) -> KeptFiles:
    """Return one folder's values as evidence of its paper's claims."""
    who = f"supplied by {by} on {supplied:%Y-%m-%d}"
    graded = {
        here: Graded(grade="supplied", other=(MEASURED_HERE if here else STATED,), by=who)
        for here in (False, True)
    }
    rows = connection.execute(_VALUES, [folder]).fetchall()
    asked, values = with_seeds(claims, [_value(*row) for row in rows])
    measured = {value for value, row in zip(values, rows, strict=True) if row[_IS_MEASURED]}
    freed = judged_on_values(asked, values)
    evidence = supplied_evidence(values, freed, lambda value: graded[value in measured])
    # A claim in terms of seeds is the claim that was sealed.
    same = {new.id: (old.digest, new.digest) for old, new in zip(claims, asked, strict=True)}
    bound = {
        experiment: (
            (
                {name: _now(digest, *same.get(name, ("", ""))) for name, digest in sealed.items()},
                supplied,
            ),
        )
        for experiment, content in connection.execute(_SEALED, [seal]).fetchall()
        for sealed in [json.loads(content)]
    }
    when = {(claim, digest): at for claim, digest, at in connection.execute(_WHEN).fetchall()}
    record = {
        "by": by,
        "supplied": supplied.isoformat(),
        "folder": folder,
        "told": told.splitlines(),
        "earlier_folders": earlier,
    }
    return KeptFiles(evidence, {claim.id: claim for claim in freed}, Seals(bound, when), record)


def _now(sealed: str, written: str, judged: str) -> str:
    """Return a sealed digest; of a claim that stands as it was, that of its form here."""
    return judged if sealed == written else sealed


def _value(*row: Any) -> SuppliedValue:
    """Return a row of the store as a value."""
    model, condition, seed, step, quantity, specification, concept, direction = row[:8]
    probe_set, adapter, axes, value, _, n = row[8:]
    return SuppliedValue(
        model=model,
        condition=condition,
        seed=NO_SEED if seed < 0 else seed,
        step=step,
        quantity=quantity,
        value=value,
        concept=concept,
        direction=direction,
        probe_set=probe_set,
        adapter=adapter,
        observations=n,
        axes=read_levels(axes),
        specification=specification,
    )


def read_levels(axes: str) -> tuple[tuple[str, str], ...]:
    """Return the levels of a paper's own axes, as `write_levels` wrote them."""
    return tuple((axis, level) for axis, level in json.loads(axes)) if axes else ()


def write_levels(levels: Sequence[tuple[str, str]]) -> str:
    """Return the levels of a paper's own axes as text; empty for none."""
    return json.dumps([list(pair) for pair in levels], ensure_ascii=False) if levels else ""
