"""Give a run's folder to the user inside a container, without ever following a link.

A worker may write anything into its folder, and the host that gives it away is root: a link there
must not give its target away. Every file is reached from the folder's own descriptor, one step at a
time.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from repro.cache import READ_BY_WORKERS
from repro.errors import EvidenceError

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def give_away(folder: Path, user: int) -> None:
    """Give a run's folder and everything in it to a user.

    Raises EvidenceError for a link or device in it.
    """
    refuse_links(folder)
    for descriptor, name in _entries(folder):
        os.chown(name, user, user, dir_fd=descriptor, follow_symlinks=False)
    os.chown(folder, user, user, follow_symlinks=False)


def refuse_links(folder: Path) -> None:
    """Raise EvidenceError when a run's folder is a link, or holds a link or device: no worker
    of ours makes one.
    """
    if folder.is_symlink():
        raise EvidenceError(
            f"{folder}: is a link, expected the folder of a run; put the folder itself there"
        )
    for descriptor, name in _entries(folder):
        mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise EvidenceError(
                f"{folder}: holds {name!r}, a link or device, which no worker makes; look at "
                "it, then remove it or the folder"
            )


def open_for_reading(cache: Path) -> None:
    """Let all users read what workers read of the cache. Links in it are left unchanged."""
    _allow(os.open(cache, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    for part in (cache / name for name in READ_BY_WORKERS):
        if not part.is_dir():
            continue
        _allow(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for descriptor, name in _entries(part):
            if not stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                _allow(os.open(name, _OPEN, dir_fd=descriptor))


def _allow(descriptor: int) -> None:
    """Let all users read an open file (and enter an open folder), then close it."""
    try:
        mode = os.fstat(descriptor).st_mode
        wanted = 0o755 if stat.S_ISDIR(mode) else 0o644
        if mode & wanted != wanted:
            os.fchmod(descriptor, stat.S_IMODE(mode) | wanted)
    finally:
        os.close(descriptor)


def _entries(folder: Path) -> Iterator[tuple[int, str]]:
    """Yield (descriptor of its folder, name) of everything below a folder.

    Links are named and not entered.
    """
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            yield descriptor, name
