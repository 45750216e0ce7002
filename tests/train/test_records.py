"""A user's own data: JSON lines and Parquet, and the one line that says what is wrong with a file."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repro.errors import InputError, SetupError
from repro.manifest.data import HubDataset, LocalFile, Source
from repro.train.records import hub, local
from repro.train.texts import materialise_texts, texts

RECORDS = [{"question": "Is 7 prime?", "answer": "Yes."}, {"question": "Is 9?", "answer": "No: 3·3 {exactly}."}]
TEXTS = ["Is 7 prime?\nYes.", "Is 9?\nNo: 3·3 {exactly}."]
TEMPLATE = "{question}\n{answer}"


def json_lines(path: Path) -> Path:
    """The records as a file of JSON lines, with an empty line as editors leave it."""
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS) + "\n")
    return path


def test_json_lines_and_parquet_give_the_same_texts(tmp_path: Path) -> None:
    lines = json_lines(tmp_path / "mine.jsonl")
    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "mine.parquet")
    assert local(LocalFile(path=str(lines), template=TEMPLATE)) == TEXTS
    assert local(LocalFile(path=str(tmp_path / "mine.parquet"), template=TEMPLATE)) == TEXTS


def test_a_file_goes_through_the_cache_like_every_source(tmp_path: Path) -> None:
    from repro.plan.texts import texts_file

    data = LocalFile(path=json_lines(tmp_path / "mine.jsonl").name, template=TEMPLATE).found(tmp_path, "here")
    source = Source(id="mine", data=data)
    materialise_texts(source, texts_file(tmp_path, source, "any edition"))
    (tmp_path / "mine.jsonl").unlink()
    assert texts(source, "another edition", tmp_path) == TEXTS


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"question": 1, "answer": 2}\n{"question"', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", b"[1]\n", r"a\.jsonl:1: found list"),
        ("a.jsonl", b'{"question": 1}\n', r"record 1 has no field 'answer'.*it has question"),
        ("a.jsonl", b"\n", "holds no record"),
        ("a.parquet", b"not parquet", "cannot be read as Parquet"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=expected) as caught:
        local(LocalFile(path=str(tmp_path / name), template=TEMPLATE))
    assert "\n" not in str(caught.value)


def test_a_hub_set_that_cannot_be_had_gives_one_line_with_the_way_out() -> None:
    absent = HubDataset(repository="example/absent", revision="0" * 40, configurations=("a", "b"), template="{text}")
    with pytest.raises(
        SetupError, match=r"data set example/absent@000000000000: cannot be had here .*source"
    ) as caught:
        hub(absent)
    assert "\n" not in str(caught.value)
