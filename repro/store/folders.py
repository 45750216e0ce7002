"""Turn one run's folder into rows of the store.

Only the files its marker lists are read, and checked to the byte. An unfinished run has no marker;
its complete checkpoints are read, by their exact names.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from repro.errors import EvidenceError, first_line
from repro.evidence.folder import (
    SCHEMA,
    STEPS,
    RunFolder,
    is_written,
    may_be_evidence,
    refuse_changed,
)
from repro.evidence.marker import Marker
from repro.evidence.reading import State, read_content
from repro.evidence.request import Request, lies_right, read_request
from repro.evidence.scores import PATTERN, Scores, read_scores
from repro.plan.base import base_of_run, surroundings
from repro.store.provenance import Provenance, provenance_row, read_provenance
from repro.store.tables import Schemas, table_of, utc

_AGAIN = "remove the run's folder and run it again"
"""What mends a file of a run that is marked as finished: else `repro run` leaves it alone."""
_FILLED = ("step", "quantity", "n", "specification", "layer")


@dataclass(frozen=True)
class FolderRows:
    """What the store takes from one run's folder."""

    run: dict[str, Any]
    """Its row, under the names of the manifest that made it."""
    seal: str | None
    """Digest of the newest seal of the claims when the run began."""
    tables: dict[str, pa.Table]
    """Of `artifacts`, `provenance`, `measurements` and `folders`."""
    unlisted: tuple[Path, ...]
    """Files that no marker lists and no worker writes. They change nothing."""
    absent: int
    """Number of listed weights that are missing."""


def read_rows(path: Path, results: Path, schemas: Schemas) -> FolderRows:
    """Read one run's folder.

    Raises EvidenceError, naming the file, when the folder cannot be trusted.
    """
    if path.is_symlink():
        raise EvidenceError(
            f"{path}: is a link, expected the folder of a run; put the folder itself there"
        )
    folder = RunFolder(path)
    request, marker = read_request(path), folder.done()
    _check_place(path, request, marker)
    states = folder.check(without_weights=True) if marker else {}
    provenance = read_provenance(folder, request.id)
    scores = _scores(path, marker, request.id)
    name = str(path.relative_to(results / "runs"))
    try:
        run = _run_row(request, marker, provenance, name)
        table_of([run], schemas["runs"])
        tables = {
            "artifacts": table_of(_artifacts(request.id, marker), schemas["artifacts"]),
            "provenance": table_of([provenance_row(request.id, provenance)], schemas["provenance"]),
            "measurements": pa.concat_tables(
                [
                    _measurements(folder, marker, request.id),
                    table_of(_solved(scores), schemas["measurements"]),
                ],
                promote_options="default",
            ),
            "samples": table_of([row for one in scores for row in one.rows()], schemas["samples"]),
            "evaluations": table_of(
                [row for one in scores for row in one.evaluations()], schemas["evaluations"]
            ),
            "folders": table_of(
                [{**folder_row(name, folder, marker, states), "run": run_as_kept(run)}],
                schemas["folders"],
            ),
        }
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise EvidenceError(
            f"{path}: holds a value that does not fit the store ({first_line(error)}); run it again"
        ) from error
    absent = sum(state is None for state in states.values())
    return FolderRows(run, request.seal, tables, tuple(sorted(_unlisted(folder, marker))), absent)


def run_as_kept(run: Mapping[str, Any]) -> str:
    """Return a run's row as the table `folders` keeps it."""
    return json.dumps(run, default=str)


def _check_place(path: Path, request: Request, marker: Marker | None) -> None:
    """Refuse a run outside the folder of its own name: a copy beside it is not a second run."""
    if not lies_right(path, request):
        raise EvidenceError(
            f"{path}: holds the run of {request.run.experiment}/{request.folder}; "
            "a copy or a renamed folder is no run: move it elsewhere"
        )
    if marker and marker.run not in (None, request.id):
        raise EvidenceError(
            f"{path}/done.json: is the marker of run {marker.run[:12]}, run.json asks for "
            f"{request.id[:12]}; restore them"
        )
    if marker and "run.json" not in marker.files:
        raise EvidenceError(
            f"{path}/done.json: does not list run.json; the marker was edited: put a copy back, or "
            "repro run --repair"
        )


def _run_row(
    request: Request, marker: Marker | None, provenance: Provenance, folder: str
) -> dict[str, Any]:
    """Return the row of `runs`."""
    run = request.run
    return {
        "run_id": request.id,
        "experiment": run.experiment,
        "slot": run.slot,
        "model": run.model.id,
        "condition": run.condition_id,
        "seed": run.seed,
        "status": marker.status if marker else "partial",
        "reason": marker.reason if marker else None,
        "steps": run.steps,
        "started": utc(provenance.started) if provenance.started else None,
        "finished": utc(marker.finished) if marker else None,
        "runner": provenance.runner,
        "image": run.environment.image,
        "probe_set": run.probe_set,
        "probe_hash": run.probe_hash,
        "folder": folder,
        "seal": request.seal,
        "base": base_of_run(run),
        "surroundings": surroundings(run.environment),
        "key": json.dumps(run.described()),
    }


