"""List what a sender's folder holds: tables of values, and files that files.csv says the run of."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repro.errors import InputError
from repro.measure.updates import ADAPTER_WEIGHTS, SETTINGS
from repro.names import nearest
from repro.verify.evidence.axes import RUN_COLUMNS, VALUED, PaperAxes
from repro.verify.evidence.values import SuppliedRun, missing_column, read_csv_lines, read_run

FILES_CSV, LABELS = "files.csv", "labels.csv"
_ARRAYS = (".npz", ".safetensors")
_FURTHER = ("labels", "probe_set", "lambda", "adapter")


@dataclass(frozen=True)
class SentFile:
    """Activations, or an adapter's folder, and the run that they are of."""

    name: str
    """Path below the sender's folder."""
    kind: Literal["activations", "adapter"]
    labels: str
    """Path of the labels of activations."""
    run: SuppliedRun
    place: str
    """The line of files.csv."""


@dataclass(frozen=True)
class Sent:
    """A sender's folder."""

    path: Path
    tables: tuple[str, ...]
    """CSV files of values."""
    files: tuple[SentFile, ...]
    """In the order of their steps."""
    every: tuple[str, ...]
    """All files that are kept."""
    unread: tuple[str, ...]
    """Files that nothing was read from."""


def read_folder(path: Path, axes: PaperAxes) -> Sent:
    """List a sender's folder. Raises InputError, naming the file or the line."""
    if path.is_file():
        raise InputError(f"{path}: is a file; expected a folder: unpack it, and give the folder")
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected one with what the authors sent")
    every = sorted(_files(path))
    if not every:
        raise InputError(f"{path}: an empty folder; expected CSV files, activations or adapters")
    files = tuple(_index(path, every, axes)) if FILES_CSV in every else ()
    arrays = [name for name in every if name.endswith(_ARRAYS)]
    if arrays and FILES_CSV not in every:
        raise InputError(
            f"{path}: found {arrays[0]}, and no {FILES_CSV} that says of which run it is; expected "
            f"one with the columns {', '.join(_columns(axes))}"
        )
    labels = {LABELS, *(file.labels for file in files)}
    tables = tuple(
        name for name in every if name.endswith(".csv") and name not in {FILES_CSV, *labels}
    )
    read = {FILES_CSV, *labels, *tables}
    read |= {name for name in every for file in files if _belongs(name, file)}
    if not tables and not files:
        raise InputError(
            f"{path}: found neither a CSV file of values nor a line in {FILES_CSV}; nothing to take"
        )
    kept = tuple(name for name in every if name in read)
    unread = tuple(name for name in every if name not in read)
    return Sent(path, tables, files, kept, unread)


def _belongs(name: str, file: SentFile) -> bool:
    """Return whether a file is one that a line of the index names, or lies in such an adapter."""
    if file.kind == "activations":
        return name == file.name
    return name in {f"{file.name}/{part}" for part in (SETTINGS, ADAPTER_WEIGHTS)}


def _files(path: Path) -> Iterator[str]:
    """Yield every plain file below a folder; hidden ones are left.

    Raises InputError for a link, and for what is no file: a pipe would be waited for.
    """
    for above, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *names):
            if os.path.islink(os.path.join(above, name)):
                raise InputError(
                    f"{os.path.join(above, name)}: is a link; put the file itself there"
                )
        for name in (name for name in names if not name.startswith(".")):
            if not os.path.isfile(os.path.join(above, name)):
                raise InputError(
                    f"{os.path.join(above, name)}: is a pipe, a socket or a device; expected plain "
                    "files; take it out"
                )
            yield str(Path(above, name).relative_to(path))


def _columns(axes: PaperAxes) -> tuple[str, ...]:
    """Return the columns that files.csv needs."""
    return ("file", *(name for name in axes.required if name not in VALUED))


def _index(path: Path, every: Sequence[str], axes: PaperAxes) -> list[SentFile]:
    """Read files.csv. Raises InputError, naming the line."""
    needed = _columns(axes)
    header, rows = read_csv_lines(path / FILES_CSV, FILES_CSV, needed)
    known = tuple(dict.fromkeys((*needed, *RUN_COLUMNS, *axes.own, *_FURTHER)))
    if missing := [name for name in needed if name not in header]:
        raise InputError(missing_column(FILES_CSV, missing[0], header, needed))
    if strange := [name for name in header if name not in known]:
        raise InputError(
            f"{FILES_CSV}: column {strange[0]!r}: unknown; {nearest(strange[0], known)}known are "
            f"{', '.join(known)}"
        )
    found = [
        _line(path, every, cells, f"{FILES_CSV}: line {number}", axes) for number, cells in rows
    ]
    seen: dict[object, SentFile] = {}
    for file in found:
        for key in (file.name, (file.kind, file.run)):
            if (first := seen.setdefault(key, file)) is not file:
                what = "file" if key == file.name else f"run as {first.name}, at the same step,"
                raise InputError(
                    f"{file.place}: {file.name}: the same {what} stands in {first.place}; name "
                    "each once"
                )
    return sorted(found, key=lambda file: file.run.step)


def _line(
    path: Path, every: Sequence[str], cells: Mapping[str, str], place: str, axes: PaperAxes
) -> SentFile:
    """Read one line of files.csv."""
    name = cells["file"].replace("\\", "/").removeprefix("./").rstrip("/")
    run = read_run(cells, place, axes)
    if f"{name}/{SETTINGS}" in every or f"{name}/{ADAPTER_WEIGHTS}" in every:
        return SentFile(name, "adapter", "", run, place)
    if name not in every:
        raise InputError(
            f"{place}: column file: no {name or 'name'!r} in {path}; "
            f"{nearest(name, every)}expected the path of a file, or of an adapter's folder, there"
        )
    if not name.endswith(_ARRAYS):
        raise InputError(
            f"{place}: column file: found {name}, expected activations ({', '.join(_ARRAYS)}) or "
            "the folder of an adapter"
        )
    labels = cells.get("labels") or LABELS
    if labels not in every:
        raise InputError(
            f"{place}: {name} has no labels: no {labels} in {path}; expected a CSV file with a "
            "column per concept and a row per probe"
        )
    return SentFile(name, "activations", labels, run, place)
