"""The base is a list of files: the same bytes wherever they come from, and one clear line where
nobody has them.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from repro.cli import main
from repro.errors import SetupError
from repro.execute.images import debs
from repro.execute.images.base_lock import (
    BaseLock,
    load_base_lock,
)
from repro.execute.images.debs import bring_debs, mirrors
from repro.execute.images.rootfs import write_tar

WAYS = "three ways out"


def build(lock: BaseLock, kept: Path, out: Path, pool: Path | None = None) -> str:
    """Digest of the base's tar."""
    return write_tar(bring_debs(lock.packages, lock, kept, pool, WAYS), out)


def test_the_same_bytes_come_from_mirror_kept_packages_and_snapshot(
    archive: Any, debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """The mirror moves on to newer packages and forgets the old: a folder of kept .debs and the
    snapshot do not.
    """
    lock = debian.lock_of(packages)
    archive.held.update(
        {
            f"/mirror/{package.path}": packages[package.name, package.version]
            for package in lock.packages
        }
    )
    before = build(lock, tmp_path / "first", tmp_path / "first.tar")

    archive.held.clear()
    archive.held[f"/mirror/{debian.path_of('tool', '3')}"] = debian.deb({"bin/tool": "three"})
    assert (
        build(lock, tmp_path / "second", tmp_path / "second.tar", pool=tmp_path / "first") == before
    )
    assert build(lock, tmp_path / "first", tmp_path / "kept.tar") == before

    at = f"/snapshot/debian/{debian.MOMENT}"
    archive.held.update(
        {
            f"{at}/{package.path}": packages[package.name, package.version]
            for package in lock.packages
        }
    )
    assert build(lock, tmp_path / "third", tmp_path / "third.tar") == before
    assert any(path.startswith("/mirror/") for path in archive.asked), "the mirror was asked first"


def test_packages_that_nobody_has_are_one_line_with_their_names_and_the_ways_out(
    archive: Any, debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """Only those that are missing are named; the others were brought and are kept."""
    lock = debian.lock_of(packages)
    archive.held[f"/mirror/{debian.path_of('tool', '2')}"] = packages["tool", "2"]
    with pytest.raises(SetupError) as refused:
        build(lock, tmp_path / "kept", tmp_path / "base.tar")
    words = str(refused.value)
    assert "Debian has moved on from liba 1.0+b2~deb12u1 (docker/base.lock)" in words
    assert "tool" not in words
    assert words.endswith(WAYS)
    assert len(words.splitlines()) == 1
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["tool_2_amd64.deb"]


def test_a_file_with_other_bytes_is_passed_over_wherever_it_lies(
    archive: Any, debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """A pool and a mirror that were tampered with, and a true snapshot; without it the base is
    refused.
    """
    lock = debian.lock_of(packages)
    (tmp_path / "pool").mkdir()
    for package in lock.packages:
        (tmp_path / "pool" / package.file).write_bytes(b"other")
        archive.held[f"/mirror/{package.path}"] = b"other"
    with pytest.raises(SetupError, match=r"Debian has moved on from liba .*, tool 2"):
        build(lock, tmp_path / "kept", tmp_path / "base.tar", pool=tmp_path / "pool")
    for package in lock.packages:
        archive.held[f"/snapshot/debian/{debian.MOMENT}/{package.path}"] = packages[
            package.name, package.version
        ]
    assert build(lock, tmp_path / "kept", tmp_path / "base.tar", pool=tmp_path / "pool")


def test_a_pool_that_is_no_folder_is_refused(
    debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match=r"--pool .*absent: no such folder"):
        bring_debs((), debian.lock_of(packages), tmp_path / "kept", tmp_path / "absent", WAYS)


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is absent")
def test_the_machines_own_mirrors_are_those_of_apt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both kinds of sources, told apart by release; without any of the suite Debian's own."""
    (tmp_path / "sources.list").write_text("deb http://near.example/debian bookworm main\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "s.sources").write_text(
        "Types: deb\nURIs: http://near.example/security\nSuites: "
        "bookworm-security\nComponents: main\n"
    )
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts '
        f'"{tmp_path}/parts";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    assert mirrors("bookworm") == {
        "debian": ["http://near.example/debian"],
        "debian-security": ["http://near.example/security"],
    }
    assert mirrors("trixie") == {name: [address] for name, address in debs.MIRRORS.items()}


@pytest.mark.usefixtures("client")
def test_the_command_says_in_one_line_what_moved_and_what_to_do(
    archive: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`repro images` on a machine that kept nothing, where mirror and snapshot have nothing: exit
    2.
    """
    monkeypatch.setattr("repro.execute.images.build.BUILD_SCRATCH", tmp_path / "scratch")
    (tmp_path / "pool").mkdir()
    assert main(["images", "cpu", "--pool", str(tmp_path / "pool")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    first = load_base_lock().packages[0]
    assert line.startswith(
        f"repro images: base image: Debian has moved on from {first.name} {first.version}, "
    )
    assert " more (docker/base.lock), and no --pool, mirror or snapshot had them; " in line
    for way in ("repro images cpu --pool DIR", "--pull REF", "--load FILE", "--moved"):
        assert way in line
    asked = [path for path in archive.asked if first.file in path]
    assert [path.split("/")[1] for path in asked] == ["mirror", "snapshot"]
