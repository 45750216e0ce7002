"""Data sets of a hub: the first records alone where a source says so, one at a time, from a small
hub on loopback.
"""

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repro.manifest.data import HubDataset, Source
from repro.train.texts import texts

REVISION = "b" * 40
EXPECTED = [f"text {number} «{'·' * (number % 7)}»" for number in range(5000)]


pytestmark = pytest.mark.skipif(
    not os.access("/dev/shm", os.W_OK),
    reason="needs /dev/shm, which streaming data sets share memory through",
)


def lines(start: int, stop: int) -> bytes:
    """Records of the set as JSON lines."""
    return "".join(json.dumps({"text": text}) + "\n" for text in EXPECTED[start:stop]).encode()


def table(start: int, stop: int) -> bytes:
    """The same as Parquet, in row groups of 500."""
    sink = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{"text": text} for text in EXPECTED[start:stop]]),
        sink,
        row_group_size=500,
    )
    return sink.getvalue()


def archive(packed: bool) -> bytes:
    """The first 300 records in three files of the split train, as CodeSearchNet zips them: beside
    other splits and a pickle.
    """
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("python_dedupe_definitions_v2.pkl", b"a pickle")
        for split, number, content in (
            ("valid", 0, lines(4000, 4100)), ("train", 2, lines(200, 300)), ("train", 0, lines(0, 100)),
            ("test", 0, lines(4100, 4200)), ("train", 1, lines(100, 200)),
        ):  # fmt: skip
            name = f"python/final/jsonl/{split}/python_{split}_{number}.jsonl"
            file.writestr(*((name + ".gz", gzip.compress(content)) if packed else (name, content)))
    return sink.getvalue()


