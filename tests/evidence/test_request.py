"""run.json is read as it was written, or refused with what disagrees."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.errors import EarlierEvidenceError, EvidenceError
from repro.evidence.request import Request, lies_right, read_request, stored_key, write_request
from repro.files import digest
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment

Content = dict[str, Any]


@pytest.fixture(scope="module")
def request_made() -> Request:
    """The request of a run that trains."""
    run = expand(load_experiment("smoke"), local_environment())[1]
    return Request(id=run.id, slot=run.slot, run=run, seal="a" * 64)


@pytest.fixture
def edit(tmp_path: Path, request_made: Request) -> Callable[[Callable[[Content], Any]], Path]:
    """Write the request, change what lies in run.json, and return its folder."""

    def change(by: Callable[[Content], Any]) -> Path:
        write_request(tmp_path, request_made)
        content = json.loads((tmp_path / "run.json").read_text())
        by(content)
        (tmp_path / "run.json").write_text(json.dumps(content))
        return tmp_path

    return change


def test_a_request_comes_back_whole_with_its_key_beside_it(
    tmp_path: Path, request_made: Request
) -> None:
    write_request(tmp_path, request_made)
    again = read_request(tmp_path)
    assert again == request_made
    assert again.run.id == again.id
    assert digest(stored_key(tmp_path)) == again.id


def test_a_folder_lies_right_under_its_manifest_and_its_own_name(request_made: Request) -> None:
    assert request_made.folder == f"{request_made.slot}-{request_made.id[:12]}"
    assert lies_right(Path("runs/smoke") / request_made.folder, request_made)
    assert not lies_right(Path("runs/other") / request_made.folder, request_made)
    assert not lies_right(Path("runs/smoke") / f"copy of {request_made.folder}", request_made)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (lambda content: content["key"].update(threads=99), "the id is not that of its key"),
        (lambda content: content.pop("key"), "the id is not that of its key"),
        (
            lambda content: content["run"].update(threads=99),
            r"key and run disagree \(threads: \d+ → 99\); the file was edited: run again",
        ),
        (
            lambda content: content.update(slot="other"),
            r"key and run disagree \(slot: other → tiny-",
        ),
        (lambda content: content.update(format=3), "found format 3, expected 2; "),
        (lambda content: content.pop("slot"), "field slot: Field required"),
        (
            lambda content: content["run"]["training"].update(speed=1),
            r"field run\.training\.speed: ",
        ),
    ],
)
def test_an_edited_request_is_refused_with_what_disagrees(
    edit: Callable[..., Path], by: Callable[[Content], Any], words: str
) -> None:
    with pytest.raises(EvidenceError, match=rf"run\.json: {words}") as caught:
        read_request(edit(by))
    assert not isinstance(caught.value, EarlierEvidenceError)


def test_a_key_without_a_field_that_came_later_is_no_difference(
    edit: Callable[..., Path], request_made: Request
) -> None:
    """Its id is that of the key as it was then. The control: another value is a difference."""

    def older(content: Content) -> None:
        content["key"].pop("threads")
        content["id"] = digest(content["key"])

    def other(content: Content) -> None:
        content["key"]["threads"] = 99
        content["id"] = digest(content["key"])

    assert read_request(edit(older)).run == request_made.run
    with pytest.raises(EvidenceError, match="key and run disagree"):
        read_request(edit(other))


def test_a_key_of_another_version_is_not_compared_with_the_run(edit: Callable[..., Path]) -> None:
    def of_another_version(content: Content) -> None:
        content["key"].update(key_version=2, threads=99)
        content["id"] = digest(content["key"])

    assert read_request(edit(of_another_version)).id


def test_the_first_format_is_told_from_what_is_broken(edit: Callable[..., Path]) -> None:
    with pytest.raises(EarlierEvidenceError, match="by an earlier version of repro"):
        read_request(edit(lambda content: content.update(format=1)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", r"run\.json: cannot be read \("),
        (b"\xff", r"run\.json: cannot be read \("),
        (b"[" * 100_000, r"run\.json: cannot be read \("),
        (b"[]", "found format list, expected 2"),
    ],
)
def test_what_is_no_request_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "run.json").write_bytes(data)
    with pytest.raises(EvidenceError, match=words):
        read_request(tmp_path)


def test_a_result_without_a_key_has_one_that_no_run_has(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    assert stored_key(tmp_path) == {"key_version": "not 3"}
