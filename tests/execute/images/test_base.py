"""The base is a list of files: the same bytes wherever they come from, and one clear line where
nobody has them.
"""

import hashlib
import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.cli import main
from repro.errors import SetupError
from repro.execute.images import debs
from repro.execute.images.archive import current, version_order
from repro.execute.images.base_lock import (
    BaseLock,
    Package,
    load_base_lock,
    moved_packages,
    write_base,
)
from repro.execute.images.build import BUILD_SCRATCH
from repro.execute.images.debs import bring_debs, mirrors
from repro.execute.images.rootfs import write_tar

MOMENT = "20261129T120000Z"
WAYS = "three ways out"
needs_gpg = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are absent"
)


@pytest.fixture(scope="module")
def debian(helper: Callable[[str], ModuleType]) -> Any:
    """The helper that makes packages and archives."""
    return helper("execute/images/debian.py")


@pytest.fixture
def archive(
    debian: Any,
    helper: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """An archive on loopback that this machine takes for its mirror and for Debian's snapshots."""
    if shutil.which("gpg") is None:
        pytest.skip("needs gpg, which signs the archive of the test")
    held = debian.Archive(tmp_path / "gpg")
    with helper("fetch/loopback.py").serving(held.answer) as address:
        monkeypatch.setattr(debs, "SOURCES", ("/no/apt/here",))
        monkeypatch.setitem(debs.MIRRORS, "debian", f"{address}/mirror")
        monkeypatch.setitem(debs.MIRRORS, "debian-security", f"{address}/security")
        monkeypatch.setenv("REPRO_SNAPSHOT", f"{address}/snapshot")
        yield held


def lock_of(debian: Any, packages: dict[tuple[str, str], bytes]) -> BaseLock:
    """A lock of these packages."""
    return BaseLock(
        suite="bookworm",
        moment=MOMENT,
        sha256="0" * 64,
        packages=tuple(
            Package(
                name=name,
                version=version,
                role="worker",
                archive="debian",
                path=debian.path_of(name, version),
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            for (name, version), content in packages.items()
        ),
    )


@pytest.fixture
def packages(debian: Any) -> dict[tuple[str, str], bytes]:
    """Two packages, one with a plus and a tilde in its version, as Debian's have them."""
    return {
        ("liba", "1.0+b2~deb12u1"): debian.deb(
            {"lib/x86/liba.so": "one", "usr/share/doc/liba/copyright": "free"}
        ),
        ("tool", "2"): debian.deb(
            {"bin/tool": "two", "usr/share/man/tool.1": "words"}, {"bin/t": "tool"}
        ),
    }


def build(lock: BaseLock, kept: Path, out: Path, pool: Path | None = None) -> str:
    """Digest of the base's tar."""
    return write_tar(bring_debs(lock.packages, lock, kept, pool, WAYS), out)


def test_the_same_bytes_come_from_mirror_kept_packages_and_snapshot(
    archive: Any, debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """The mirror moves on to newer packages and forgets the old: a folder of kept .debs and the
    snapshot do not.
    """
    lock = lock_of(debian, packages)
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

    at = f"/snapshot/debian/{MOMENT}"
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
    lock = lock_of(debian, packages)
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
    lock = lock_of(debian, packages)
    (tmp_path / "pool").mkdir()
    for package in lock.packages:
        (tmp_path / "pool" / package.file).write_bytes(b"other")
        archive.held[f"/mirror/{package.path}"] = b"other"
    with pytest.raises(SetupError, match=r"Debian has moved on from liba .*, tool 2"):
        build(lock, tmp_path / "kept", tmp_path / "base.tar", pool=tmp_path / "pool")
    for package in lock.packages:
        archive.held[f"/snapshot/debian/{MOMENT}/{package.path}"] = packages[
            package.name, package.version
        ]
    assert build(lock, tmp_path / "kept", tmp_path / "base.tar", pool=tmp_path / "pool")


def test_a_pool_that_is_no_folder_is_refused(
    debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match=r"--pool .*absent: no such folder"):
        bring_debs((), lock_of(debian, packages), tmp_path / "kept", tmp_path / "absent", WAYS)


def test_the_order_of_packages_does_not_change_the_base(
    debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """And one changed byte in a package does."""
    paths = []
    for index, content in enumerate((*packages.values(), debian.deb({"etc/more": "m"}))):
        paths.append(tmp_path / f"{index}.deb")
        paths[-1].write_bytes(content)
    digests = {write_tar(order, tmp_path / "base.tar") for order in itertools.permutations(paths)}
    assert len(digests) == 1
    paths[2].write_bytes(debian.deb({"etc/more": "n"}))
    assert write_tar(paths, tmp_path / "base.tar") not in digests


def test_the_base_is_unpacked_under_merged_usr_without_documentation(
    packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """Licences stay, manuals go, /bin and /lib are links, and the two users are there."""
    import tarfile

    paths = [tmp_path / f"{name}.deb" for name, _ in packages]
    for path, content in zip(paths, packages.values(), strict=True):
        path.write_bytes(content)
    write_tar(paths, tmp_path / "base.tar")
    with tarfile.open(tmp_path / "base.tar") as base:
        found = {item.name: item for item in base}
        passwd = base.extractfile("etc/passwd")
        assert passwd is not None
        assert b"worker:x:10001:" in passwd.read()
    assert {
        "usr/bin/tool",
        "usr/bin/t",
        "usr/lib/x86/liba.so",
        "usr/share/doc/liba/copyright",
    } <= found.keys()
    assert found["bin"].linkname == "usr/bin"
    assert not any("man" in name for name in found)
    assert {item.mtime for item in found.values()} == {1_700_000_000}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"not a package", "is no .deb file"), (b"!<arch>\n", "holds no data.tar")],
)
def test_a_broken_package_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "broken.deb").write_bytes(content)
    with pytest.raises(SetupError, match=words):
        write_tar([tmp_path / "broken.deb"], tmp_path / "base.tar")


def test_two_packages_with_the_same_file_are_refused(debian: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.deb").write_bytes(debian.deb({"etc/same": name}))
    with pytest.raises(SetupError, match=r"two.deb: has etc/same, as another package has"):
        write_tar([tmp_path / "one.deb", tmp_path / "two.deb"], tmp_path / "base.tar")


@needs_gpg
def test_what_the_mirror_has_now_is_read_from_its_signed_list(archive: Any, debian: Any) -> None:
    """The newer of plain and security archive is taken, and the packages that moved are named with
    both versions.
    """
    old = lock_of(debian, {("liba", "1"): b"1", ("tool", "1"): b"t"})
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
    old = lock_of(debian, {("liba", "1"): b"1"})
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


def test_the_lock_is_read_back_as_it_was_written(
    debian: Any, packages: dict[tuple[str, str], bytes], tmp_path: Path
) -> None:
    """One package a line, so that a change shows what moved."""
    lock = lock_of(debian, packages)
    write_base(lock, tmp_path / "base.lock")
    assert load_base_lock(tmp_path / "base.lock") == lock
    assert (
        sum(
            '"sha256"' in line and '"name"' in line
            for line in (tmp_path / "base.lock").read_text().splitlines()
        )
        == 2
    )
    (tmp_path / "base.lock").write_text("{")
    with pytest.raises(SetupError, match="cannot be read"):
        load_base_lock(tmp_path / "base.lock")


def test_a_package_with_two_files_is_refused(debian: Any, tmp_path: Path) -> None:
    """The lock with each of them alone is read."""
    one, other = (lock_of(debian, {("liba", version): b"1"}) for version in ("1", "2"))
    for lock in (one, other):
        write_base(lock, tmp_path / "base.lock")
        assert load_base_lock(tmp_path / "base.lock") == lock
    both = one.model_copy(update={"packages": one.packages + other.packages})
    write_base(both, tmp_path / "base.lock")
    with pytest.raises(SetupError, match=r"base\.lock: found more than one file of liba, expected"):
        load_base_lock(tmp_path / "base.lock")


def test_the_projects_base_has_no_compiler_and_builds_to_its_digest(tmp_path: Path) -> None:
    """The real lock, from the .debs that a build here has kept; where none was built, its roles
    alone are looked at.
    """
    lock = load_base_lock()
    worker = {package.name for package in lock.of_role("worker")}
    assert {"libc6", "python3.11-minimal", "dash"} <= worker
    assert not {
        name for name in worker if name.startswith(("gcc-12", "cpp", "binutils", "libc6-dev"))
    } - {"gcc-12-base"}
    kept = BUILD_SCRATCH / "debs"
    if all((kept / package.file).is_file() for package in lock.of_role("worker")):
        paths = bring_debs(lock.of_role("worker"), lock, kept, None, WAYS)
        assert write_tar(paths, tmp_path / "base.tar") == lock.sha256


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
        f"repro images: the base: Debian has moved on from {first.name} {first.version}, "
    )
    assert " more (docker/base.lock), and no --pool, mirror or snapshot had them; " in line
    for way in ("repro images cpu --pool DIR", "--pull REF", "--load FILE", "--moved"):
        assert way in line
    asked = [path for path in archive.asked if first.file in path]
    assert [path.split("/")[1] for path in asked] == ["mirror", "snapshot"]