@dataclass
class Hub:
    """One data set, and which of its files were asked for."""

    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        """Information and paths under /api, files (or the part a Range header asks for) under
        /resolve.
        """
        path = request.path.split("?")[0]
        if f"/resolve/{REVISION}/" in path:
            return self.file(path.split(f"/resolve/{REVISION}/")[1], request)
        if "/paths-info/" in path or "/tree/" in path:
            listed = [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in self.files.items()
            ]
            return 200, {"Content-Type": "application/json"}, json.dumps(listed).encode()
        if path.startswith("/api/datasets/"):
            siblings = [{"rfilename": name} for name in self.files]
            about = {
                "id": "example/many",
                "sha": REVISION,
                "siblings": siblings,
                "tags": [],
                "private": False,
            }
            return 200, {"Content-Type": "application/json"}, json.dumps(about).encode()
        return 404, {}, b""

    def file(self, name: str, request: Any) -> tuple[int, dict[str, str], bytes]:
        """One file or the part of it that is asked for."""
        if name not in self.files:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        if request.wanted:
            self.asked.append(name)
        whole = self.files[name]
        headers = {"ETag": f'"{name}"', "X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if not request.part:
            return 200, headers, whole
        first, _, last = request.part.removeprefix("bytes=").partition("-")
        content = whole[int(first) : int(last) + 1 if last else None]
        headers["Content-Range"] = f"bytes {first}-{int(first) + len(content) - 1}/{len(whole)}"
        return 206, headers, content


@pytest.fixture
def hub(helper: Callable[[str], ModuleType]) -> Iterator[Hub]:
    """5000 records in two files of each kind."""
    held = Hub({
        "a.jsonl": lines(0, 3000), "b.jsonl": lines(3000, 5000),
        "a.parquet": table(0, 3000), "b.parquet": table(3000, 5000),
    })  # fmt: skip
    with helper("fetch/loopback.py").serving(held.answer) as held.address:
        yield held


def named(kind: str, records: int | None = None) -> Source:
    """The set by its files of one kind."""
    files = (f"a.{kind}", f"b.{kind}")
    data = HubDataset(
        repository="example/many",
        revision=REVISION,
        files=files,
        template="{text}",
        records=records,
    )
    return Source(id="many", data=data)


Fetch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def fetch(hub: Hub, tmp_path: Path) -> Fetch:
    """Bring a source's texts into the cache, as `repro fetch` does, in a process that knows this
    hub alone.
    """

    def run(source: Source) -> subprocess.CompletedProcess[str]:
        code = (
            "import sys; from pathlib import Path; from repro.fetch.texts import fetch_texts; "
            "from repro.manifest.data import Source; "
            "fetch_texts([Source.model_validate_json(sys.argv[1])], Path(sys.argv[2]), print)"
        )
        given = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        environment = {**os.environ, **given, "HF_HOME": str(tmp_path / "hub")}
        command = [sys.executable, "-c", code, source.model_dump_json(), str(tmp_path)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def held(source: Source, cache: Path) -> list[str]:
    """What a worker reads of it."""
    from repro.plan.texts import edition

    return texts(source, edition(), cache)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_the_first_records_alone_are_taken_and_all_without_a_number(
    fetch: Fetch, hub: Hub, tmp_path: Path, kind: str
) -> None:
    few = fetch(named(kind, 100))
    assert few.returncode == 0, few.stderr
    assert held(named(kind, 100), tmp_path) == EXPECTED[:100], (
        "its digest is right too, else it is not read"
    )
    assert set(hub.asked) == {f"a.{kind}"}, "the second file is not downloaded"
    every = fetch(named(kind))
    assert every.returncode == 0, every.stderr
    assert held(named(kind), tmp_path) == EXPECTED
    assert set(hub.asked) == {f"a.{kind}", f"b.{kind}"}


def test_a_number_of_records_may_end_inside_the_second_file(fetch: Fetch, tmp_path: Path) -> None:
    assert fetch(named("parquet", 3100)).returncode == 0
    assert held(named("parquet", 3100), tmp_path) == EXPECTED[:3100]


def test_what_comes_after_the_last_record_asked_for_is_not_read(
    fetch: Fetch, hub: Hub, tmp_path: Path
) -> None:
    """A broken second file stops whoever asks for one record of it, and nobody else."""
    hub.files["b.jsonl"] = b"<html>"
    assert fetch(named("jsonl", 3000)).returncode == 0
    assert held(named("jsonl", 3000), tmp_path) == EXPECTED[:3000]
    for source in (named("jsonl", 3001), named("jsonl")):
        refused = fetch(source)
        assert refused.returncode
        assert (
            "data set example/many@bbbbbbbbbbbb: cannot be had here"
            in refused.stderr.strip().splitlines()[-1]
        )
    assert len(list((tmp_path / "data").iterdir())) == 2, (
        "one file and its digest; nothing of what was refused"
    )


@pytest.mark.parametrize("packed", [True, False], ids=["packed again", "plain"])
def test_of_an_archive_the_split_alone_is_read(
    fetch: Fetch, hub: Hub, tmp_path: Path, packed: bool
) -> None:
    hub.files["data/python.zip"] = archive(packed)
    data = HubDataset(
        repository="example/many", revision=REVISION, files=("data/python.zip",), template="{text}"
    )
    done = fetch(Source(id="zipped", data=data))
    assert done.returncode == 0, done.stderr
    assert held(Source(id="zipped", data=data), tmp_path) == EXPECTED[:300]


def test_an_archive_that_is_none_is_one_line(fetch: Fetch, hub: Hub) -> None:
    hub.files["data/python.zip"] = b"<html>"
    data = HubDataset(
        repository="example/many", revision=REVISION, files=("data/python.zip",), template="{text}"
    )
    refused = fetch(Source(id="zipped", data=data))
    assert "cannot be had here (File is not a zip file)" in refused.stderr.strip().splitlines()[-1]


def test_fewer_records_than_the_source_says_are_refused(fetch: Fetch) -> None:
    refused = fetch(named("jsonl", 5001))
    assert refused.returncode
    assert (
        "found 5000 records, expected 5001; correct the source"
        in refused.stderr.strip().splitlines()[-1]
    )
