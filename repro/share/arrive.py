"""Bring one folder of evidence: it is looked at where it arrives, and appears whole or not at all.

What arrives is kept below .arriving/ until all of a folder is there, so a pull that was killed goes
on; then one rename puts it in its place. What lies here already is never replaced.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.marker import SECOND
from repro.evidence.reading import read_run_state
from repro.evidence.supplied import FILES, RECORD, ROWS_FILE, read_supplied
from repro.files import sync_folder
from repro.share.parcel import PackedFile, Parcel, bring_blob
from repro.share.shelf import Shelf
from repro.store.faults import fault_of

ARRIVING = ".arriving"


def bring_folder(results: Path, shelf: Shelf, parcel: Parcel) -> bool:
    """Bring one folder; return False where it was here. Raises EvidenceError."""
    target, stage = results / parcel.place, results / ARRIVING / parcel.place
    if os.path.lexists(target / parcel.last[0]):
        return _complete(target, stage, shelf, parcel)
    if os.path.lexists(target):
        raise EvidenceError(
            f"{target}: is begun here and not finished; it is not replaced: let it finish, or move "
            "it elsewhere"
        )
    _bring_all(stage, shelf, parcel)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(stage, target)
    sync_folder(target.parent)
    return True


def _complete(target: Path, stage: Path, shelf: Shelf, parcel: Parcel) -> bool:
    """Bring what a folder lacks of a parcel with the same marker; return whether it lacked any.

    All of the parcel is put together beside it and looked at first: a second part of the marker
    that does not fit would damage what is here. Raises EvidenceError for a folder that is damaged,
    or of another marker.
    """
    if problem := _fault(target):
        raise EvidenceError(f"is here and damaged, and not replaced: {problem}")
    for part in parcel.last:
        if (target / part).exists() and not _has(target, part, parcel.files[part]):
            raise EvidenceError(
                f"{target}: another version of it is here, which stays ({part} is other); to have "
                "that one, move this one elsewhere and pull again"
            )
    lacking = [name for name in _in_order(parcel) if not os.path.lexists(target / name)]
    if not lacking:
        return False
    for name in parcel.files.keys() - set(lacking):
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).unlink(missing_ok=True)
        _same_file(target / name, stage / name)
    _bring_all(stage, shelf, parcel)
    for name in lacking:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(stage / name, target / name)
    _sync(target, lacking)
    shutil.rmtree(stage)
    return True


def _bring_all(stage: Path, shelf: Shelf, parcel: Parcel) -> None:
    """Bring all files of a parcel into a folder; what is there and whole stays.

    Raises EvidenceError where they are no evidence, or hold what no marker lists.
    """
    for path in stage.rglob("*"):  # of another version, which did not arrive
        if not path.is_dir() and str(path.relative_to(stage)) not in parcel.files:
            path.unlink()
    for name in (order := _in_order(parcel)):
        if not _has(stage, name, parcel.files[name]):
            beside = (stage / name).with_name(f".{Path(name).name}.tmp")
            bring_blob(shelf, parcel.files[name], beside)
            os.replace(beside, stage / name)
    _sync(stage, order)
    if problem := _fault(stage):
        raise EvidenceError(f"arrived whole and is no evidence: {problem}")
    if more := sorted(parcel.files.keys() - _listed(stage)):
        raise EvidenceError(
            f"the parcel holds {more[0]}, which the folder's own list does not name, so somebody may "
            "have added it; the parcel is not taken: ask whoever pushed it to push again"
        )


def _in_order(parcel: Parcel) -> list[str]:
    """Return the files of a parcel, the marker's parts last."""
    last = parcel.last
    return sorted(parcel.files, key=lambda name: (name in last, name == SECOND, name))


def _listed(folder: Path) -> set[str]:
    """Return every file that a whole folder lists, and the lists themselves."""
    if folder.parents[1].name == "runs":
        marker = RunFolder(folder).done()
        return {*marker.files, *marker.digests} if marker else set()
    record, _ = read_supplied(folder)
    return {RECORD, ROWS_FILE, *(f"{FILES}/{name}" for name in record.files)}


def _has(folder: Path, name: str, packed: PackedFile) -> bool:
    try:
        return read_run_state(folder, name).sha256 == packed.sha256
    except EvidenceError:
        return False


def _same_file(path: Path, other: Path) -> None:
    """Give a file another name, or copy it where the file system has no such links."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)


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
