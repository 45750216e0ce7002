"""Pull evidence from a shelf: every byte is checked, and what is not what its name says is named.

Folders of runs and of supplied files are brought by `repro.share.arrive`, lists, seals and
statements here.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from repro.errors import EvidenceError
from repro.evidence.asked import ASKED_FOLDER, Asking
from repro.evidence.marker import INSIDE
from repro.evidence.seals import SEALS_FOLDER
from repro.files import write_bytes
from repro.plain import Say
from repro.share.arrive import ARRIVING, bring_folder
from repro.share.attest import STATEMENTS
from repro.share.parcel import (
    LISTS,
    PARCELS,
    Parcel,
    newest,
    read_named,
    read_parcel,
    safe,
)
from repro.share.shelf import Shelf


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
        ordered = newest(parcels)
        alike = [one for one in ordered if one.marker == ordered[0].marker]
        if others := {one.marker for one in ordered} - {ordered[0].marker}:
            done.told.append(
                f"{place}: {len(others) + 1} versions are there; the one that finished first is taken"
            )
        new = _pull(results, shelf, alike, done)
        if new is not None:
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
        if not INSIDE.fullmatch(name):
            done.refused.append(f"{name!a}: is no name that `repro push` writes; remove it there")
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


def _pull(results: Path, shelf: Shelf, alike: Iterable[Parcel], done: Pulled) -> bool | None:
    """Bring a folder by the first of its parcels that is whole, and name those before it.

    Return whether anything was new; None where no parcel is whole. Whoever may write there could
    put a parcel with one more file before the true one.
    """
    for parcel in alike:
        try:
            return bring_folder(results, shelf, parcel)
        except EvidenceError as error:
            done.refused.append(f"{parcel.place}: {error}")
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
            data = read_named(shelf, max(names))
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
    """Bring every seal or statement that is not here; `ingest` and `verify` tell what they say."""
    for name in shelf.names(folder):
        here = results / name
        if safe(name) and name.count("/") == depth and not here.exists():
            try:
                write_bytes(here, read_named(shelf, name))
            except EvidenceError as error:
                done.refused.append(str(error))
