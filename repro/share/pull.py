"""Pull evidence from a shelf: every byte is checked, and a folder appears whole or not at all.

What arrives is kept below .arriving/ until all of a folder is there, so a pull that was killed goes
on; then one rename puts it in its place. What lies here already is never replaced.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from repro.errors import EvidenceError
from repro.evidence.asked import ASKED_FOLDER, Asking
from repro.evidence.reading import read_run_state
from repro.evidence.seals import SEALS_FOLDER
from repro.evidence.supplied import read_supplied
from repro.files import sync_folder, write_bytes
from repro.plain import Say
from repro.share.attest import STATEMENTS
from repro.share.parcel import (
    LISTS,
    PARCELS,
    PackedFile,
    Parcel,
    bring_blob,
    newest,
    read_parcel,
    read_whole,
    safe,
)
from repro.share.shelf import Shelf
from repro.store.faults import fault_of

ARRIVING = ".arriving"


@dataclass
class Pulled:
    """What a pull came to."""

    new: int = 0
    """Folders that were not here, or not whole."""
    known: int = 0
    """Folders that were here already, with the same marker."""
    told: list[str] = field(default_factory=list)
    """What the reader should know and nothing is wrong with."""
    refused: list[str] = field(default_factory=list)
    """A line for each folder or record that could not be taken."""


def pull_results(results: Path, shelf: Shelf, manifest: str | None, say: Say) -> Pulled:
    """Pull everything, or what a manifest asks for; `say` hears of each folder.

    Raises OSError where the shelf cannot be read, SetupError where nothing can be written here.
    """
    done = Pulled()
    asked = _pull_lists(results, shelf, manifest, done)
    _pull_small(results, shelf, SEALS_FOLDER, 1, done)
    _pull_small(results, shelf, STATEMENTS, 2, done)
    for place, parcels in _wanted(shelf, manifest, asked, done).items():
        parcel = newest(parcels)
        others = {one.marker for one in parcels.values()} - {parcel.marker}
        if others:
            done.told.append(
                f"{place}: {len(others) + 1} versions are there; the one that finished first is taken"
            )
        try:
            new = _pull(results, shelf, parcel)
        except EvidenceError as error:
            done.refused.append(f"{place}: {error}")
            continue
        done.new, done.known = done.new + new, done.known + (not new)
        say(f"{place}: {'pulled' if new else 'here already'}")
    if not done.refused:
        shutil.rmtree(results / ARRIVING, ignore_errors=True)
    return done


def _wanted(
    shelf: Shelf, manifest: str | None, asked: set[str], done: Pulled
) -> Mapping[str, dict[str, Parcel]]:
    """Return the parcels of each place that is asked for, by name."""
    found: dict[str, dict[str, Parcel]] = defaultdict(dict)
    for name in shelf.names(PARCELS):
        parts = name.split("/")
        if manifest is not None and not _is_asked(parts, manifest, asked):
            continue
        try:
            parcel = read_parcel(shelf, name)
        except EvidenceError as error:
            done.refused.append(str(error))
        else:
            found[parcel.place][name] = parcel
    return found


def _is_asked(parts: list[str], manifest: str, asked: set[str]) -> bool:
    """Return whether a parcel's name is one of a manifest's runs."""
    run = len(parts) == 5 and parts[1] == "runs"
    return run and (parts[2] == manifest or parts[3].rpartition("-")[2] in asked)


def _pull(results: Path, shelf: Shelf, parcel: Parcel) -> bool:
    """Bring one folder; return False where it was here. Raises EvidenceError."""
    target, stage = results / parcel.place, results / ARRIVING / parcel.place
    last = target / parcel.last[0]
    if os.path.lexists(last):
        return _complete(target, shelf, parcel)
    if os.path.lexists(target):
        raise EvidenceError(
            f"{target}: is begun here and not finished; it is not replaced: let it finish, or move "
            "it elsewhere"
        )
    _bring_all(stage, shelf, parcel, parcel.files)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(stage, target)
    sync_folder(target.parent)
    if problem := _fault(target):
        stage.parent.mkdir(parents=True, exist_ok=True)
        os.rename(target, stage)
        raise EvidenceError(f"arrived whole and is no evidence: {problem}")
    return True


def _complete(target: Path, shelf: Shelf, parcel: Parcel) -> bool:
    """Bring what a folder lacks of a parcel with the same marker; return whether it lacked any.

    Raises EvidenceError for a folder that is damaged, or of another marker.
    """
    if problem := _fault(target):
        raise EvidenceError(f"is here and damaged, and not replaced: {problem}")
    if read_run_state(target, parcel.last[0]).sha256 != parcel.marker:
        raise EvidenceError(
            f"{target}: another version of it is here, which stays: the two were made apart; "
            "`repro diff` compares two results folders"
        )
    lacking = {name: x for name, x in parcel.files.items() if not os.path.lexists(target / name)}
    _bring_all(target, shelf, parcel, lacking)
    return bool(lacking)


def _bring_all(folder: Path, shelf: Shelf, parcel: Parcel, files: Mapping[str, PackedFile]) -> None:
    """Bring files into a folder, the marker's parts last; what is there and whole stays."""
    order = sorted(files, key=lambda name: (name in parcel.last, name not in parcel.last[:1], name))
    for name in order:
        if not _has(folder, name, files[name]):
            beside = (folder / name).with_name(f".{Path(name).name}.tmp")
            bring_blob(shelf, files[name], beside)
            os.replace(beside, folder / name)
    _sync(folder, order)