def _artifacts(run_id: str, marker: Marker | None) -> list[dict[str, Any]]:
    """Return the rows of `artifacts`: each file the marker lists, with its digest."""
    files = marker.files if marker else {}
    return [{"run_id": run_id, "path": path, "sha256": value} for path, value in files.items()]


def folder_row(
    name: str, folder: RunFolder, marker: Marker | None, states: dict[str, State | None]
) -> dict[str, Any]:
    """Return the state of a folder's files.

    The marker's parts come first, then the listed files that are present.
    """
    found: list[tuple[str, int, int]] = []
    for part in marker.digests if marker else ():
        state = (folder.path / part).lstat()
        found.append((part, state.st_size, state.st_mtime_ns))
    found += [(path, state.size, state.time) for path, state in states.items() if state]
    return {
        "folder": name,
        "marker": " ".join(marker.digests.values()) if marker else None,
        "absent": sum(state is None for state in states.values()),
        "names": "\n".join(path for path, _, _ in found),
        "states": [number for _, size, time in found for number in (size, time)],
    }


def _measurements(folder: RunFolder, marker: Marker | None, run_id: str) -> pa.Table:
    """Return every measurement of a run, with the run's id, in the order of the store."""
    tables = [_checkpoint(folder, name, marker) for name in _steps(folder, marker)]
    whole = pa.concat_tables([SCHEMA.empty_table(), *tables])
    return whole.append_column("run_id", pa.array([run_id] * whole.num_rows, pa.string()))


def _scores(path: Path, marker: Marker | None, run: str) -> list[Scores]:
    """Read the scores that the marker lists. Raises EvidenceError for scores of another run."""
    found = [
        read_scores(path, name)
        for name in sorted(marker.files if marker else ())
        if fnmatch(name, PATTERN)
    ]
    if other := next((one for one in found if one.run != run), None):
        raise EvidenceError(
            f"{path}: holds scores of run {other.run[:12]}, expected {run[:12]}; restore its own"
        )
    return found


def _solved(scores: list[Scores]) -> Iterator[dict[str, Any]]:
    """Yield the number of problems solved as a measurement, by which claims are judged.

    The value is undefined where the verdict on a problem is uncertain.
    """
    for row in (row for one in scores for row in one.evaluations()):
        yield {
            "run_id": row["run_id"], "step": row["step"], "quantity": row["benchmark"], "specification": "default",
            "layer": "", "value": None if row["reason"] else float(row["passed"]), "reason": row["reason"],
            "n": row["problems"],
        }  # fmt: skip


def _steps(folder: RunFolder, marker: Marker | None) -> list[str]:
    """Return the names of the checkpoints' measurement files, sorted."""
    names = (
        marker.files
        if marker
        else [str(path.relative_to(folder.path)) for path in folder.path.glob(STEPS)]
    )
    return sorted(name for name in names if fnmatch(name, STEPS))


def _checkpoint(folder: RunFolder, name: str, marker: Marker | None) -> pa.Table:
    """Read the measurements of one file from the same bytes whose digest is compared."""
    data, state = read_content(folder.path, name)
    path = folder.path / name
    if marker:
        refuse_changed(path, state.sha256, marker.files[name])
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise EvidenceError(
            f"{path}: no Parquet that can be read ({first_line(error)}); {_AGAIN}"
        ) from error
    if not table.schema.equals(SCHEMA):
        raise EvidenceError(
            f"{path}: found columns {_columns(table.schema)}, expected {_columns(SCHEMA)}; {_AGAIN}"
        )
    if empty := [column for column in _FILLED if table[column].null_count]:
        raise EvidenceError(
            f"{path}: found rows without {empty[0]}, expected one in each; {_AGAIN}"
        )
    if pc.any(
        pc.equal(pc.is_null(table["value"], nan_is_null=True), pc.is_null(table["reason"]))
    ).as_py():
        raise EvidenceError(
            f"{path}: found a row with neither a value nor a reason, or with both; {_AGAIN}"
        )
    return table


def _unlisted(folder: RunFolder, marker: Marker | None) -> Iterator[Path]:
    """Yield the files of a folder that no marker lists and no worker writes."""
    for path, relative in _files(folder.path):
        listed = (
            (relative in marker.files or relative in marker.digests)
            if marker
            else may_be_evidence(relative)
        )
        if not listed and not _is_passing(relative):
            yield path


def unlisted_beside(path: Path, listed: Collection[str]) -> Iterator[Path]:
    """Yield the files of a finished run's folder that are not among these and no worker writes."""
    for file, relative in _files(path):
        if relative not in listed and not _is_passing(relative):
            yield file


def _is_passing(relative: str) -> bool:
    return is_written(relative) and not may_be_evidence(relative)


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file and link below a folder, and its name from there."""
    for above, folders, files in os.walk(path):
        linked = [name for name in folders if os.path.islink(os.path.join(above, name))]
        for name in (*files, *linked):
            found = Path(above, name)
            yield found, str(found.relative_to(path))


def _columns(schema: pa.Schema) -> str:
    """Return the columns of a schema in words."""
    return ", ".join(f"{field.name} {field.type}" for field in schema)
