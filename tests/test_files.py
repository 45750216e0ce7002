"""A file is whole or absent, and one that cannot be written is told with what to do."""

import errno
import hashlib
import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import SetupError
from repro.files import (
    canonical_json,
    digest,
    file_digest,
    is_file,
    is_folder,
    user_path,
    way_out,
    write_bytes,
    write_json,
    write_target,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=4))
def test_the_same_content_has_the_same_text_in_any_order_of_its_keys(
    content: dict[str, object],
) -> None:
    turned = dict(reversed(content.items()))
    assert canonical_json(content) == canonical_json(turned)
    assert json.loads(canonical_json(content)) == content


def test_a_digest_is_the_sha256_of_the_canonical_text(tmp_path: Path) -> None:
    text = '{"a":[1,2],"é":null}'
    assert canonical_json({"é": None, "a": [1, 2]}) == text
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert digest({"é": None, "a": [1, 2]}) == expected
    (tmp_path / "file").write_text(text, encoding="utf-8")
    assert file_digest(tmp_path / "file") == expected


def test_readable_json_keeps_the_order_of_its_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "file.json", {"b": "é", "a": 1})
    assert (tmp_path / "deep" / "file.json").read_text("utf-8") == '{\n  "b": "é",\n  "a": 1\n}\n'


def test_a_full_disk_is_one_clear_line_and_leaves_the_old_file() -> None:
    """/dev/full refuses every write with the error of a full disk."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, which only Linux has")
    with pytest.raises(SetupError, match="could not be written"):
        write_bytes(full / "file", b"x")


def test_a_failed_write_leaves_the_old_content_and_no_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "not bytes")  # type: ignore[arg-type]  # on purpose
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_named_is_replaced_and_a_link_or_a_pipe_is_written_to(
    tmp_path: Path,
) -> None:
    target, link, pipe = tmp_path / "file", tmp_path / "link", tmp_path / "pipe"
    write_target(target, b"new")
    inode = target.stat().st_ino
    link.symlink_to(target)
    write_target(link, b"through the link")
    assert link.is_symlink()
    assert (target.read_bytes(), target.stat().st_ino) == (b"through the link", inode)
    write_target(target, b"replaced")
    assert target.stat().st_ino != inode
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_target(pipe, b"x" * 200_000)
    reader.join(10)
    assert read == [b"x" * 200_000]
    assert pipe.is_fifo()


def test_a_folder_in_a_files_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=f"{tmp_path}: could not be written .*Is a directory"):
        write_target(tmp_path, b"x")


def test_a_full_disk_has_another_way_out_than_missing_permissions() -> None:
    assert way_out(OSError(errno.ENOSPC, "")).startswith("free disk space")
    assert way_out(OSError(errno.EDQUOT, "")).startswith("free disk space")
    assert way_out(OSError(errno.EACCES, "")).endswith("correct its permissions")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "absent"])
def test_a_name_that_no_file_system_accepts_has_neither_file_nor_folder(
    tmp_path: Path, name: str
) -> None:
    assert not is_file(tmp_path / name)
    assert not is_folder(tmp_path / name)
    (tmp_path / "file").touch()
    assert (is_file(tmp_path / "file"), is_folder(tmp_path / "file")) == (True, False)
    assert (is_file(tmp_path), is_folder(tmp_path)) == (False, True)


def test_a_users_path_is_absolute_and_may_begin_in_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert user_path("~/results", "--results") == tmp_path / "home" / "results"
    assert user_path("results", "--results") == tmp_path / "results"


def test_a_users_path_that_cannot_be_kept_names_the_option_it_came_from() -> None:
    with pytest.raises(SetupError, match="REPRO_RESULTS is no text in UTF-8; choose a folder"):
        user_path("caf\udce9", "REPRO_RESULTS")
    with pytest.raises(SetupError, match=r"^~nobody-here/x: there is no home .*set --results"):
        user_path("~nobody-here/x", "--results")
