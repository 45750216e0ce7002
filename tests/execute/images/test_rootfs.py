"""The base's root file system: the same packages give the same bytes, in Debian's own layout."""

import hashlib
import io
import itertools
import tarfile
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.images.rootfs import EPOCH, write_tar


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


def test_links_inside_a_package_point_to_where_its_files_are_now(
    debian: Any, tmp_path: Path
) -> None:
    """A hard link names a path, which has moved below /usr; it comes after what it names."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:xz") as packed:
        link = tarfile.TarInfo("./bin/again")
        link.type, link.linkname = tarfile.LNKTYPE, "./bin/tool"
        file = tarfile.TarInfo("./bin/tool")
        file.size, file.uid, file.mode = 2, 7, 0o4755
        packed.addfile(file, io.BytesIO(b"ab"))
        packed.addfile(link)
    (tmp_path / "a.deb").write_bytes(b"!<arch>\n" + debian._member("data.tar.xz", sink.getvalue()))
    digest = write_tar([tmp_path / "a.deb"], tmp_path / "base.tar")
    assert digest == hashlib.sha256((tmp_path / "base.tar").read_bytes()).hexdigest()
    with tarfile.open(tmp_path / "base.tar") as base:
        again, tool = base.getmember("usr/bin/again"), base.getmember("usr/bin/tool")
        assert base.getnames()[-1] == "usr/bin/again"
    assert again.linkname == "usr/bin/tool"
    assert (tool.uid, tool.mode, tool.mtime) == (7, 0o4755, EPOCH)


def test_a_package_that_is_packed_in_another_way_is_refused(debian: Any, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"!<arch>\n" + debian._member("data.tar.zst", b"x"))
    with pytest.raises(SetupError, match=r"a\.deb: is packed as data\.tar\.zst, expected xz, gz"):
        write_tar([tmp_path / "a.deb"], tmp_path / "base.tar")
