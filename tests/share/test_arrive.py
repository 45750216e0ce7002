"""What somebody hostile puts where evidence is pulled from does not arrive, and harms nothing here."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.share.arrive import ARRIVING
from repro.share.parcel import PackedFile, Parcel, blob, read_parcel
from repro.share.pull import Pulled, pull_results
from repro.share.push import push_results
from repro.share.shelf import FolderShelf, Shelf, open_shelf


def files(results: Path) -> dict[str, bytes]:
    """What lies in a results folder, without what is on its way."""
    found = (path for path in results.glob("[a-z]*/**/*") if path.is_file())
    return {str(path.relative_to(results)): path.read_bytes() for path in found}


def push(results: Path, url: Path) -> None:
    """Push everything."""
    with open_shelf(str(url), new=True) as shelf:
        assert push_results(results, shelf, None, lambda _: None).refused == []


def pull(results: Path, shelf: Shelf) -> Pulled:
    """Pull everything."""
    return pull_results(results, shelf, None, lambda _: None)


@pytest.fixture
def shelf(carried: Path, tmp_path: Path) -> FolderShelf:
    """A place with three runs."""
    push(carried, tmp_path / "shelf")
    return FolderShelf(tmp_path / "shelf")


def first_of(shelf: FolderShelf) -> Parcel:
    """The first of the parcels there."""
    return read_parcel(shelf, shelf.names("parcels")[0])


def put(shelf: FolderShelf, name: str, content: bytes) -> None:
    """Write a file there."""
    (shelf.path / name).parent.mkdir(parents=True, exist_ok=True)
    (shelf.path / name).write_bytes(content)


def packed(shelf: FolderShelf, content: bytes) -> PackedFile:
    """Put a content there; return how a parcel names it."""
    one = PackedFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    put(shelf, blob(one.sha256), content)
    return one


def forge(shelf: FolderShelf, parcel: Parcel, **more: object) -> Parcel:
    """Put another parcel there, whose name fits what it says."""
    forged = parcel.model_copy(update=more)
    put(shelf, forged.name, forged.content())
    return forged


@pytest.mark.parametrize("name", ["state.safetensors", "completions/a.000002.jsonl", "steps/x.parquet"])  # fmt: skip
def test_a_file_that_no_marker_lists_is_named_and_the_true_parcel_arrives(
    shelf: FolderShelf, carried: Path, tmp_path: Path, name: str
) -> None:
    one = first_of(shelf)
    forge(shelf, one, files={**one.files, name: packed(shelf, b"x")})
    found = pull(tmp_path / "target", shelf)
    assert (found.new, len(found.refused)) == (3, 1)
    assert f"the parcel holds {name}" in found.refused[0]
    assert files(tmp_path / "target") == files(carried)
    found = pull(tmp_path / "target", shelf)
    assert (found.new, found.known, len(found.refused)) == (0, 3, 1)
    assert files(tmp_path / "target") == files(carried), "nor into a run that is here"


def second(folder: RunFolder, names: list[str]) -> bytes:
    """A second part of a run's marker that lists files which may not be there."""
    marker = folder.done()
    assert marker
    content = {
        "format": 2, "first": marker.digests["done.json"], "finished": marker.finished,
        "files": dict.fromkeys(names, "0" * 64), "weights": [],
    }  # fmt: skip
    return json.dumps(content).encode()


def test_a_second_part_that_does_not_fit_leaves_the_run_here_whole(
    shelf: FolderShelf, tmp_path: Path
) -> None:
    pull(tmp_path / "target", shelf)
    before, one = files(tmp_path / "target"), first_of(shelf)
    forged = packed(shelf, second(RunFolder(tmp_path / "target" / one.place), ["scores/a.json"]))
    forge(
        shelf, one, last=("done.json", "done.second.json"),
        files={**one.files, "done.second.json": forged},
    )  # fmt: skip
    found = pull(tmp_path / "target", shelf)
    assert (found.known, len(found.refused)) == (3, 1)
    assert "scores/a.json: found no file" in found.refused[0]
    assert files(tmp_path / "target") == before


