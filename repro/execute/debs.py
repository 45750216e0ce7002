"""Bringing the packages of docker/base.lock together: exactly these files, from wherever one still has them.

Looked for in this order: the folder that --pool names, the packages kept from earlier builds, the machine's own Debian
mirror, Debian's snapshot archive at the moment of the lock. A file is taken by its sha256 alone, so it does not matter
which of them it comes from, and a mirror needs no trust.
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
from repro.execute.base_lock import BaseLock, Package
from repro.files import file_digest, write_bytes

MIRRORS = {
    "debian": "http://deb.debian.org/debian",
    "debian-security": "http://deb.debian.org/debian-security",
}
"""Where machines without apt's settings look."""
SOURCES = ("apt-get", "--print-uris", "update")
RELEASE = re.compile(r"'([^']+)/dists/([^/']+)/InRelease'")
TIMEOUT = 30  # seconds without a byte
SHOWN = 6  # packages named in one line


def snapshots() -> str:
    """Return the address of Debian's snapshot archive, or of the copy that REPRO_SNAPSHOT names."""
    return os.environ.get("REPRO_SNAPSHOT", "http://snapshot.debian.org/archive").rstrip("/")


def mirrors(suite: str) -> dict[str, list[str]]:
    """Return addresses by archive: those apt uses here for this suite, else Debian's own."""
    try:
        printed = subprocess.run(SOURCES, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        printed = ""
    used = RELEASE.findall(printed)
    security = [address for address, release in used if release == f"{suite}-security"]
    plain = [address for address, release in used if release == suite]
    return {
        "debian": plain or [MIRRORS["debian"]],
        "debian-security": security or [MIRRORS["debian-security"]],
    }


def bring_debs(packages: Sequence[Package], lock: BaseLock, kept: Path, pool: Path | None, ways: str) -> list[Path]:
    """Return the .deb file of each package, fetched into `kept` where no folder has it.

    Raises SetupError in one line with every package that nobody has, and `ways`: what to do then.
    """
    if pool is not None and not pool.is_dir():
        raise SetupError(f"--pool {pool}: no such folder; expected a folder of kept .deb files")
    kept.mkdir(parents=True, exist_ok=True)
    known = mirrors(lock.suite)
    found = {package: _bring(package, lock, known, kept, pool) for package in packages}
    missing = [package for package, path in found.items() if path is None]
    if missing:
        raise SetupError(f"the base: {_moved(missing)}, and no --pool, mirror or snapshot had them; {ways}")
    return [path for path in found.values() if path is not None]


def _moved(missing: Sequence[Package]) -> str:
    named = ", ".join(f"{package.name} {package.version}" for package in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return f"Debian has moved on from {named}{more} (docker/base.lock)"


def _bring(package: Package, lock: BaseLock, known: dict[str, list[str]], kept: Path, pool: Path | None) -> Path | None:
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
    return path.is_file() and file_digest(path) == package.sha256


def _addresses(package: Package, lock: BaseLock, known: dict[str, list[str]]) -> Iterator[str]:
    for mirror in known[package.archive]:
        yield f"{mirror}/{package.path}"
    yield f"{snapshots()}/{package.archive}/{lock.moment}/{package.path}"


def fetch(address: str) -> bytes | None:
    """Return what lies at an address; None where nothing does, or nobody answers."""
    try:
        with urllib.request.urlopen(_quoted(address), timeout=TIMEOUT) as answer:
            content: bytes = answer.read()
            return content
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _quoted(address: str) -> str:
    """Escape what Debian's versions may have in a file's name and addresses read as something else."""
    return address.replace("+", "%2B").replace("~", "%7E")
