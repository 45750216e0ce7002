"""A marker is read in both its parts, or refused with what is wrong and what to do."""

from pathlib import Path
from typing import Any

import pytest

from repro.errors import EvidenceError
from repro.evidence.marker import FIRST, SECOND, part, read_marker
from repro.files import file_digest, write_json

RUN, FILE, LATER = "a" * 64, "b" * 64, "c" * 64
FILES = {"run.json": FILE, "adapter/model.safetensors": FILE}


def write_first(folder: Path, **changes: Any) -> str:
    """Write a first part, and return its digest."""
    fields = {"run": RUN, "status": "done", "finished": "2026-01-01T00:00:00+00:00"}
    content = part(FILES, ["adapter/model.safetensors"], **fields)
    write_json(folder / FIRST, {**content, **changes})
    return file_digest(folder / FIRST)


def write_second(folder: Path, first: str, path: str = "scores/x.json") -> None:
    """Write a second part that lists one file."""
    finished = "2026-01-02T00:00:00+00:00"
    write_json(folder / SECOND, part({path: LATER}, [], first=first, finished=finished))


def test_without_a_first_part_a_run_is_not_finished(tmp_path: Path) -> None:
    write_second(tmp_path, "d" * 64)
    assert read_marker(tmp_path) is None


def test_both_parts_make_one_marker(tmp_path: Path) -> None:
    digest = write_first(tmp_path, status="diverged", reason="loss")
    alone = read_marker(tmp_path)
    write_second(tmp_path, digest)
    both = read_marker(tmp_path)
    assert alone is not None
    assert both is not None
    assert (alone.files, alone.later, alone.digests) == (FILES, frozenset(), {FIRST: digest})
    assert (both.run, both.status, both.reason) == (RUN, "diverged", "loss")
    assert both.files == {**FILES, "scores/x.json": LATER}
    assert both.later == {"scores/x.json"}
    assert both.digests == {FIRST: digest, SECOND: file_digest(tmp_path / SECOND)}
    assert [path for path in both.files if both.is_weights(path)] == ["adapter/model.safetensors"]


@pytest.mark.parametrize("form", [1, 2])
def test_a_marker_of_the_first_format_does_not_name_its_weights(tmp_path: Path, form: int) -> None:
    """They are told by their folder; a marker of the second format that names none has none."""
    write_first(tmp_path, format=form, run=None, weights=[])
    marker = read_marker(tmp_path)
    assert marker is not None
    assert marker.is_weights("adapter/model.safetensors") == (form == 1)
    assert not marker.is_weights("run.json")


def test_a_second_part_of_another_first_part_is_refused(tmp_path: Path) -> None:
    write_first(tmp_path)
    write_second(tmp_path, "d" * 64)
    words = rf"{SECOND}: belongs to a done\.json of sha256 dddddddddddd, found [0-9a-f]{{12}}; "
    with pytest.raises(EvidenceError, match=words):
        read_marker(tmp_path)


def test_a_second_part_lists_no_file_of_the_first(tmp_path: Path) -> None:
    write_second(tmp_path, write_first(tmp_path), path="run.json")
    with pytest.raises(EvidenceError, match=r"lists run\.json, which done\.json lists already"):
        read_marker(tmp_path)


@pytest.mark.parametrize(
    "path", ["../run.json", "/etc/passwd", "a//b", "a/../b", ".hidden", "a\n", "", "x" * 241]
)
def test_a_path_that_could_lead_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    write_first(tmp_path, files={path: FILE}, weights=[])
    with pytest.raises(EvidenceError, match=r"not a marker of this version: .*; restore it, or"):
        read_marker(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": ["other"]}, "weights names other, which files does not list"),
        ({"files": {"run.json": "B" * 64}}, "expected 64 hexadecimal digits in lower case"),
        ({"finished": "yesterday"}, "finished"),
        ({"status": "stopped"}, "status"),
        ({"format": 3}, "format"),
        ({"more": 1}, "field more: unknown"),
    ],
)
def test_a_field_that_no_worker_writes_is_named(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    write_first(tmp_path, **{"weights": [], **changes})
    with pytest.raises(EvidenceError, match=rf"{FIRST}: not a marker of this version: .*{words}"):
        read_marker(tmp_path)


def test_half_a_marker_is_no_unfinished_run(tmp_path: Path) -> None:
    write_first(tmp_path)
    (tmp_path / FIRST).write_bytes((tmp_path / FIRST).read_bytes()[:-5])
    with pytest.raises(EvidenceError, match=r"cannot be read \(not whole JSON\); restore it"):
        read_marker(tmp_path)
    (tmp_path / FIRST).unlink()
    (tmp_path / FIRST).symlink_to(tmp_path / "nowhere")
    with pytest.raises(EvidenceError, match="is a link"):
        read_marker(tmp_path)
