"""Build the tar file of a root file system from .deb files.

The same packages give the same bytes on any machine. Packages are unpacked and none of their
programs runs, so neither the version of dpkg nor the machine matters. What these programs would do
and a worker needs is done here: merged /usr, two users, no more.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from repro.errors import SetupError

EPOCH = 1_700_000_000
"""Time of every file. Its value does not matter, as long as it is constant."""
MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders of the root that are links into /usr, as on every Debian since bookworm."""
_LEFT_OUT = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/bug",
)
"""Documentation. Copyright files stay: distributing an image requires them."""
USERS = (
    "root:x:0:0:root:/root:/usr/sbin/nologin\nworker:x:10001:10001:worker:/tmp:/usr/sbin/nologin\n"
)
GROUPS = "root:x:0:\nworker:x:10001:\n"
FOLDERS = {
    "tmp": 0o1777,
    "evidence": 0o755,
    "cache": 0o755,
    "opt": 0o755,
    "proc": 0o755,
    "sys": 0o755,
    "dev": 0o755,
}
ARCHIVE = b"!<arch>\n"


def write_tar(packages: Sequence[Path], out: Path) -> str:
    """Write the root file system of these .debs to `out`, and return its sha256.

    Raises SetupError for a broken package.
    """
    items: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    for package in packages:
        for item, content in _unpacked(package):
            there = items.get(item.name)
            if there is None:
                items[item.name] = (item, content)
            elif not (item.isdir() and there[0].isdir()):
                raise SetupError(
                    f"{package.name}: has {item.name}, as another package has; docker/base.lock "
                    "is wrong"
                )
    for item, content in _own():
        items[item.name] = (item, content)
    with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in _ordered(items):
            item, content = items[name]
            archive.addfile(item, io.BytesIO(content) if item.isreg() else None)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def _ordered(items: dict[str, tuple[tarfile.TarInfo, bytes]]) -> list[str]:
    """Return the names sorted, all hard links behind everything else."""
    return sorted(items, key=lambda name: (items[name][0].islnk(), name))


def _unpacked(package: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield the files of a package that are kept, with their content."""
    with (
        package.open("rb") as file,
        tarfile.open(fileobj=_data(file, package), mode="r:*") as archive,
    ):
        for item in archive:
            name = _merged(item.name)
            if not name or _left_out(name):
                continue
            source = archive.extractfile(item) if item.isreg() else None
            yield _plain(item, name), source.read() if source else b""


def _data(file: IO[bytes], package: Path) -> IO[bytes]:
    """Find data.tar.* in a .deb.

    A .deb is an ar archive: a name of 16 characters, the size at 48, two more to 60.
    """
    if file.read(8) != ARCHIVE:
        raise SetupError(f"{package}: is no .deb file; remove it, it will be fetched again")
    while len(head := file.read(60)) == 60:
        name, size = head[:16].decode(errors="replace").strip().rstrip("/"), int(head[48:58])
        content = file.read(size + size % 2)[:size]
        if name in ("data.tar.xz", "data.tar.gz", "data.tar.bz2", "data.tar"):
            return io.BytesIO(content)
        if name.startswith("data.tar"):
            raise SetupError(
                f"{package}: is packed as {name}, expected xz, gz or bz2; use Debian's own package"
            )
    raise SetupError(f"{package}: holds no data.tar; remove it, it will be fetched again")


def _merged(path: str) -> str:
    """Return a package's path under merged /usr.

    Empty for the root itself and the merged folders.
    """
    name = path.removeprefix("./").strip("/")
    first, _, rest = name.partition("/")
    if first in MERGED:
        return f"usr/{first}/{rest}" if rest else ""
    return "" if name == "." else name


def _left_out(name: str) -> bool:
    """Return whether a file is left out."""
    if name.endswith("/copyright"):
        return False
    return "__pycache__" in name.split("/") or any(
        name == at or name.startswith(f"{at}/") for at in _LEFT_OUT
    )


def _plain(item: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    """Return an archive member without traces of the machine or the time it was packed."""
    plain = tarfile.TarInfo(name)
    plain.type, plain.mode, plain.mtime = item.type, item.mode & 0o7777, EPOCH
    plain.uid, plain.gid, plain.size = item.uid, item.gid, item.size if item.isreg() else 0
    plain.linkname = _merged(item.linkname) if item.islnk() else item.linkname
    return plain


def _own() -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield the files that the packages' programs would make, as far as a worker needs them."""
    for name in MERGED:
        yield _made(name, tarfile.SYMTYPE, 0o777, link=f"usr/{name}"), b""
        yield _made(f"usr/{name}", tarfile.DIRTYPE, 0o755), b""
    for name, mode in FOLDERS.items():
        yield _made(name, tarfile.DIRTYPE, mode), b""
    for name, text in (("etc/passwd", USERS), ("etc/group", GROUPS)):
        yield _made(name, tarfile.REGTYPE, 0o644, size=len(text)), text.encode()


def _made(name: str, kind: bytes, mode: int, size: int = 0, link: str = "") -> tarfile.TarInfo:
    """Return an archive member made here."""
    item = tarfile.TarInfo(name)
    item.type, item.mode, item.mtime, item.size, item.linkname = kind, mode, EPOCH, size, link
    return item
