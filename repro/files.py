"""Write files that are either complete or absent.

They are written beside, flushed to disk, then renamed into place.
"""

import errno
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from repro.errors import SetupError

GIB = 2**30
"""Bytes in a gibibyte."""


def canonical_json(content: Any) -> str:
    """Return JSON with sorted keys and no spaces: the same content gives the same text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: Any) -> str:
    """Return the sha256 of the canonical JSON of `content`."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def user_path(given: str, what: str) -> Path:
    """Return the absolute path a user gave; `~` is the home folder.

    `what`: the option or variable it came from. Raises SetupError where there is no home, and
    for bytes that are not UTF-8, which the store cannot hold.
    """
    try:
        path = Path(given).expanduser().absolute()
        str(path).encode()
    except RuntimeError:
        raise SetupError(
            f"{given}: there is no home folder here (HOME is not set); set {what}"
        ) from None
    except UnicodeEncodeError:
        raise SetupError(
            f"{given}: {what} is no text in UTF-8; choose a folder whose whole path is"
        ) from None
    return path


def is_file(path: Path) -> bool:
    """Return whether there is a file.

    A name that no file system accepts (too long, a byte 0) has none.
    """
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder.

    A name that no file system accepts (too long, a byte 0) has none.
    """
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: after a crash there is the old file or the new one,
    never a part.

    Raises SetupError when the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        ways = "REPRO_RESULTS for evidence, REPRO_CACHE for models and texts"
        raise SetupError(
            f"{path}: could not be written ({error.strerror}); {way_out(error)} ({ways})"
        ) from error


def write_target(path: Path, content: bytes) -> None:
    """Write a file that the user named: atomically if it is a plain file or new, else into what
    exists.

    A device, a pipe or a link is written to and never replaced. Raises SetupError when it
    cannot be written.
    """
    if not os.path.lexists(path) or (path.is_file() and not path.is_symlink()):
        write_bytes(path, content)
        return
    try:
        with path.open("wb", buffering=0) as file:
            left = memoryview(content)
            while left:
                left = left[file.write(left) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SetupError(
            f"{path}: could not be written ({error.strerror}); {way_out(error)}"
        ) from error


def way_out(error: OSError) -> str:
    """Return what helps when a file could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free disk space, or choose another place"
    return "choose another place, or correct its permissions"


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON atomically, keys in their order."""
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
