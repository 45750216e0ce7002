"""What disk the texts of sources take: at most what is stated, and what nobody states is named."""

import json
from pathlib import Path

import pytest

from repro.files import GIB
from repro.manifest.data import HubDataset, LocalFile, Source
from repro.manifest.load import load_sources
from repro.plan.texts import texts_file, texts_gibibytes
from repro.train.texts import materialise_texts


def hub_set(name: str, gibibytes: float | None) -> Source:
    """A hub set whose texts take at most so much."""
    return Source(
        id=name,
        data=HubDataset(repository="a/b", revision="c" * 40, template="{t}", gibibytes=gibibytes),
    )


def test_stated_sizes_add_up_and_a_source_named_twice_counts_once() -> None:
    assert texts_gibibytes([hub_set("a", 1.5), hub_set("b", 0.25), hub_set("a", 1.5)]) == (1.75, [])


def test_a_size_nobody_states_is_named_and_no_zero() -> None:
    packed = Source(id="packed", data=LocalFile(path="records.parquet"))
    assert texts_gibibytes([hub_set("a", 1.5), hub_set("b", None), packed]) == (
        1.5,
        ["b", "packed"],
    )


def test_a_file_of_ones_own_is_as_large_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps({"text": "a" * 1000}) + "\n" for _ in range(100)))
    assert texts_gibibytes([Source(id="mine", data=LocalFile(path=str(path)))]) == (
        path.stat().st_size / GIB,
        [],
    )


@pytest.mark.parametrize("name", ["standard_library", "python_topics", "grade_school"])
def test_what_is_made_here_takes_no_more_than_estimated(tmp_path: Path, name: str) -> None:
    source = load_sources()[name]
    path = texts_file(tmp_path, source, "any")
    materialise_texts(source, path)
    estimated, unknown = texts_gibibytes([source])
    assert unknown == []
    assert 0 < path.stat().st_size <= estimated * GIB


def test_every_source_of_the_manifests_states_its_size() -> None:
    assert texts_gibibytes(load_sources().values())[1] == []
