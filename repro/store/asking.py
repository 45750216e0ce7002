"""Which runs each manifest asks for, as rows of the store.

What a manifest asks for now counts, not which run finished last.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.evidence.asked import ASKED_FOLDER as ASKED
from repro.evidence.asked import Asked
from repro.evidence.reading import read_run_state
from repro.evidence.seals import SEALS_FOLDER as SEALS
from repro.evidence.seals import Seal
from repro.store.supplied import supplied_records
from repro.store.tables import utc

_Row = dict[str, Any]


def rows_asked(runs: Sequence[_Row], asked: Mapping[str, Sequence[Asked]]) -> list[_Row]:
    """Return a row for each manifest and run it asks for.

    A run it asked for before has a "superseded" row. For a manifest whose list is missing, the
    latest run of each slot counts.
    """
    by_id = {run["run_id"]: run for run in runs}
    found = [
        {**by_id[one.id], "experiment": manifest, "slot": one.slot, "model": one.model, "condition": one.condition,
         "seed": one.seed}
        for manifest, wanted in asked.items() for one in wanted if one.id in by_id
    ]  # fmt: skip
    stand = {(row["experiment"], row["run_id"]) for row in found}
    left = [run for run in runs if (run["experiment"], run["run_id"]) not in stand]
    found += [{**run, "status": "superseded"} for run in left if run["experiment"] in asked]
    return found + _latest([run for run in left if run["experiment"] not in asked])


def _latest(runs: Sequence[_Row]) -> list[_Row]:
    """Mark every run of a slot but the latest as superseded.

    A finished run is later than an unfinished one.
    """
    latest: dict[tuple[str, str], _Row] = {}
    for run in sorted(
        runs, key=lambda run: (str(run["finished"] or ""), str(run["started"] or ""))
    ):
        latest[run["experiment"], run["slot"]] = run
    counts = {run["run_id"] for run in latest.values()}
    return [run if run["run_id"] in counts else {**run, "status": "superseded"} for run in runs]


def with_claims(
    rows: Sequence[_Row], began: Mapping[str, str | None], seals: Mapping[str, Seal]
) -> list[_Row]:
    """Add to each row its manifest's claims, as sealed before the run.

    `began` gives the seal of each run. A row gets no claims where its seal is missing or was
    changed.
    """

    def claims(row: _Row) -> Mapping[str, str]:
        seal = seals.get(began[row["run_id"]] or "")
        return seal.claims.get(row["experiment"], {}) if seal else {}

    return [{**row, "claims": json.dumps(claims(row))} for row in rows]


def seal_rows(seals: Mapping[str, Seal]) -> Iterator[_Row]:
    """Yield one row per judging rule: the time and the name of the first seal that holds it."""
    seen: set[tuple[str, str]] = set()
    for name, seal in seals.items():
        for claims in seal.claims.values():
            for claim, digest in claims.items():
                if (claim, digest) not in seen:
                    seen.add((claim, digest))
                    yield {
                        "claim": claim,
                        "digest": digest,
                        "sealed": utc(seal.sealed),
                        "seal": name,
                    }


def sealed_rows(seals: Mapping[str, Seal]) -> Iterator[_Row]:
    """Yield the claims that each seal holds of each manifest."""
    for name, seal in seals.items():
        for experiment, claims in seal.claims.items():
            yield {"seal": name, "experiment": experiment, "claims": json.dumps(claims)}


def asking_rows(results: Path) -> list[_Row]:
    """Return path and digest of every list of runs, seal, and record of supplied files.

    Raises EvidenceError for a file that cannot be read.
    """
    paths = [
        path for folder in (ASKED, SEALS) for path in sorted((results / folder).glob("*.json"))
    ]
    return [
        {
            "path": str(path.relative_to(results)),
            "sha256": read_run_state(path.parent, path.name).sha256,
        }
        for path in (*paths, *supplied_records(results))
    ]
