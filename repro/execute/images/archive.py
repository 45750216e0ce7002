"""Read a Debian archive's signed list of packages, for moving the base on purpose."""

import hashlib
import lzma
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from repro.errors import SetupError, last_line
from repro.execute.images.base_lock import BaseLock, Package
from repro.execute.images.debs import fetch, mirrors

_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_INDEX = "main/binary-amd64/Packages.xz"
Archive = Literal["debian", "debian-security"]


def current(lock: BaseLock, keys: Path = _KEYS) -> BaseLock:
    """Return the lock with every package in the mirror's current version.

    The tar's digest is left to be found. Raises SetupError where a mirror does not answer, is
    not signed by `keys`, or lacks a package.
    """
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    offered = dict(_offered(lock.suite, {package.name for package in lock.packages}, keys))
    missing = [package.name for package in lock.packages if package.name not in offered]
    if missing:
        raise SetupError(
            f"base image: Debian's mirror has no {', '.join(missing)} in {lock.suite} any more; name "
            "another mirror in apt's sources, or other packages in docker/base.lock"
        )
    packages = tuple(_taken(package, *offered[package.name]) for package in lock.packages)
    return lock.model_copy(update={"moment": now, "packages": packages, "sha256": "0" * 64})


def _offered(
    suite: str, wanted: set[str], keys: Path
) -> Iterator[tuple[str, tuple[Archive, dict[str, str]]]]:
    """Yield (package, its archive and record), older versions before newer ones."""
    found = mirrors(suite)
    releases: tuple[tuple[Archive, str], ...] = (
        ("debian", suite),
        ("debian", f"{suite}-updates"),
        ("debian-security", f"{suite}-security"),
    )
    every: list[tuple[Archive, dict[str, str]]] = [
        (archive, stanza)
        for archive, release in releases
        for stanza in _stanzas(_packages(found[archive][0], release, keys))
        if stanza["Package"] in wanted
    ]
    for archive, stanza in sorted(every, key=lambda one: version_order(one[1]["Version"])):
        yield stanza["Package"], (archive, stanza)


def version_order(version: str) -> tuple[Any, ...]:
    """Return a key that sorts Debian's versions as dpkg does: epoch, upstream version, revision."""
    epoch, _, rest = version.rpartition(":")
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch or 0), _parts(upstream), _parts(revision)


def _parts(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Return words and numbers in turn.

    `~` sorts before the end of a word, letters before all other characters.
    """
    found = re.findall(r"(\D*)(\d*)", text)
    order = {"~": -1}
    words = (
        tuple(order.get(sign, ord(sign) + (0 if sign.isalpha() else 256)) for sign in word)
        for word, _ in found
    )
    return tuple(
        ((*word, 0), int(number or 0)) for word, (_, number) in zip(words, found, strict=True)
    )


def _taken(package: Package, archive: Archive, stanza: dict[str, str]) -> Package:
    """Return a package with its current version and file."""
    return Package(
        name=package.name,
        version=stanza["Version"],
        role=package.role,
        archive=archive,
        path=stanza["Filename"],
        size=int(stanza["Size"]),
        sha256=stanza["SHA256"],
    )


def _packages(mirror: str, release: str, keys: Path) -> str:
    """Return a release's list of packages, checked against its signed InRelease."""
    top = f"{mirror}/dists/{release}"
    signed, packed = fetch(f"{top}/InRelease"), fetch(f"{top}/{_INDEX}")
    if signed is None or packed is None:
        raise SetupError(
            f"base image: {top} does not answer; see that this machine reaches a Debian mirror"
        )
    if hashlib.sha256(packed).hexdigest() not in _vouched(_verified(signed, top, keys)):
        raise SetupError(
            f"base image: {top}/{_INDEX} is not what its InRelease says; try again in an hour"
        )
    return lzma.decompress(packed).decode()


def _verified(signed: bytes, top: str, keys: Path) -> str:
    """Return the text of an InRelease without its signature, if one of `keys` made it."""
    if shutil.which("gpgv") is None or not keys.is_file():
        raise SetupError(
            f"base image: checking {top} needs gpgv and {keys} (Debian: debian-archive-keyring)"
        )
    with tempfile.TemporaryDirectory() as scratch:
        file, text = Path(scratch, "InRelease"), Path(scratch, "text")
        file.write_bytes(signed)
        command = ["gpgv", "--quiet", "--keyring", str(keys), "--output", str(text), str(file)]
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if done.returncode:
            reason = last_line(done.stderr, "no reason given")
            raise SetupError(
                f"base image: {top}/InRelease is not signed by Debian's keys ({reason}); "
                "update debian-archive-keyring, or set another mirror in apt's sources"
            )
        return text.read_text(encoding="utf-8")


def _vouched(release: str) -> set[str]:
    """Return the SHA256 digests that a release gives for its list of packages."""
    _, _, part = release.partition("\nSHA256:\n")
    lines: Iterable[list[str]] = (
        line.split() for line in part.splitlines() if line.startswith(" ")
    )
    return {words[0] for words in lines if len(words) == 3 and words[2] == _INDEX}


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """Yield the fields of each package in a list."""
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != " "
        )
        if "Package" in fields:
            yield fields