def _has(folder: Path, name: str, packed: PackedFile) -> bool:
    try:
        return read_run_state(folder, name).sha256 == packed.sha256
    except EvidenceError:
        return False


def _sync(folder: Path, names: Iterable[str]) -> None:
    """Flush files and folders to the disk."""
    for name in names:
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())
    for one in {(folder / name).parent for name in names}:
        sync_folder(one)


def _fault(path: Path) -> str | None:
    """Return what is wrong with a folder here, after reading all of it."""
    if path.parents[1].name == "runs":
        return fault_of(path, deep=True)
    try:
        read_supplied(path)
    except EvidenceError as error:
        return str(error)
    return None


def _pull_lists(results: Path, shelf: Shelf, manifest: str | None, done: Pulled) -> set[str]:
    """Bring each manifest's newest list where there is none here.

    Return the last digits of the runs that the manifest asks for.
    """
    by_manifest: dict[str, list[str]] = defaultdict(list)
    for name in shelf.names(LISTS):
        parts = name.split("/")
        if len(parts) == 3 and safe(name) and manifest in (None, parts[1]):
            by_manifest[parts[1]].append(name)
    asked: set[str] = set()
    for one, names in by_manifest.items():
        try:
            data = read_whole(shelf, max(names))
            asking = Asking.model_validate_json(data)
        except EvidenceError as error:
            done.refused.append(str(error))
            continue
        except ValidationError:
            done.refused.append(f"{max(names)}: is no list of runs; push it again")
            continue
        if asking.manifest != one:
            done.refused.append(f"{max(names)}: is the list of {asking.manifest}")
            continue
        asked |= {run.id[:12] for run in asking.runs} if manifest == one else set()
        here = results / ASKED_FOLDER / f"{one}.json"
        if not here.exists():
            write_bytes(here, data)
        elif here.read_bytes() != data:
            done.told.append(f"{here}: says otherwise than the list there, and stays")
    return asked


def _pull_small(results: Path, shelf: Shelf, folder: str, depth: int, done: Pulled) -> None:
    """Bring every seal or statement that is not here; `ingest` and `verify` tell what they are."""
    for name in shelf.names(folder):
        here = results / name
        if safe(name) and name.count("/") == depth and not here.exists():
            try:
                write_bytes(here, read_whole(shelf, name))
            except EvidenceError as error:
                done.refused.append(str(error))
