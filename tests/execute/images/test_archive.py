"""A mirror's signed list of packages: what is newest, and that nobody else made the list."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import SetupError
from repro.execute.images.archive import current, version_order
from repro.execute.images.base_lock import moved_packages

needs_gpg = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are absent"
)


@needs_gpg
def test_what_the_mirror_has_now_is_read_from_its_signed_list(archive: Any, debian: Any) -> None:
    """The newer of plain and security archive is taken, and the packages that moved are named with
    both versions.
    """
    old = debian.lock_of({("liba", "1"): b"1", ("tool", "1"): b"t"})
    archive.publish("/mirror", "bookworm", {("liba", "1.10"): b"n", ("tool", "1"): b"t"})
    archive.publish("/mirror", "bookworm-updates", {})
    archive.publish("/security", "bookworm-security", {("liba", "1.9"): b"older"})
    new = current(old, archive.keys)
    assert [(package.name, package.version) for package in new.packages] == [
        ("liba", "1.10"),
        ("tool", "1"),
    ]
    assert moved_packages(old, new) == ["liba 1 → 1.10"]
    archive.publish("/security", "bookworm-security", {("liba", "1.11"): b"newer"})
    assert current(old, archive.keys).packages[0].archive == "debian-security"


@needs_gpg
def test_a_list_that_nobody_vouches_for_is_refused(
    archive: Any, debian: Any, tmp_path: Path
) -> None:
    """Another key, a list changed after signing, a mirror that is silent; the good list was
    accepted before.
    """
    old = debian.lock_of({("liba", "1"): b"1"})
    with pytest.raises(SetupError, match="does not answer"):
        current(old, archive.keys)
    for root, release in (
        ("/mirror", "bookworm"),
        ("/mirror", "bookworm-updates"),
        ("/security", "bookworm-security"),
    ):
        archive.publish(root, release, {("liba", "2"): b"2"})
    assert current(old, archive.keys).packages[0].version == "2"
    stranger = debian.Archive(tmp_path / "stranger")
    with pytest.raises(SetupError, match="is not signed by Debian's keys"):
        current(old, stranger.keys)
    archive.held["/mirror/dists/bookworm/main/binary-amd64/Packages.xz"] += b"\0"
    with pytest.raises(SetupError, match="is not what its InRelease says"):
        current(old, archive.keys)


SIGNS = st.text("0123456789abz.+~", max_size=6)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is absent")
@given(
    one=SIGNS,
    other=SIGNS,
    revisions=st.tuples(SIGNS, SIGNS),
    epochs=st.tuples(st.booleans(), st.booleans()),
)
def test_versions_are_ordered_as_dpkg_orders_them(
    one: str, other: str, revisions: tuple[str, str], epochs: tuple[bool, bool]
) -> None:
    first, second = (
        f"{'1:' * epoch}0{word}-0{revision}"
        for word, revision, epoch in zip((one, other), revisions, epochs, strict=True)
    )
    command = ["dpkg", "--compare-versions", first, "lt", second]
    assert (version_order(first) < version_order(second)) is (
        subprocess.run(command, check=False).returncode == 0
    )


def test_versions_are_ordered_by_epoch_then_number_then_sign() -> None:
    """The examples of Debian's policy; numbers count as numbers, and a tilde sorts before nothing."""
    rising = ["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1", "1.0-1+b1", "1.0a", "1.0+", "1.2", "1.10"]
    assert sorted(["1:0.1", *rising[::-1]], key=version_order) == [*rising, "1:0.1"]


@needs_gpg
def test_a_package_that_the_mirror_has_not_is_named(archive: Any, debian: Any) -> None:
    old = debian.lock_of({("liba", "1"): b"1", ("tool", "1"): b"t"})
    archive.publish("/mirror", "bookworm", {("liba", "1"): b"1"})
    archive.publish("/mirror", "bookworm-updates", {})
    archive.publish("/security", "bookworm-security", {})
    with pytest.raises(
        SetupError,
        match=r"base image: Debian's mirror has no tool in bookworm any more; name another mirror",
    ):
        current(old, archive.keys)
