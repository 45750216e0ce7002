"""Handing a run's folder to the user inside a container, without ever following a link.

A worker may write anything into its folder, and the host that hands it over is root: a link there must not give its
target away. Every file is reached from the folder's own descriptor, one step at a time.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from repro.errors import EvidenceError

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
READ_INSIDE = ("models", "data")
"""What a worker reads of the cache; nothing else of it is opened for reading."""


def give_away(folder: Path, user: int) -> None:
    """Give a run's folder and everything in it to a user. Raises EvidenceError for a link or device in it."""
    refuse_links(folder)
    for descriptor, name in _entries(folder):
        os.chown(name, user, user, dir_fd=descriptor, follow_symlinks=False)
    os.chown(folder, user, user, follow_symlinks=False)


def refuse_links(folder: Path) -> None:
    """Raise EvidenceError when a run's folder is a link, or holds one, or a device: no worker of ours makes one."""
    if folder.is_symlink():
        raise EvidenceError(f"{folder}: is a link, expected the folder of a run; put the folder itself there")
    for descriptor, name in _entries(folder):
        mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise EvidenceError(
                f"{folder}: holds {name!r}, a link or device, which no worker makes; look at it, then remove it or the folder"
            )


def open_for_reading(cache: Path) -> None:
    """Let everybody read what workers read of the cache. Links in it are left as they are."""
    _allow(os.open(cache, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    for part in (cache / name for name in READ_INSIDE):
        if not part.is_dir():
            continue
        _allow(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for descriptor, name in _entries(part):
            if not stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                _allow(os.open(name, _OPEN, dir_fd=descriptor))


def _allow(descriptor: int) -> None:
    """Add reading for all (and entering, for a folder) to what is open; closes it."""
    try:
        mode = os.fstat(descriptor).st_mode
        wanted = 0o755 if stat.S_ISDIR(mode) else 0o644
        if mode & wanted != wanted:
            os.fchmod(descriptor, stat.S_IMODE(mode) | wanted)
    finally:
        os.close(descriptor)


def _entries(folder: Path) -> Iterator[tuple[int, str]]:
    """(descriptor of the folder it lies in, name) of everything below; links are named and not entered."""
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            yield descriptor, name
