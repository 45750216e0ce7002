"""Push finished evidence to a shelf: contents first, then the parcel that names them.

What is there already is not sent again, so a push that was killed goes on. Evidence that is not
what its marker says is named and stays here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from repro.errors import EvidenceError
from repro.evidence.asked import ASKED_FOLDER, read_asked
from repro.evidence.folder import RunFolder
from repro.evidence.reading import read_content, read_run_state
from repro.evidence.request import read_request
from repro.evidence.seals import SEALS_FOLDER, counting_seals
from repro.evidence.supplied import (
    FILES,
    RECORD,
    ROWS_FILE,
    read_supplied,
    supplied_folders,
)
from repro.plain import Say
from repro.share.attest import STATEMENTS
from repro.share.parcel import LISTS, PackedFile, Parcel, bears_digest, blob, missing
from repro.share.shelf import Shelf
from repro.store.faults import fault_of, noted_folders
from repro.store.ingest import run_folders


@dataclass
class Pushed:
    """What a push came to."""

    parcels: int = 0
    known: int = 0
    """Those that were there already."""
    sent: int = 0
    """Contents that were sent, and their bytes."""
    bytes: int = 0
    unfinished: int = 0
    refused: list[str] = field(default_factory=list)
    """A line for each folder that is not what it says."""


def push_results(results: Path, shelf: Shelf, manifest: str | None, say: Say) -> Pushed:
    """Push what a results folder holds, or what a manifest asks for; `say` hears of each folder.

    Raises OSError where the shelf cannot be written.
    """
    done = Pushed()
    for sealed in counting_seals(results):
        shelf.create(f"{SEALS_FOLDER}/{sealed.name}", read_content(sealed.parent, sealed.name)[0])
    for parcel, path in _parcels(results, manifest, done):
        place = Path(parcel.place)
        for name, packed in parcel.files.items():
            if shelf.size(blob(packed.sha256)) != packed.size:
                shelf.put(blob(packed.sha256), path / name)
                done.sent, done.bytes = done.sent + 1, done.bytes + packed.size
        new = shelf.create(parcel.name, parcel.content())
        done.parcels, done.known = done.parcels + 1, done.known + (not new)
        say(f"{place.parent.name}/{place.name}: {'pushed' if new else 'there already'}")
    _push_lists(results, shelf, manifest)
    for path in sorted((results / STATEMENTS).glob("*/*.json")):
        if manifest in (None, path.parent.name):
            content = read_content(path.parent, path.name)[0]
            if bears_digest(path.name, content):
                shelf.create(f"{STATEMENTS}/{path.parent.name}/{path.name}", content)
            else:
                done.refused.append(f"{path}: is no statement of that name; it was changed")
    return done


def _push_lists(results: Path, shelf: Shelf, manifest: str | None) -> None:
    """Push the lists of what manifests ask for, unless the newest there says the same."""
    for name in read_asked(results):
        if manifest not in (None, name):
            continue
        content, state = read_content(results / ASKED_FOLDER, f"{name}.json")
        there = shelf.names(f"{LISTS}/{name}")
        if not (there and there[-1].endswith(f"-{state.sha256}.json")):
            now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            shelf.create(f"{LISTS}/{name}/{now}-{state.sha256}.json", content)


def _parcels(results: Path, manifest: str | None, done: Pushed) -> Iterator[tuple[Parcel, Path]]:
    """Yield every finished folder as a parcel, after reading all of it."""
    asked = {one.id for one in read_asked(results).get(manifest or "", ())}
    noted = noted_folders(results)
    for path in run_folders(results):
        if manifest is not None and path.parent.name != manifest and not _is(path, asked):
            continue
        if fault := fault_of(path, noted.get(f"{path.parent.name}/{path.name}"), deep=True):
            done.refused.append(fault)
        elif parcel := _run(path, results):
            yield parcel, path
        else:
            done.unfinished += 1
    for path in supplied_folders(results) if manifest is None else ():
        try:
            yield _supplied(path, results), path
        except EvidenceError as error:
            done.refused.append(str(error))


def _is(path: Path, asked: set[str]) -> bool:
    try:
        return read_request(path).id in asked
    except EvidenceError:
        return False


def _run(path: Path, results: Path) -> Parcel | None:
    """Return a run's folder as a parcel; weights only where they are. None: it is not finished."""
    marker = RunFolder(path).done()
    if marker is None:
        return None
    there = [name for name in marker.files if os.path.lexists(path / name)]
    files = _packed(path, (*marker.digests, *there))
    apart = [name for name, digest in marker.files.items() if name in files and files[name].sha256 != digest]  # fmt: skip
    if apart:
        raise EvidenceError(f"{path / apart[0]}: changed while it was read; push again")
    parcel = Parcel(
        place=str(path.relative_to(results)), finished=marker.finished,
        last=tuple(marker.digests), files=files,
    )  # fmt: skip
    assert not missing(parcel)
    return parcel


def _supplied(path: Path, results: Path) -> Parcel:
    """Return a folder of supplied files as a parcel. Raises EvidenceError for a changed one."""
    record, _ = read_supplied(path)
    files = _packed(path, (RECORD, ROWS_FILE, *(f"{FILES}/{name}" for name in record.files)))
    place = str(path.relative_to(results))
    return Parcel(place=place, finished=record.supplied, last=(RECORD,), files=files)


def _packed(path: Path, names: tuple[str, ...]) -> dict[str, PackedFile]:
    """Return digest and size of files."""
    states = {name: read_run_state(path, name) for name in names}
    return {name: PackedFile(sha256=s.sha256, size=s.size) for name, s in states.items()}
