"""The content of an image: its files and settings, whatever an engine adds or forgets."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from repro.execute.images.build import scratch
from repro.execute.images.content import content_hash


def base(client: Any, files: dict[str, str], when: int) -> str:
    """A small image with these files, all of the given time; its id."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size, item.mtime = len(content), when
            archive.addfile(item, io.BytesIO(content.encode()))
    reply = client.api.import_image_from_data(sink.getvalue(), changes=["CMD /nothing"])
    return str(reply).split("sha256:")[1][:64]


@pytest.fixture
def images(client: Any) -> Iterator[list[str]]:
    """Images of a test; removed after it."""
    made: list[str] = []
    yield made
    for image in set(made):
        client.images.remove(image, force=True)


FILES = {"etc/setting": "one", "opt/repro/repro/worker/session.py": "ours"}


@pytest.mark.parametrize(
    ("files", "when", "same"),
    [
        (FILES, 2_000_000_000, True),
        ({**FILES, "opt/repro/repro/worker/session.py": "newer"}, 1_000_000_000, True),
        ({**FILES, "etc/setting": "two"}, 1_000_000_000, False),
        ({**FILES, "etc/added": ""}, 1_000_000_000, False),
    ],
    ids=["other times", "other source of ours", "a changed file", "an added file"],
)
def test_content_is_files_and_not_times_nor_our_own_source(
    client: Any, images: list[str], files: dict[str, str], when: int, same: bool
) -> None:
    """Two images of equal files have one content hash; one changed byte or file gives another."""
    images += [base(client, FILES, 1_000_000_000), base(client, files, when)]
    hashes = [content_hash(client, image, scratch()) for image in images]
    assert (hashes[0] == hashes[1]) is same


class StandIn:
    """An engine of one image, exported in pieces of a few bytes; its containers are counted."""

    def __init__(self, files: dict[str, tuple[str, int]], settings: dict[str, Any]) -> None:
        self.made, self.removed = 0, 0
        self._files = files
        self.images = SimpleNamespace(get=lambda _: SimpleNamespace(attrs={"Config": settings}))
        self.containers = self

    def create(self, _: str, **__: Any) -> "StandIn":
        self.made += 1
        return self

    def export(self, **_: Any) -> Iterator[bytes]:
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w") as archive:
            for name, (content, mode) in self._files.items():
                item = tarfile.TarInfo(name)
                item.size, item.mode = len(content), mode
                archive.addfile(item, io.BytesIO(content.encode()))
        whole = sink.getvalue()
        return (whole[at : at + 700] for at in range(0, len(whole), 700))

    def remove(self, **_: Any) -> None:
        self.removed += 1


PLAIN = {"etc/a": ("one", 0o644), "usr/b": ("two" * 500, 0o755)}
SETTINGS = {"User": "1", "Env": ["A=1"], "Cmd": None}


def hashed(
    folder: Path, files: dict[str, tuple[str, int]], settings: dict[str, Any] = SETTINGS
) -> str:
    """The hash of an image of these files, asked for the first time."""
    folder.mkdir(exist_ok=True)
    (folder / "content.json").unlink(missing_ok=True)
    return content_hash(StandIn(files, settings), "sha256:1", folder)


def test_every_file_counts_with_its_mode_and_the_settings_of_the_worker(tmp_path: Path) -> None:
    others = [
        hashed(tmp_path, PLAIN),
        hashed(tmp_path, PLAIN | {"etc/a": ("two", 0o644)}),
        hashed(tmp_path, PLAIN | {"etc/a": ("one", 0o755)}),
        hashed(tmp_path, PLAIN | {"etc/more": ("", 0o644)}),
        hashed(tmp_path, PLAIN | {"etc/hosts.allow": ("", 0o644)}),
        hashed(tmp_path, PLAIN, SETTINGS | {"Env": ["A=2"]}),
    ]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    "name", ["etc/hosts", "etc/mtab", "run/x", "dev/null", "./proc/1", ".dockerenv", "opt/repro/x"]
)
def test_what_an_engine_writes_and_our_own_source_do_not_count(tmp_path: Path, name: str) -> None:
    plain = hashed(tmp_path, PLAIN)
    assert hashed(tmp_path, PLAIN | {name: ("x", 0o644)}) == plain
    assert hashed(tmp_path, dict(reversed(PLAIN.items()))) == plain
    assert hashed(tmp_path, PLAIN, SETTINGS | {"Hostname": "x"}) == plain


def test_an_image_is_exported_once_and_its_container_is_removed(tmp_path: Path) -> None:
    """An id is a digest: under it no image can change."""
    engine = StandIn(PLAIN, SETTINGS)
    first = content_hash(engine, "sha256:1", tmp_path)
    assert content_hash(engine, "sha256:1", tmp_path) == first
    assert (engine.made, engine.removed) == (1, 1)
    content_hash(engine, "sha256:2", tmp_path)
    assert (engine.made, engine.removed) == (2, 2)
