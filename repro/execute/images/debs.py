"""Collect exactly the packages of docker/base.lock, from any place that still has them.

The places, in order: the folder of --pool, the packages kept from earlier builds, the machine's own
Debian mirror, Debian's snapshot archive at the moment of the lock. A file is accepted by its sha256
alone, so its origin does not matter, and a mirror needs no trust.
"""

import hashlib
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from repro.errors import SetupError
from repro.execute.images.base_lock import BaseLock, Package
from repro.files import file_digest, write_bytes

MIRRORS = {
    "debian": "http://deb.debian.org/debian",
    "debian-security": "http://deb.debian.org/debian-security",
}
"""Mirrors for machines without apt's settings."""
SOURCES = ("apt-get", "--print-uris", "update")
RELEASE = re.compile(r"'([^']+)/dists/([^/']+)/InRelease'")
TIMEOUT = 30  # seconds without a byte
_SHOWN = 6  # packages named in one line


def snapshots() -> str:
    """Return the address of Debian's snapshot archive, or of the copy that REPRO_SNAPSHOT names."""
    return os.environ.get("REPRO_SNAPSHOT", "http://snapshot.debian.org/archive").rstrip("/")


def mirrors(suite: str) -> dict[str, list[str]]:
    """Return addresses by archive: those apt uses on this machine for this suite, else Debian's
    own.
    """
    try:
        printed = subprocess.run(
            SOURCES, capture_output=True, encoding="utf-8", errors="replace", check=False
        ).stdout
    except FileNotFoundError:
        printed = ""
    used = RELEASE.findall(printed)
    security = [address for address, release in used if release == f"{suite}-security"]
    plain = [address for address, release in used if release == suite]
    return {
        "debian": plain or [MIRRORS["debian"]],
        "debian-security": security or [MIRRORS["debian-security"]],
    }


def bring_debs(
    packages: Sequence[Package], lock: BaseLock, kept: Path, pool: Path | None, ways: str
) -> list[Path]:
    """Return the .deb file of each package, fetched into `kept` where no folder has it.

    Raises SetupError in one line with every missing package, and `ways`: what to do then.
    """
    if pool is not None and not pool.is_dir():
        raise SetupError(f"--pool {pool}: no such folder; expected a folder of kept .deb files")
    kept.mkdir(parents=True, exist_ok=True)
    known = mirrors(lock.suite)
    found = {package: _bring(package, lock, known, kept, pool) for package in packages}
    missing = [package for package, path in found.items() if path is None]
    if missing:
        raise SetupError(
            f"base image: {_moved(missing)}, and no --pool, mirror or snapshot had them; {ways}"
        )
    return [path for path in found.values() if path is not None]


def _moved(missing: Sequence[Package]) -> str:
    """Return in words which packages Debian no longer offers."""
    named = ", ".join(f"{package.name} {package.version}" for package in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"Debian has moved on from {named}{more} (docker/base.lock)"


def _bring(
    package: Package, lock: BaseLock, known: dict[str, list[str]], kept: Path, pool: Path | None
) -> Path | None:
    """Return a package's file from the first place that has it; None where none does."""
    path = kept / package.file
    if _is(path, package):
        return path
    for folder in (pool,) if pool else ():
        if _is(folder / package.file, package):
            shutil.copy(folder / package.file, path)
            return path
    for address in _addresses(package, lock, known):
        content = fetch(address)
        if content is not None and hashlib.sha256(content).hexdigest() == package.sha256:
            write_bytes(path, content)
            return path
    return None


def _is(path: Path, package: Package) -> bool:
    """Return whether a file is the package's."""
    return path.is_file() and file_digest(path) == package.sha256


def _addresses(package: Package, lock: BaseLock, known: dict[str, list[str]]) -> Iterator[str]:
    """Yield the addresses of a package: the mirrors', then the snapshot archive's."""
    for mirror in known[package.archive]:
        yield f"{mirror}/{package.path}"
    yield f"{snapshots()}/{package.archive}/{lock.moment}/{package.path}"


def fetch(address: str) -> bytes | None:
    """Return the content at an address; None where there is none, or nothing answers."""
    try:
        with urllib.request.urlopen(_quoted(address), timeout=TIMEOUT) as answer:
            content: bytes = answer.read()
            return content
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _quoted(address: str) -> str:
    """Escape characters of Debian's versions that addresses would read differently."""
    return address.replace("+", "%2B").replace("~", "%7E")
