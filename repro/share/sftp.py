"""A shelf behind SSH: a folder that an SFTP server shows.

The server's key must be a known one (~/.ssh/known_hosts), as for `ssh` itself; keys and agent are
those of `ssh`.
"""

import logging
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, unquote

import paramiko

from repro.errors import EvidenceError, InputError, SetupError, first_line
from repro.share.shelf import SENT_AT_ONCE

_LONGEST_SILENCE = 60
"""Seconds without an answer after which a connection counts as lost."""


@contextmanager
def opened_sftp(parts: SplitResult, new: bool) -> Iterator["SftpShelf"]:
    """Open the folder of a URL; `new`: one that is not there is made.

    Raises SetupError where the server cannot be reached, is not known or does not take us.
    """
    who = f"sftp://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    if parts.password:
        raise InputError(f"{who}: a password in a URL is seen by everybody here; use a key")
    root = unquote(parts.path).rstrip("/") or "/"
    client, reached = paramiko.SSHClient(), False
    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # it logs its tracebacks
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    known = os.path.expanduser("~/.ssh/known_hosts")
    try:
        if os.path.exists(known):
            client.load_host_keys(known)
        client.connect(
            parts.hostname,
            port=parts.port or 22,
            username=unquote(parts.username) if parts.username else None,
            timeout=30,
        )
        ftp = client.open_sftp()
        ftp.get_channel().settimeout(_LONGEST_SILENCE)
        reached = True
        if new:
            _make(ftp, root)
        if not _is_folder(ftp, root):
            raise InputError(f"{who}{root}: found no folder, expected one that was pushed to")
        yield SftpShelf(ftp, root)
    except UnicodeDecodeError:
        raise EvidenceError(
            f"{who}{root}: holds a name that is no UTF-8; remove it there"
        ) from None
    except TimeoutError:
        raise SetupError(
            f"{who}: silent for {_LONGEST_SILENCE} s; look whether it is up: the same command goes on"
        ) from None
    except (paramiko.SSHException, EOFError) as error:
        if reached:
            raise SetupError(
                f"{who}: the connection broke ({first_line(error).rstrip(': ')}); the same command "
                "goes on"
            ) from None
        raise SetupError(
            f"{who}: {first_line(error)}; `ssh` to it by hand once: what it says helps"
        ) from None
    finally:
        client.close()


def _make(ftp: Any, folder: str) -> None:
    """Make a folder and those above it; another process may be making them too."""
    if _is_folder(ftp, folder):
        return
    if above := folder.rpartition("/")[0]:
        _make(ftp, above)
    with suppress(OSError):
        ftp.mkdir(folder)
    ftp.stat(folder)


def _is_folder(ftp: Any, path: str) -> bool:
    try:
        return stat.S_ISDIR(ftp.stat(path).st_mode)
    except FileNotFoundError:
        return False


class SftpShelf:
    """A folder of an SFTP server."""

    def __init__(self, ftp: Any, root: str) -> None:
        self.ftp, self.root = ftp, root
        self._made: set[str] = set()

    def names(self, under: str) -> list[str]:
        """Return the names of all whole files below a folder, sorted."""
        try:
            entries = self.ftp.listdir_attr(f"{self.root}/{under}")
        except FileNotFoundError:
            return []
        found: list[str] = []
        for one in entries:
            name = f"{under}/{one.filename}".lstrip("/")
            if one.filename.startswith("."):
                continue
            found += self.names(name) if stat.S_ISDIR(one.st_mode) else [name]
        return sorted(found)

    def size(self, name: str) -> int | None:
        """Return the bytes of a file; None where there is none."""
        try:
            return int(self.ftp.stat(f"{self.root}/{name}").st_size)
        except FileNotFoundError:
            return None

    def put(self, name: str, file: Path) -> None:
        """Bring a file: a copy beside, then a rename that replaces."""
        with file.open("rb") as content, self._beside(name, content) as beside:
            self.ftp.posix_rename(beside, f"{self.root}/{name}")

    def create(self, name: str, content: bytes) -> bool:
        """Bring a new file: a copy beside, then a rename, which SFTP refuses where there is one."""
        with self._beside(name, content) as beside:
            try:
                self.ftp.rename(beside, f"{self.root}/{name}")
            except OSError:
                if self.size(name) is None:
                    raise
                return False
        return True

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file.

        Raises FileNotFoundError where there is none, EvidenceError for what cannot be read.
        """
        try:
            with self.ftp.open(f"{self.root}/{name}", "rb") as file:
                file.prefetch()
                while chunk := file.read(SENT_AT_ONCE):
                    yield chunk
        except (FileNotFoundError, TimeoutError):
            raise
        except OSError as error:
            if not self.ftp.get_channel().get_transport().is_active():
                raise
            raise EvidenceError(f"{name}: cannot be read there ({first_line(error)})") from None

    @contextmanager
    def _beside(self, name: str, content: IO[bytes] | bytes) -> Iterator[str]:
        """Yield a whole copy beside a file's place; it is removed in the end."""
        folder = f"{self.root}/{name}".rpartition("/")[0]
        if folder not in self._made:
            _make(self.ftp, folder)
            self._made.add(folder)
        beside = f"{folder}/.{uuid.uuid4().hex}.tmp"
        try:
            with self.ftp.open(beside, "wxb") as file:
                file.set_pipelined(True)
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    while chunk := content.read(SENT_AT_ONCE):
                        file.write(chunk)
            yield beside
        finally:
            with suppress(OSError):
                self.ftp.remove(beside)
