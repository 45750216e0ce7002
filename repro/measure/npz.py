"""One array of an npz or npy file; size, kind and compression are known before any is read."""

import ast
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from repro.errors import InputError

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 4096  # bytes; that of a plain array has 118
_SHARE = 0.25
"""Part of the machine's memory that one array may take: measuring works on copies of it."""
UNREADABLE = (
    OSError, ValueError, EOFError, RuntimeError, NotImplementedError, TypeError, ArithmeticError, MemoryError,
    RecursionError, LookupError, SyntaxError, AttributeError, struct.error, zlib.error, zipfile.BadZipFile,
    tokenize.TokenError,
)  # fmt: skip
"""What zipfile, zlib and NumPy raise for files that are not what they say."""


def read_array(path: Path, key: str) -> np.ndarray[Any, Any]:
    """Read the array under `key` of an npz file.

    Raises `InputError` for a file that is none, lacks the key, or is larger than it can be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if key not in names:
                raise InputError(
                    f"{path}: keys are {names[:20]}; expected {key!r}. Save it with that name."
                )
            _check(
                archive,
                archive.getinfo(f"{key}.npy" if f"{key}.npy" in archive.namelist() else key),
            )
        with warnings.catch_warnings(), np.load(path, allow_pickle=False) as arrays:
            warnings.simplefilter("ignore")  # about old spellings in a header
            found: np.ndarray[Any, Any] = arrays[key]
            return found
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    except UNREADABLE as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as npz ({problem[:200]}); save it with np.savez."
        ) from None


def read_npy(path: Path) -> np.ndarray[Any, Any]:
    """Read the array of an npy file.

    Raises `InputError` for a file that is none, or is larger than it can be.
    """
    try:
        with path.open("rb") as file:
            start, size = _header(file.read(LONGEST_HEADER + 12))
        _check_size(start, size, path.stat().st_size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
            return found
    except InputError as error:
        raise InputError(f"{path}: {str(error).replace('np.savez', 'np.save')}") from None
    except UNREADABLE as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as npy ({problem[:200]}); save it with np.save."
        ) from None


def _check(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse an array by its entry in the archive and its header alone."""
    if entry.flag_bits & 1:
        raise InputError("it is encrypted; save it with np.savez, without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            f"compression method {entry.compress_type} is not one of NumPy's; save it with "
            "np.savez."
        )
    with archive.open(entry) as file:
        _check_size(*_header(file.read(LONGEST_HEADER + 12)), entry.file_size)


def _check_size(start: int, size: int | None, there: int) -> None:
    """Refuse an array that is too large, or that is not as large as its header says."""
    most = int(_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if there > most:
        raise InputError(
            f"the array takes {there / 2**30:.1f} GiB, a quarter of this machine's memory is "
            f"{most / 2**30:.1f}; measure on a larger one, or on fewer rows."
        )
    if size is not None and start + size != there:
        raise InputError(
            f"its header speaks of {size:,} bytes, {there - start:,} are there; save it "
            "again with np.savez."
        )


def _header(content: bytes) -> tuple[int, int | None]:
    """Return where the numbers begin, and how many bytes they take by dtype and shape.

    None bytes for what NumPy has to refuse in its own words.
    """
    if content[:6] != MAGIC or content[6:7] not in (b"\1", b"\2", b"\3"):
        raise InputError("it holds no array of NumPy's; save it with np.savez.")
    width = 2 if content[6] == 1 else 4
    length = int.from_bytes(content[8 : 8 + width], "little")
    start = 8 + width + length
    if len(content) < 8 + width or (length <= LONGEST_HEADER and start > len(content)):
        raise InputError(
            f"it ends inside its header ({len(content):,} bytes are there), so the file is "
            "incomplete; copy it, or save it with np.savez, again."
        )
    if length > LONGEST_HEADER:
        raise InputError(
            f"its header has {length:,} bytes, expected {LONGEST_HEADER:,} at most; save it "
            "with np.savez."
        )
    described = ast.literal_eval(content[8 + width : start].decode("latin-1").strip())
    if not isinstance(described, dict) or not isinstance(described.get("descr"), str):
        return start, None  # objects, records: refused in NumPy's words
    shape, dtype = described.get("shape"), np.dtype(described["descr"])
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise InputError(
            f"its header says shape {str(shape)[:60]}, which is none; save it with np.savez."
        )
    return start, None if dtype.hasobject else math.prod(shape) * dtype.itemsize
