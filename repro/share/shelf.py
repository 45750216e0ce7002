"""A place that evidence is pushed to: a folder here, S3, or a folder behind SSH.

A shelf keeps files by name. A file is there whole or not at all, whenever a process is killed, and
what was created stays as it is: nothing here removes or replaces it.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote, urlsplit

from repro.errors import InputError, SetupError, first_line
from repro.evidence.reading import opened_plain
from repro.files import sync_folder, user_path, way_out

SENT_AT_ONCE = 1 << 20
_KINDS = "a folder, file://PATH, s3://BUCKET/PREFIX or sftp://USER@HOST/PATH"


class Shelf(Protocol):
    """Files by name, `/` between folders."""

    def names(self, under: str) -> list[str]:
        """Return the names of all whole files below a folder, sorted."""

    def size(self, name: str) -> int | None:
        """Return the bytes of a file; None where there is none."""

    def put(self, name: str, file: Path) -> None:
        """Bring a file, whole or not at all. The same name has the same content."""

    def create(self, name: str, content: bytes) -> bool:
        """Bring a new file, whole or not at all; return False where one of this name is there."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises FileNotFoundError where there is none."""


@contextmanager
def open_shelf(url: str, new: bool = False) -> Iterator[Shelf]:
    """Open the place that a URL names; `new`: a folder that is not there is made.

    Raises InputError for a URL of another kind, SetupError where it cannot be reached or what it
    needs is not installed.
    """
    parts = urlsplit(url)
    try:
        if parts.scheme in ("", "file") or (len(parts.scheme) == 1 and os.name == "nt"):
            yield FolderShelf.at(_local(url), new)
        elif parts.scheme == "s3" and parts.netloc:
            from repro.share.s3 import opened_s3

            with opened_s3(parts.netloc, parts.path.strip("/")) as shelf:
                yield shelf
        elif parts.scheme in ("sftp", "ssh") and parts.hostname:
            from repro.share.sftp import opened_sftp

            with opened_sftp(parts, new) as remote:
                yield remote
        else:
            raise InputError(f"{url}: expected {_KINDS}")
    except ImportError as error:
        raise SetupError(
            f"{url}: needs the package {error.name}; pip install 'repro-harness[travel]'"
        ) from None
    except OSError as error:
        # What is done with a shelf may fail on a file of this machine, which is then at fault.
        place, words = (
            (error.filename, error.strerror) if error.filename else (url, first_line(error))
        )
        raise SetupError(f"{place}: {words}; {way_out(error)}") from error


def refuse_inside(url: str, results: Path) -> None:
    """Raise InputError for a URL that names a results folder, or a place in one."""
    if urlsplit(url).scheme not in ("", "file"):
        return
    if not url.strip():
        raise InputError(f"URL: is empty; give {_KINDS}")
    if _local(url).resolve().is_relative_to(results.resolve()):
        raise InputError(
            f"{url}: lies in the results folder {results} itself; name a place of its own"
        )


def _local(url: str) -> Path:
    """Return the path that a URL, or a path, names. Raises InputError for another host's."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return user_path(url, "URL")
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"{url}: names the host {parts.netloc}; write file:///PATH for a folder")
    if not parts.path:
        raise InputError(f"{url}: names no folder; write file:///PATH")
    return user_path(unquote(parts.path), "URL")


class FolderShelf:
    """A folder on this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def at(cls, path: Path, new: bool) -> "FolderShelf":
        """Return the shelf in a folder. Raises InputError where there is none."""
        if new:
            path.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            raise InputError(f"{path}: found no folder, expected one that was pushed to")
        return cls(path.resolve())

    def names(self, under: str) -> list[str]:
        """Return the names of all whole files below a folder, sorted."""
        found = (path for path in (self.path / under).rglob("*") if not path.name.startswith("."))
        # A link or a pipe is among them: reading it says what it is.
        files = (path for path in found if path.is_symlink() or not path.is_dir())
        return sorted(path.relative_to(self.path).as_posix() for path in files)

    def size(self, name: str) -> int | None:
        """Return the bytes of a file; None where there is none."""
        try:
            return (self.path / name).stat().st_size
        except FileNotFoundError:
            return None

    def put(self, name: str, file: Path) -> None:
        """Bring a file: a copy beside, then a rename."""
        with file.open("rb") as content, self._beside(name, content) as beside:
            os.replace(beside, self.path / name)
        sync_folder((self.path / name).parent)

    def create(self, name: str, content: bytes) -> bool:
        """Bring a new file: a copy beside, then a link, which fails where there is one."""
        with self._beside(name, content) as beside:
            try:
                os.link(beside, self.path / name)
            except FileExistsError:
                return False
        sync_folder((self.path / name).parent)
        return True

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file.

        Raises FileNotFoundError where there is none, EvidenceError for a link or a pipe.
        """
        if not os.path.lexists(self.path / name):
            raise FileNotFoundError(name)
        with opened_plain(self.path, name) as (file, _):
            while chunk := file.read(SENT_AT_ONCE):
                yield chunk

    @contextmanager
    def _beside(self, name: str, content: IO[bytes] | bytes) -> Iterator[str]:
        """Yield a whole, flushed copy beside a file's place; it is removed in the end."""
        folder = (self.path / name).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    while chunk := content.read(SENT_AT_ONCE):
                        file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(beside, 0o644)
            yield beside
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)
