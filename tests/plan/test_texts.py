"""Where texts of sources lie, how many of them are held out, and what disk they take."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.files import GIB
from repro.manifest.data import HubDataset, LocalFile, Source
from repro.manifest.load import load_sources
from repro.plan.texts import shared, texts_file, texts_gibibytes
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


@given(st.integers(0, 30), st.integers(1, 7))
def test_the_sources_of_a_domain_give_as_many_held_out_texts_as_were_asked_for(
    heldout: int, sources: int
) -> None:
    given = shared(heldout, sources)
    assert sum(given) == heldout
    assert max(given) - min(given) <= 1
    assert given == sorted(given, reverse=True), "the first ones give one more"


def test_an_edition_names_the_texts_of_an_interpreter_and_not_those_of_a_hub(
    tmp_path: Path,
) -> None:
    """A note about a source is no matter."""
    library, hub = load_sources()["standard_library"], hub_set("a", None)
    one, other = (texts_file(tmp_path, library, f"python 3.{minor}") for minor in (11, 12))
    assert one != other
    assert texts_file(tmp_path, hub, "python 3.11") == texts_file(tmp_path, hub, "python 3.12")
    noted = hub.model_copy(update={"data": hub.data.model_copy(update={"note": "n"})})
    assert texts_file(tmp_path, noted, "x") == texts_file(tmp_path, hub, "x")
    moved = hub.model_copy(update={"data": hub.data.model_copy(update={"revision": "d" * 40})})
    assert texts_file(tmp_path, moved, "x") != texts_file(tmp_path, hub, "x")
