"""Files that are either whole or not there: written beside, flushed to disk, then renamed into place."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from repro.errors import SetupError


def canonical_json(content: Any) -> str:
    """JSON with sorted keys and no spaces: the same content gives the same text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: Any) -> str:
    """sha256 of the canonical JSON of `content`."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def user_path(given: str, what: str) -> Path:
    """A path that a user gave, whole; `~` is the home folder. `what`: the option or variable that says it.

    Raises SetupError where there is no home, and for bytes that are no UTF-8, which the store cannot hold.
    """
    try:
        path = Path(given).expanduser().absolute()
        str(path).encode()
    except RuntimeError:
        raise SetupError(f"{given}: there is no home folder here (HOME is not set); set {what}") from None
    except UnicodeEncodeError:
        raise SetupError(f"{given}: {what} is no text in UTF-8; choose a folder whose whole path is") from None
    return path


def is_file(path: Path) -> bool:
    """Whether a file lies there; a name that no file system takes (too long, a byte 0) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: after a crash the old file or the new one is there, never a part.

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
        raise SetupError(
            f"{path}: could not be written ({error.strerror}); free disk space, or choose another folder (REPRO_RESULTS "
            "for evidence, REPRO_CACHE for models and texts)"
        ) from error


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
