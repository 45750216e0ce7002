"""A user's activations (npz, safetensors) and labels (csv), refused in one clear line where unfit
to measure.

N probes, D width.
"""

import csv
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.errors import InputError
from repro.files import is_file
from repro.geometry.diagnosis import checked
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array
from repro.measure.npz import read_array
from repro.measure.tensors import find_tensor, read_tensor
from repro.spelling import is_missing, look_alike

KEY = "activations"
_LARGEST = 64 << 20  # bytes of a table of labels
_LEAST = 1e-290
"""Squares below this have fewer digits than a double."""


def read_activations(path: Path) -> Array:
    """Read the matrix (N × D) under the key `activations` of an npz or safetensors file.

    Raises `InputError`.
    """
    if not is_file(path):
        raise InputError(f"{path}: no such file; expected an npz file with the key {KEY!r}.")
    if path.suffix == ".safetensors":
        return _fit(path, read_tensor(find_tensor(path, KEY)))
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an npz file; save the matrix with np.savez(file, {KEY}=X).")
    return _fit(path, read_array(path, KEY))


def is_half(path: Path) -> bool:
    """Return whether a file's activations are kept in 16 bits, so with half the digits."""
    if path.suffix == ".safetensors":
        return find_tensor(path, KEY).dtype in ("F16", "BF16")
    return bool(read_array(path, KEY).dtype.itemsize == 2)


def _fit(path: Path, X: np.ndarray[Any, Any]) -> Array:
    """Return activations that can be measured. Raises InputError, naming the file."""
    try:
        return usable_activations(X)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_labels(path: Path, probes: int) -> Labels:
    """Read labels from a csv file with a column per concept and a row per probe.

    Raises `InputError`, with the line that is at fault.
    """
    header, rows = _table(path)
    if len(rows) != probes:
        raise InputError(
            f"{path}: {len(rows)} rows of labels, but the activations have {probes}; give one "
            "per probe."
        )
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(
                f"{path}: line {line} has {len(row)} fields; expected {len(header)}, one per "
                "concept."
            )
        if missing := next(
            (name for name, label in zip(header, row, strict=True) if is_missing(label)), None
        ):
            found = row[header.index(missing)]
            words = (
                f"has {found!r} for {missing!r}, which reads as a missing label"
                if found
                else f"has no label for {missing!r}"
            )
            raise InputError(f"{path}: line {line} {words}; label every probe.")
    columns = {name: [row[j] for row in rows] for j, name in enumerate(header)}
    try:
        return usable_labels(columns, probes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def usable_activations(X: npt.ArrayLike) -> Array:
    """Return activations (N × D) as they are measured. Raises `InputError` for unfit ones."""
    return _varying(checked(X))


def usable_labels(columns: Mapping[str, Sequence[object]], probes: int) -> Labels:
    """Return labels from a column of class names per concept, a class a probe.

    Raises `InputError` for a label that is missing, and for a class with one probe.
    """
    for name, column in columns.items():
        texts = [str(label).strip() for label in column]
        if len(texts) != probes:
            raise InputError(
                f"concept {name!r} has {len(texts)} labels, but the activations have {probes} "
                "rows; give one per probe."
            )
        missing = next((row for row, text in enumerate(texts) if is_missing(text)), None)
        if missing is not None:
            raise InputError(
                f"concept {name!r}, probe {missing}: found {texts[missing]!r}, which reads as a missing "
                "label; label every probe."
            )
        rare, count = min(Counter(texts).items(), key=lambda item: (item[1], item[0]))
        if count < 2 and len(set(texts)) > 1:
            raise InputError(
                f"class {rare!r} of concept {name!r} has {count} probe; "
                "leave-one-out needs at least two."
            )
    return Labels.of({name: [str(label) for label in column] for name, column in columns.items()})


def alike(labels: Labels) -> list[str]:
    """Return a line for each group of a concept's classes that a reader takes for one."""
    return [
        f"classes {', '.join(map(ascii, group))} of concept {name!r} look alike and are "
        "counted apart"
        for name, classes in zip(labels.concepts, labels.classes, strict=True)
        for group in look_alike(classes)
    ]


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    if not is_file(path):
        raise InputError(f"{path}: no such file; expected a csv file with one column per concept.")
    if path.stat().st_size > _LARGEST:
        raise InputError(
            f"{path}: is larger than {_LARGEST >> 20} MiB, more than any table of labels; "
            "correct the path."
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as csv ({_one_line(error)}); save it as UTF-8 text."
        ) from None
    if not lines:
        raise InputError(
            f"{path}: empty; expected a header of concept names and one row of labels per probe."
        )
    header = lines[0]
    if "" in header or len(set(header)) < len(header):
        raise InputError(f"{path}: header {header}; every column needs a concept name of its own.")
    if len(header) == 1 and (other := next((mark for mark in ";\t" if mark in header[0]), None)):
        raise InputError(
            f"{path}: header is the one name {header[0]!r}, with {other!r} between words; "
            "expected columns separated "
            f"by commas. Save it with commas."
        )
    return header, lines[1:]


def _varying(X: Array) -> Array:
    """Return X, unless a feature is constant or all vary so little that their squares are lost.

    Raises `InputError` then.
    """
    constant = np.flatnonzero(np.ptp(X, axis=0) == 0)
    if len(constant):
        raise InputError(
            f"{len(constant)} of {X.shape[1]} features are constant over all {len(X)} probes "
            "(first: column "
            f"{constant[0]}); drop them, or look for padding in the array."
        )
    if np.square(np.ptp(X, axis=0)).max() < _LEAST:
        raise InputError(
            f"activations vary by {np.ptp(X, axis=0).max():.1e} at most; their squares are "
            "lost. Rescale them."
        )
    return X


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
