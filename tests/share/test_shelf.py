"""Every kind of place keeps one promise: a file is whole or not there, and what was created stays."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from repro.errors import EvidenceError, InputError, SetupError
from repro.share.pull import pull_results
from repro.share.shelf import open_shelf, refuse_inside


def test_files_are_put_found_and_read(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    (tmp_path / "other").write_bytes(b"y")
    with open_shelf(url, new=True) as shelf:
        assert shelf.size("a/b/c") is None
        assert shelf.names("a") == []
        shelf.put("a/b/c", tmp_path / "file")
        shelf.put("a/d", tmp_path / "other")
        shelf.put("e", tmp_path / "other")
        assert shelf.size("a/b/c") == 3_000_000
        assert shelf.names("a") == ["a/b/c", "a/d"]
        assert b"".join(shelf.chunks("a/b/c")) == b"x" * 3_000_000
        shelf.put("a/b/c", tmp_path / "other")
        assert shelf.size("a/b/c") == 1, "put brings a content that is named by its digest again"
        with pytest.raises(FileNotFoundError):
            b"".join(shelf.chunks("a/none"))
    with open_shelf(url) as shelf:
        assert shelf.names("a") == ["a/b/c", "a/d"]


def test_a_url_of_a_folder_is_that_folder(tmp_path: Path) -> None:
    with open_shelf(f"file://{tmp_path}/a%20shelf", new=True) as shelf:
        shelf.create("a", b"x")
    assert (tmp_path / "a shelf/a").read_bytes() == b"x"


@pytest.mark.parametrize("kind", ["pipe", "link", "loop", "linked folder"])
def test_a_folder_that_others_write_to_gives_plain_files_alone(tmp_path: Path, kind: str) -> None:
    """A pipe would never end; a link could lead to any file of whoever pulls."""
    (tmp_path / "secret").write_text("x")
    place = tmp_path / "shelf/seals"
    place.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(place / "a")
    elif kind == "linked folder":
        (place / "below").symlink_to(tmp_path)
    else:
        (place / "a").symlink_to(tmp_path / "secret" if kind == "link" else place / "a")
    with open_shelf(str(tmp_path / "shelf")) as shelf:
        name = "seals/below/secret" if kind == "linked folder" else "seals/a"
        with pytest.raises(EvidenceError):
            b"".join(shelf.chunks(name))
        done = pull_results(tmp_path / "target", shelf, None, lambda _: None)
    assert len(done.refused) == 1
    assert not list((tmp_path / "target").rglob("a"))


@pytest.mark.parametrize("given", ["", "results", "results/runs", "results/../results"])
def test_a_results_folder_is_no_place_to_push_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"is empty|lies in the results folder"):
        refuse_inside(given, Path("results"))
    for other in ("elsewhere", "results-2", "s3://results/x"):
        refuse_inside(other, Path("results"))


def test_what_was_created_stays(url: str) -> None:
    with open_shelf(url, new=True) as shelf:
        assert shelf.create("a/b", b"first")
        assert not shelf.create("a/b", b"second")
        assert b"".join(shelf.chunks("a/b")) == b"first"
        assert shelf.names("a") == ["a/b"], "nothing is left beside"


def test_of_many_at_once_one_creates(url: str) -> None:
    def create(number: int) -> bool:
        with open_shelf(url, new=True) as shelf:
            return shelf.create("a/b/c", str(number).encode() * 100)

    with ThreadPoolExecutor(4) as pool:
        won = [number for number, new in enumerate(pool.map(create, range(4))) if new]
    with open_shelf(url) as shelf:
        assert [b"".join(shelf.chunks("a/b/c"))] == [str(number).encode() * 100 for number in won]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("http://host/x", "expected a folder"),
        ("s3:///x", "expected a folder"),
        ("file://elsewhere/x", "names the host elsewhere"),
        ("none/of/this", "found no folder"),
        ("sftp://user:secret@127.0.0.1:1/x", "a password in a URL"),
    ],
)
def test_another_place_is_refused_in_one_line(given: str, words: str) -> None:
    with pytest.raises(InputError, match=words), open_shelf(given):
        pass


def test_a_server_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for given in ("sftp://127.0.0.1:9/x", "s3://bucket/x"):
        with pytest.raises(SetupError) as found, open_shelf(given):
            pass
        assert given.split("/")[2] in str(found.value)


@pytest.mark.parametrize("given", ["file://", "file:", "file://localhost"])
def test_an_address_without_a_folder_is_not_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"names no folder; write file:///PATH"):
        refuse_inside(given, tmp_path / "results")


def test_a_fault_of_ones_own_file_is_not_blamed_on_the_shelf(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refused, open_shelf(str(tmp_path / "shelf"), new=True):
        (tmp_path / "absent" / "run.json").read_bytes()
    assert str(refused.value).startswith(f"{tmp_path}/absent/run.json: No such file")
