"""One run's folder as rows of the store: what its marker lists, checked to the byte, and nothing that lies beside it.

A run that is not finished has no marker; of it the checkpoints that are whole are read, by their exact names.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from repro.errors import EvidenceError
from repro.evidence.folder import EVIDENCE, SCHEMA, RunFolder, is_written, may_be_evidence, refuse_changed
from repro.evidence.marker import Marker
from repro.evidence.reading import State, read_content
from repro.evidence.request import Request, read_request
from repro.store.provenance import Provenance, provenance_row, read_provenance
from repro.store.tables import Schemas, table_of, utc

STEPS = EVIDENCE[EVIDENCE.index("activations/*.safetensors") - 1]
_FILLED = ("step", "quantity", "n", "specification", "layer")


@dataclass(frozen=True)
class Rows:
    """What the store takes from one run's folder."""

    run: dict[str, Any]
    tables: dict[str, pa.Table]
    """Of `artifacts`, `provenance`, `measurements` and `folders`."""
    unlisted: tuple[Path, ...]
    """Files that no marker lists and no worker writes: they change nothing."""
    absent: int
    """Weights that were listed and are not there."""


def read_rows(path: Path, results: Path, schemas: Schemas) -> Rows:
    """Read one run's folder. Raises EvidenceError when it cannot be trusted, naming the file."""
    if path.is_symlink():
        raise EvidenceError(f"{path}: is a link, expected the folder of a run; put the folder itself there")
    folder = RunFolder(path)
    request, marker = read_request(path), folder.done()
    _check_place(path, request, marker)
    states = folder.check(without_weights=True) if marker else {}
    provenance = read_provenance(folder, request.id)
    name = str(path.relative_to(results / "runs"))
    try:
        run = _run_row(request, marker, provenance, name)
        table_of([run], schemas["runs"])
        tables = {
            "artifacts": table_of(_artifacts(request.id, marker), schemas["artifacts"]),
            "provenance": table_of([provenance_row(request.id, provenance)], schemas["provenance"]),
            "measurements": _measurements(folder, marker, request.id),
            "folders": table_of([folder_row(name, folder, marker, states)], schemas["folders"]),
        }
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise EvidenceError(
            f"{path}: holds a value that does not fit the store ({_line(error)}); run it again"
        ) from error
    absent = sum(state is None for state in states.values())
    return Rows(run, tables, tuple(sorted(_unlisted(folder, marker))), absent)


def _check_place(path: Path, request: Request, marker: Marker | None) -> None:
    """A run lies in the folder of its own name: a copy beside it is not a second run."""
    expected = f"{request.run.experiment}/{request.slot}-{request.id[:12]}"
    if f"{path.parent.name}/{path.name}" != expected:
        raise EvidenceError(
            f"{path}: holds the run of {expected}; a copy or a renamed folder is no run: move it elsewhere"
        )
    if marker and marker.run not in (None, request.id):
        raise EvidenceError(
            f"{path}/done.json: is the marker of run {marker.run[:12]}, run.json asks for {request.id[:12]}; restore them"
        )
    if marker and "run.json" not in marker.files:
        raise EvidenceError(f"{path}/done.json: does not list run.json; the marker was edited: restore it")


def _run_row(request: Request, marker: Marker | None, provenance: Provenance, folder: str) -> dict[str, Any]:
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
        "image": run.environment.get("image"),
        "probe_set": run.probe_set,
        "probe_hash": run.probe_hash,
        "folder": folder,
        "claims": json.dumps(request.claims),
        "key": json.dumps(run.key()),
    }


def _artifacts(run_id: str, marker: Marker | None) -> list[dict[str, Any]]:
    files = marker.files if marker else {}
    return [{"run_id": run_id, "path": path, "sha256": value} for path, value in files.items()]


def folder_row(name: str, folder: RunFolder, marker: Marker | None, states: dict[str, State | None]) -> dict[str, Any]:
    """What a folder's files were: the marker's parts first, then what they list and is there."""
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
    """Every measurement of a run, with its id, in the order of the store."""
    tables = [_checkpoint(folder, name, marker) for name in _steps(folder, marker)]
    whole = pa.concat_tables([SCHEMA.empty_table(), *tables])
    return whole.append_column("run_id", pa.array([run_id] * whole.num_rows, pa.string()))


def _steps(folder: RunFolder, marker: Marker | None) -> list[str]:
    names = marker.files if marker else [str(path.relative_to(folder.path)) for path in folder.path.glob(STEPS)]
    return sorted(name for name in names if fnmatch(name, STEPS))


def _checkpoint(folder: RunFolder, name: str, marker: Marker | None) -> pa.Table:
    """The measurements of one file, from the very bytes whose digest is compared."""
    data, state = read_content(folder.path, name)
    path = folder.path / name
    if marker:
        refuse_changed(path, state.sha256, marker.files[name])
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise EvidenceError(f"{path}: no Parquet that can be read ({_line(error)}); run that run again") from error
    if not table.schema.equals(SCHEMA):
        raise EvidenceError(
            f"{path}: found columns {_columns(table.schema)}, expected {_columns(SCHEMA)}; run it again"
        )
    if empty := [column for column in _FILLED if table[column].null_count]:
        raise EvidenceError(f"{path}: found rows without {empty[0]}, expected one in each; run that run again")
    if pc.any(pc.equal(pc.is_null(table["value"], nan_is_null=True), pc.is_null(table["reason"]))).as_py():
        raise EvidenceError(f"{path}: found a row with neither a value nor a reason, or with both; run that run again")
    return table


def _unlisted(folder: RunFolder, marker: Marker | None) -> Iterator[Path]:
    for above, folders, files in os.walk(folder.path):
        linked = [name for name in folders if os.path.islink(os.path.join(above, name))]
        for name in (*files, *linked):
            path = Path(above, name)
            relative = str(path.relative_to(folder.path))
            listed = (relative in marker.files or relative in marker.digests) if marker else may_be_evidence(relative)
            if not listed and not (is_written(relative) and not may_be_evidence(relative)):
                yield path


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
