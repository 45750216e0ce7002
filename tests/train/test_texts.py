"""Texts of sources: where they come from, and that the cache gives what was put into it."""

import ast
import hashlib
import json
import sysconfig
from pathlib import Path

import pytest

from repro.errors import InputError, SetupError
from repro.manifest.data import LocalFile, Source
from repro.plan.texts import texts_file
from repro.train.texts import materialise_texts, original, python_topics, standard_library, texts


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A file of one's own, of two texts."""
    path = tmp_path / "own.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two \\u2028 lines\\n"}\n')
    return Source(id="own", data=LocalFile(path=str(path)))


@pytest.fixture
def kept(source: Source, tmp_path: Path) -> Path:
    """The file of its texts in the cache."""
    path = texts_file(tmp_path / "cache", source, "e")
    materialise_texts(source, path)
    return path


def test_texts_come_back_as_they_were_with_the_digest_of_their_file(
    kept: Path, source: Source, tmp_path: Path
) -> None:
    found = texts(source, "e", tmp_path / "cache")
    assert found == ["one", "two \u2028 lines\n"] == list(original(source))
    digest = hashlib.sha256(kept.read_bytes()).hexdigest()
    assert kept.with_suffix(".sha256").read_text() == digest
    assert sorted(path.name for path in kept.parent.iterdir()) == sorted(
        [kept.name, kept.with_suffix(".sha256").name]
    ), "nothing half written is left"


def test_a_file_of_the_cache_that_was_changed_or_is_missing_is_refused(
    kept: Path, source: Source, tmp_path: Path
) -> None:
    kept.write_text('"other"\n')
    with pytest.raises(SetupError, match=r"\.jsonl: found sha256 \w{12}, expected \w{12}; remove"):
        texts(source, "e", tmp_path / "cache")
    kept.unlink()
    with pytest.raises(SetupError, match=r"^data own \(e\): not in the cache .*repro fetch NAME"):
        texts(source, "e", tmp_path / "cache")


@pytest.mark.parametrize("content", ["3\n", '["a"]\n', "{\n", "[" * 100_000])
def test_what_is_no_text_a_line_is_refused_though_its_digest_is_right(
    kept: Path, source: Source, tmp_path: Path, content: str
) -> None:
    kept.write_text(content)
    kept.with_suffix(".sha256").write_text(hashlib.sha256(content.encode()).hexdigest())
    with pytest.raises(SetupError, match="holds something else than a text a line; remove it"):
        texts(source, "e", tmp_path / "cache")


def test_a_source_that_is_gone_and_a_place_that_cannot_be_written_are_told_apart(
    source: Source, tmp_path: Path
) -> None:
    """Neither is a full disk."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(SetupError, match=r"could not be written \(.+\); choose another place"):
        materialise_texts(source, tmp_path / "taken" / "x.jsonl")
    (tmp_path / "own.jsonl").unlink()
    with pytest.raises(InputError, match=r"own\.jsonl: found no file, expected the records"):
        materialise_texts(source, tmp_path / "x.jsonl")
    assert not (tmp_path / "x.jsonl").exists()


def test_the_librarys_texts_are_whole_functions_and_classes_of_it() -> None:
    found = standard_library()
    assert len(found) > 1000
    assert len({*map(len, found)} - {*range(200, 4001)}) == 0
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for text in found[::97]:
        (node,) = ast.parse(text).body
        assert isinstance(node, kinds)
    whole = (Path(sysconfig.get_paths()["stdlib"]) / "abc.py").read_text()
    parts = [
        ast.get_source_segment(whole, node)
        for node in ast.parse(whole).body
        if isinstance(node, kinds)
    ]
    wanted = [part for part in parts if part is not None and 200 <= len(part) <= 4000]
    assert wanted
    places = [found.index(part) for part in wanted if not part.startswith("@")]
    assert places == sorted(places), "by file and line"


def test_topics_are_prose_in_single_lines_and_none_twice() -> None:
    found = python_topics()
    assert len(found) > 300
    assert len(set(found)) == len(found)
    for text in found:
        assert "\n" not in text
        assert "  " not in text
        assert text[0].isupper()
        assert text[-1] in ".!?:"
        assert ">>>" not in text
    assert json.loads(json.dumps(found)) == found
