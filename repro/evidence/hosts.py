"""Know another host's hold of a folder where locks may not reach it.

A lock on a shared file system may be known to one host alone: NFS mounted with `nolock` or
`local_lock`, sshfs, the shared folders of virtual machines. There the holder keeps a file with its
name beside the lock and touches it for as long as it lives. Whoever comes from another host looks
for such a sign of life first; the holder looks whether the file still names it.
"""

import os
import platform
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import IO

from repro.errors import SetupError
from repro.files import write_bytes

BEAT = 5.0
"""Seconds between two signs of life. NFS shows a change within three."""
SILENCE = 4
"""Beats without a sign of life after which a holder counts as dead."""
_LONGEST = 1000  # characters of a holder's name
LOCAL = frozenset(("apfs", "bcachefs", "btrfs", "ecryptfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs",
                   "fuse.fuse-overlayfs", "fuseblk", "hfs", "jfs", "msdos", "ntfs3", "overlay", "ramfs", "reiserfs",
                   "rootfs", "squashfs", "tmpfs", "vfat", "xfs", "zfs"))  # fmt: skip
"""Kinds of file systems that belong to one host."""
MOUNTS = Path("/proc/self/mountinfo")
BOOT = Path("/proc/sys/kernel/random/boot_id")


def is_shared(folder: Path, mounts: str | None = None) -> bool:
    """Return whether other hosts may write to a folder too, by the kind of its file system.

    `mounts`: the lines of /proc/self/mountinfo. A system without them shares nothing, as far as
    can be told.
    """
    if mounts is None:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace") if MOUNTS.exists() else ""
    place, kind = folder.resolve(), ""
    longest = -1
    for line in filter(None, mounts.splitlines()):
        before, _, after = line.partition(" - ")
        point = Path(
            re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), before.split()[4])
        )
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split()[0]
    return bool(kind) and kind not in LOCAL


def this_host() -> str:
    """Return a name of the running system, the same in its containers."""
    return BOOT.read_text(encoding="ascii").strip() if BOOT.exists() else platform.node()


@contextmanager
def holding(folder: Path, name: str) -> Iterator[None]:
    """Hold folder/.NAME.host against other hosts; this host's lock is held already.

    Waits until a holder on another host has been silent for long. Raises SetupError where it is
    not. A holder that finds itself replaced (it stood still for so long) is ended by SIGTERM.
    """
    path, own = folder / f".{name}.host", f"{this_host()} {os.getpid()} {time.time_ns()}"
    _wait_until_silent(path, folder, name)
    write_bytes(path, own.encode())
    time.sleep(BEAT)  # another host may have found silence at the same moment: the last one stays
    if _read(path) != own:
        raise _taken(folder, name)
    ended = Event()
    beating = Thread(target=_beat, args=(path, own, ended), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        if _read(path) == own:
            path.unlink(missing_ok=True)


def _wait_until_silent(path: Path, folder: Path, name: str) -> None:
    """Return when no other host gives a sign of life. Raises SetupError where one does."""
    words, seen = _read(path), _touched(path)
    if not words or words.startswith(f"{this_host()} "):
        return  # the lock of this host says that its holder is gone
    for _ in range(SILENCE):
        time.sleep(BEAT)
        if (now := _touched(path)) is None:
            return
        if now != seen:
            raise _taken(folder, name)


def _taken(folder: Path, name: str) -> SetupError:
    """Return the error that another host is at work."""
    return SetupError(
        f"{folder}: another repro is at work here ({name}) on another host, and locks of this "
        "file system do not reach it; wait for it, end it, or choose another folder "
        "(REPRO_RESULTS)"
    )


def _beat(path: Path, own: str, ended: Event) -> None:
    """Give signs of life until the end; end the process when another host took over."""
    replaced = False
    while not ended.wait(BEAT):
        try:
            if replaced := _read(path) != own:
                break
            os.utime(path)
        except (OSError, SetupError):
            continue  # the server does not answer: it may again
    if replaced and not ended.is_set():
        print(
            f"repro: {path.parent}: another host took this folder over while this process stood "
            "still; it ends here",
            file=sys.stderr,
        )
        # Not an interrupt: a shell lets the processes of its background ignore that.
        os.kill(os.getpid(), signal.SIGTERM)


def _touched(path: Path) -> int | None:
    """Return when the file was last touched, in nanoseconds of the server; None if it is gone."""
    with _opened(path) as file:
        return os.fstat(file.fileno()).st_mtime_ns if file else None


def _read(path: Path) -> str:
    """Return the holder's name; empty where nobody holds it."""
    with _opened(path) as file:
        return file.read(_LONGEST).decode(errors="replace").strip() if file else ""


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | None]:
    """Open the file, which asks the server; None where there is none.

    Raises SetupError for what cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be read ({error.strerror}), and it says whether another host is at "
            "work here; remove it if none is"
        ) from error
    with file:
        yield file
