"""A user's own data: JSON lines and Parquet, and the one line that says what is wrong with a file."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repro.errors import InputError, SetupError
from repro.manifest.data import HubDataset, LocalFile, Source
from repro.manifest.probes import PROBES, load_probe_set
from repro.train.records import hub, local
from repro.train.texts import materialise_texts, texts

RECORDS = [
    {"question": "Is 7 prime?", "answer": "Yes."},
    {"question": "Is 9?", "answer": "No: 3·3 {exactly}."},
]
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

    data = LocalFile(path=json_lines(tmp_path / "mine.jsonl").name, template=TEMPLATE).found(
        tmp_path, "here"
    )
    source = Source(id="mine", data=data)
    materialise_texts(source, texts_file(tmp_path, source, "any edition"))
    (tmp_path / "mine.jsonl").unlink()
    assert texts(source, "another edition", tmp_path) == TEXTS


def test_only_the_records_whose_fields_equal_what_is_asked_for_are_taken() -> None:
    whole = load_probe_set("six_domain_480")
    file = str(PROBES / "six_domain_480" / "probes.jsonl")
    taken = local(
        LocalFile(path=file, only={"labels.domain": "legal", "labels.register": "formal"})
    )
    expected = [
        p.text
        for p in whole.probes
        if (p.labels["domain"], p.labels["register"]) == ("legal", "formal")
    ]
    assert taken == expected
    assert len(taken) == 20
    assert local(LocalFile(path=file)) == whole.texts(), "without `only`, every record"


def test_a_choice_decides_which_texts_lie_in_the_cache(tmp_path: Path) -> None:
    from repro.plan.texts import texts_file

    path = str(json_lines(tmp_path / "mine.jsonl"))
    sources = [
        Source(id="mine", data=LocalFile(path=path, only=only)) for only in ({}, {"answer": "Yes."})
    ]
    assert texts_file(tmp_path, sources[0], "any") != texts_file(tmp_path, sources[1], "any")


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ({"answer": "Maybe."}, r"none of its 2 records has answer = 'Maybe\.'; correct `only`"),
        (
            {"domain": "code"},
            r"mine\.jsonl:1: has no field 'domain', which `only` asks for; it has question, "
            r"answer.*correct the name",
        ),
        ({"answer.given": "Yes."}, r"mine\.jsonl:1: has no field 'answer\.given'"),
    ],
)
def test_a_choice_that_fits_no_record_is_named_in_one_line(
    tmp_path: Path, only: dict[str, str | int | bool], expected: str
) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        local(
            LocalFile(path=str(json_lines(tmp_path / "mine.jsonl")), template=TEMPLATE, only=only)
        )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"question": 1, "answer": 2}\n{"question"', r"a\.jsonl:2: not JSON"),
        (
            "a.jsonl",
            b"[1]\n",
            r"a\.jsonl:1: found a list, expected an object with fields; write one",
        ),
        (
            "a.jsonl",
            b'{"question": 1}\n',
            r"a\.jsonl:1: has no field 'answer', which the template .*it has question .*correct",
        ),
        ("a.jsonl", b"\n", "holds no record"),
        (
            "a.jsonl",
            '{"question": "é"}'.encode("latin-1"),
            r"a\.jsonl:1: not UTF-8 \(byte 0xe9\); save the file as UTF-8",
        ),
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


def written(path: Path, values: list[object]) -> LocalFile:
    """A file with these under `text`, of the kind its name says."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([{"text": value} for value in values]), path)
    else:
        path.write_text("".join(json.dumps({"text": value}) + "\n" for value in values))
    return LocalFile(path=str(path))


