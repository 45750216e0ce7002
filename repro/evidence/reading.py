"""Read the files of a run's folder completely, and never through a link.

The state of what was read comes with it. A worker may have been hostile, and people copy folders: a
link could lead to any file of the host, a pipe would never end. Each file is opened step by step
from its folder, and the recorded size and time are those of what was read.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from repro.errors import EvidenceError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: opening a pipe must not wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
LARGEST_RECORD = 1 << 28
"""Most bytes of a file that is read into memory. Weights are only hashed."""


@dataclass(frozen=True)
class State:
    """A file's state when it was read."""

    sha256: str
    size: int
    time: int
    """Of the last change to its content, in ns."""


def read_run_state(folder: Path, name: str) -> State:
    """Hash one file of a folder.

    Raises EvidenceError when it is absent, a link, or not a plain file.
    """
    with opened_plain(folder, name) as (file, found):
        return State(
            hashlib.file_digest(file, "sha256").hexdigest(), found.st_size, found.st_mtime_ns
        )


def read_content(folder: Path, name: str) -> tuple[bytes, State]:
    """Read one file of a folder.

    Raises EvidenceError as `read_state` does, and for a file that is far too large.
    """
    with opened_plain(folder, name) as (file, found):
        if found.st_size > LARGEST_RECORD:
            raise EvidenceError(
                f"{folder / name}: found {found.st_size} bytes, expected at most {LARGEST_RECORD}"
            )
        data = file.read()
        return data, State(hashlib.sha256(data).hexdigest(), len(data), found.st_mtime_ns)


@contextmanager
def opened_plain(folder: Path, name: str) -> Iterator[tuple[BufferedReader, os.stat_result]]:
    """Open folder/name without following a link below `folder`, itself included.

    Raises EvidenceError when it is absent, a link, or not a plain file.
    """
    held: list[int] = []
    try:
        held.append(os.open(folder, _FOLDER))
        *above, last = name.split("/")
        for part in above:
            held.append(os.open(part, _FOLDER, dir_fd=held[-1]))
        held.append(os.open(last, _FILE, dir_fd=held[-1]))
        found = os.fstat(held[-1])
        if not stat.S_ISREG(found.st_mode):
            raise EvidenceError(
                f"{folder / name}: no plain file; remove it, or restore the file that was there"
            )
        with os.fdopen(held[-1], "rb", closefd=False) as file:
            yield file, found
    except OSError as error:
        raise EvidenceError(_problem(folder, name, error)) from error
    finally:
        for descriptor in reversed(held):
            os.close(descriptor)


def _problem(folder: Path, name: str, error: OSError) -> str:
    """Return what is wrong with a file and what to do, from the system's error."""
    path = folder / name
    if isinstance(error, FileNotFoundError):
        return f"{path}: found no file; restore it, or remove the run's folder and run again"
    if any(place.is_symlink() for place in (path, *path.parents[: name.count("/") + 1])):
        return (
            f"{path}: is a link, or lies in a linked folder, expected a file of the run's own; "
            "put the file itself there"
        )
    return (
        f"{path}: cannot be read ({error.strerror}); correct that, or remove the run's folder "
        "and run again"
    )