def test_a_second_part_that_fits_arrives(shelf: FolderShelf, carried: Path, tmp_path: Path) -> None:
    pull(tmp_path / "target", shelf)
    folder = RunFolder(carried / first_of(shelf).place)
    (folder.path / "completions").mkdir()
    (folder.path / "completions/a.000002.jsonl").write_text("{}\n")
    folder.finish_second(["completions/a.000002.jsonl"])
    push(carried, shelf.path)
    found = pull(tmp_path / "target", shelf)
    assert (found.new, found.known, found.refused) == (1, 2, [])
    assert files(tmp_path / "target") == files(carried)
    assert not (tmp_path / "target" / ARRIVING).exists()
    (folder.path / "completions/b.000002.jsonl").write_text("{}\n")
    folder.finish_second(["completions/a.000002.jsonl", "completions/b.000002.jsonl"])
    push(carried, shelf.path)
    found = pull(tmp_path / "target", shelf)
    assert (found.known, len(found.refused)) == (3, 1), "another second part does not replace it"
    assert "another version" in found.refused[0]


def test_a_file_in_a_file_is_no_parcel(shelf: FolderShelf, tmp_path: Path) -> None:
    one = first_of(shelf)
    forge(shelf, one, files={**one.files, "run.json/x": packed(shelf, b"x")})
    found = pull(tmp_path / "target", shelf)
    assert (found.new, len(found.refused)) == (3, 1)
    assert "run.json is a file" in found.refused[0]


@pytest.mark.parametrize("kind", ["lists", "seals", "statements"])
def test_a_record_that_is_not_what_its_name_says_is_named_and_not_taken(
    shelf: FolderShelf, tmp_path: Path, kind: str
) -> None:
    put(shelf, f"statements/x/{hashlib.sha256(b'{}').hexdigest()}.json", b"{}")
    name = shelf.names(kind)[0]
    put(shelf, name, (shelf.path / name).read_bytes().replace(b"{", b"{ ", 1))
    found = pull(tmp_path / "target", shelf)
    assert found.new == 3
    assert len(found.refused) == 1
    assert name in found.refused[0]
    here = files(tmp_path / "target")
    assert (f"asked/{Path(name).parent.name}.json" if kind == "lists" else name) not in here
    assert {path.split("/")[0] for path in here} >= {"runs", "seals"}


def test_names_that_nobody_here_writes_are_named_in_plain_letters(
    shelf: FolderShelf, tmp_path: Path
) -> None:
    folder = os.fsencode(shelf.path / "parcels/runs/x/y")
    os.makedirs(folder)
    odd = (b"\xff.json", b"\x1b[31m.json", "ä\u202e.json".encode(), b"a\nb.json")
    for name in odd:
        with open(os.path.join(folder, name), "wb"):
            pass
    found = pull(tmp_path / "target", shelf)
    assert (found.new, len(found.refused)) == (3, len(odd))
    assert all(line.isascii() and line.isprintable() for line in found.refused)


def test_links_there_are_named_and_the_rest_arrives(shelf: FolderShelf, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    one = first_of(shelf)
    for name in (one.name, blob(one.files["usage.json"].sha256)):
        whole = (shelf.path / name).read_bytes()
        (shelf.path / name).unlink()
        (shelf.path / name).symlink_to(secret)
        found = pull(tmp_path / "target", shelf)
        assert (found.new + found.known, len(found.refused)) == (2, 1)
        assert "is a link" in found.refused[0]
        (shelf.path / name).unlink()
        put(shelf, name, whole)
    assert pull(tmp_path / "target", shelf).new == 1


class Changing(FolderShelf):
    """A place whose files are others, and then gone, when they are read once more."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.read: list[str] = []

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file as it is the first time, then changed, then nothing."""
        self.read.append(name)
        if self.read.count(name) > 2:
            raise FileNotFoundError(name)
        for chunk in super().chunks(name):
            yield chunk if self.read.count(name) == 1 else chunk.replace(b"0", b"1")


def test_a_place_that_changes_between_reads_brings_what_was_pushed_or_nothing(
    shelf: FolderShelf, carried: Path, tmp_path: Path
) -> None:
    changing = Changing(shelf.path)
    for _ in range(3):
        pull(tmp_path / "target", changing)
        assert files(tmp_path / "target").items() <= files(carried).items()
    assert pull(tmp_path / "target", shelf).refused == []
    assert files(tmp_path / "target") == files(carried)


def test_what_another_version_left_on_the_way_is_no_part_of_a_run(
    shelf: FolderShelf, carried: Path, tmp_path: Path
) -> None:
    stage = tmp_path / "target" / ARRIVING / first_of(shelf).place
    (stage / "adapter").mkdir(parents=True)
    (stage / "adapter/x").write_text("x")
    (stage / "state.safetensors").symlink_to(tmp_path)
    assert pull(tmp_path / "target", shelf).new == 3
    assert files(tmp_path / "target") == files(carried)
    shutil.rmtree(tmp_path / "target")