@pytest.mark.parametrize("value", [7, 2.5, True, "None", "a text", " é "])
def test_words_numbers_and_truth_values_become_texts(tmp_path: Path, value: object) -> None:
    for name in ("a.jsonl", "a.parquet"):
        assert local(written(tmp_path / name, [value])) == [str(value)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["good", None], "found null in field 'text', expected text; name another field"),
        ([["good"], ["a", "b"]], "found a list in field 'text'"),
        ([{"a": "good"}], "found an object in field 'text'"),
        (
            ["good", ""],
            r"found a blank text \(''\), expected words to train on; fill it or remove it",
        ),
        (["good", " \t\u00a0"], "found a blank text"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line_or_row(
    tmp_path: Path, name: str, values: list[object], found: str
) -> None:
    number = next(n for n, value in enumerate(values, 1) if value != "good")
    where = rf"a\.jsonl:{number}: " if name == "a.jsonl" else rf"a\.parquet: row {number}: "
    with pytest.raises(InputError, match=where + found) as caught:
        local(written(tmp_path / name, values))
    assert "\n" not in str(caught.value)
    assert local(written(tmp_path / name, ["good"] * len(values))) == ["good"] * len(values)


def test_a_record_is_named_by_its_line_whatever_is_blank_or_left_out_before_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '\n{"kind": "b"}\n\n{"kind": "a", "text": "first"}\n{"kind": "a", "words": "second"}\n'
    )
    with pytest.raises(InputError, match=r"mine\.jsonl:5: has no field 'text'.*it has kind, words"):
        local(LocalFile(path=str(path), only={"kind": "a"}))
    path.write_text(path.read_text().replace("words", "text"))
    assert local(LocalFile(path=str(path), only={"kind": "a"})) == ["first", "second"]


def test_a_template_enters_fields_as_only_does(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"labels": {"domain": "law", "tags": ["x", "y"]}, "text": "a {text}"}\n')
    template = "{labels.domain} {labels[tags][1]} {{{text}}}"
    assert local(LocalFile(path=str(path), template=template)) == ["law y {a {text}}"]
    with pytest.raises(
        InputError, match=r"mine\.jsonl:1: has no field 'labels\.topic'.*it has labels, text"
    ):
        local(LocalFile(path=str(path), template="{labels.topic}"))


def test_a_hub_set_that_cannot_be_had_gives_one_line_with_the_way_out() -> None:
    absent = HubDataset(
        repository="example/absent", revision="0" * 40, configurations=("a", "b"), template="{text}"
    )
    with pytest.raises(
        SetupError, match=r"data set example/absent@000000000000: cannot be had here .*source"
    ) as caught:
        list(hub(absent))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            '{"text": "cut \\ud83d"}',
            r"mine\.jsonl:2: found half a character \('\\ud83d', a lone surrogate\)",
        ),
        ('{"text": "a \\u0000 b"}', r"mine\.jsonl:2: found a NUL \(byte 0\) at character 3"),
        ('{"text": NaN}', r"mine\.jsonl:2: found NaN in field 'text', expected text"),
        ('{"text": -Infinity}', r"mine\.jsonl:2: found -Infinity in field 'text', expected text"),
        (
            '{"text": "one", "text": "two"}',
            r"mine\.jsonl:2: not JSON \(the key 'text' stands twice in one object",
        ),
    ],
    ids=["surrogate", "nul", "nan", "infinity", "key twice"],
)
def test_what_is_no_text_is_refused_at_its_line(tmp_path: Path, line: str, found: str) -> None:
    """The first line, whole characters of every plane and a number among them, is the positive
    control.
    """
    path = tmp_path / "mine.jsonl"
    path.write_text('{"text": "\\ud83d\\ude42 fine", "score": NaN}\n')
    assert local(LocalFile(path=str(path))) == ["🙂 fine"]
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=found):
        local(LocalFile(path=str(path)))


def test_a_number_that_is_not_there_is_refused_in_parquet_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"text": pa.array([1.5, float("nan")])}), path)
    with pytest.raises(InputError, match=r"mine\.parquet: row 2: found NaN in field 'text'"):
        local(LocalFile(path=str(path)))


def test_a_field_whose_name_has_a_dot_can_be_named(tmp_path: Path) -> None:
    """As json_normalize writes them; a dot that enters a field is tried after it."""
    path = tmp_path / "mine.jsonl"
    path.write_text('{"meta.text": "whole", "meta": {"lang": "en", "a.b": {"c": "deep"}}}\n')
    assert local(LocalFile(path=str(path), template="{meta.text} {meta.lang} {meta.a.b.c}")) == [
        "whole en deep"
    ]
    assert local(
        LocalFile(path=str(path), template="{meta.text}", only={"meta.text": "whole"})
    ) == ["whole"]
    with pytest.raises(InputError, match=r"has no field 'meta\.nothing'"):
        local(LocalFile(path=str(path), template="{meta.nothing}"))
