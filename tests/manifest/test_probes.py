"""Probe sets are read whole or refused with a line that says where and why."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from repro.diagnose.diagnostics import measurements
from repro.errors import ManifestError
from repro.manifest.experiment import Diagnostics
from repro.manifest.probes import Probe, load_probe_set, probe_folder, probe_set_names

DECLARATION: dict[str, Any] = {
    "id": "tiny",
    "title": "Four texts",
    "design": "One text in each of 2 × 2 cells.",
    "licence": "CC0-1.0",
    "concepts": {"domain": ["code", "math"], "register": ["formal", "informal"]},
    "balanced": [["domain", "register"]],
}
LINES = [
    {
        "id": f"{domain}-{register}",
        "labels": {"domain": domain, "register": register},
        "text": f"{domain} as {register}",
    }
    for domain in ("code", "math")
    for register in ("formal", "informal")
]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder with a set; what is passed replaces what would be there."""

    def folder(lines: list[Any] = LINES, raw: str | None = None, **declared: Any) -> Path:
        (tmp_path / "concepts.yaml").write_text(yaml.safe_dump({**DECLARATION, **declared}))
        text = "".join(json.dumps(line) + "\n" for line in lines) if raw is None else raw
        (tmp_path / "probes.jsonl").write_text(text, encoding="utf-8")
        return tmp_path

    return folder


def test_a_folder_of_ones_own_is_read_in_file_order(write: Callable[..., Path]) -> None:
    probes = load_probe_set(write())
    assert probes.texts() == [line["text"] for line in LINES]
    assert probes.labels() == {
        "domain": ["code", "code", "math", "math"],
        "register": ["formal", "informal", "formal", "informal"],
    }


@pytest.mark.parametrize("name", [name for name in probe_set_names() if name != "real_132"])
def test_every_set_of_ours_is_found_by_its_name_and_is_called_so(name: str) -> None:
    probes = load_probe_set(name)
    assert probes.id == name
    assert {concept: set(column) for concept, column in probes.labels().items()} == {
        concept: set(classes) for concept, classes in probes.concepts.items()
    }


def test_the_content_hash_depends_on_texts_labels_ids_and_order_and_on_nothing_else(
    write: Callable[..., Path],
) -> None:
    plain = load_probe_set(write()).content_hash
    assert load_probe_set(write(title="Another title", licence="MIT")).content_hash == plain
    reordered_keys = [
        {"text": line["text"], "labels": line["labels"], "id": line["id"]} for line in LINES
    ]
    assert load_probe_set(write(reordered_keys)).content_hash == plain
    changed = {
        "text": [{**LINES[0], "text": "other"}, *LINES[1:]],
        "id": [{**LINES[0], "id": "other"}, *LINES[1:]],
        "label": [{**LINES[0], "labels": LINES[1]["labels"]}, *LINES[1:]],
        "order": LINES[::-1],
    }
    hashes = {what: load_probe_set(write(lines)).content_hash for what, lines in changed.items()}
    assert len({plain, *hashes.values()}) == 5


def test_the_order_in_which_concepts_are_declared_moves_no_number(tmp_path: Path) -> None:
    """It is not in the set's name: equal names, equal bits. The control: with its labels in that
    order they do move.
    """
    ours = load_probe_set("factorial_48")
    shutil.copytree(probe_folder("factorial_48"), tmp_path / "set")
    declaration = yaml.safe_load((tmp_path / "set" / "concepts.yaml").read_text())
    declaration["concepts"] = dict(reversed(declaration["concepts"].items()))
    (tmp_path / "set" / "concepts.yaml").write_text(yaml.safe_dump(declaration, sort_keys=False))
    turned = load_probe_set(tmp_path / "set")
    assert (list(turned.concepts), turned.content_hash) == (
        list(ours.concepts)[::-1],
        ours.content_hash,
    )
    X = np.random.default_rng(0).normal(size=(48, 32)).astype(np.float32)

    def rows(labels: Mapping[str, Sequence[str]]) -> dict[tuple[object, ...], float | None]:
        found = measurements(X, labels, 0, Diagnostics(), None)
        return {
            (row.quantity, row.specification, row.direction, row.concept): row.value
            for row in found
        }

    assert rows(turned.labels()) == rows(ours.labels())
    assert rows(dict(reversed(ours.labels().items()))) != rows(ours.labels())


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            [{**LINES[0], "labels": {"domain": "code", "register": "rude"}}, *LINES[1:]],
            ":1: .*register 'rude'.*formal",
        ),
        (
            [LINES[0], {**LINES[1], "labels": {"domain": "code"}}, *LINES[2:]],
            r":2: .*\['domain'\].*exactly",
        ),
        ([*LINES[:2], {"id": "x", "labels": LINES[2]["labels"]}, LINES[3]], ":3: .*text.*missing"),
        ([{**LINES[0], "weight": 2}, *LINES[1:]], ":1: .*weight"),
        ([*LINES, LINES[0]], "same id"),
        ([{**LINES[0], "text": ""}, *LINES[1:]], ":1: .*text"),
    ],
)
def test_a_bad_line_is_named_with_what_was_expected(
    write: Callable[..., Path], lines: list[Any], says: str
) -> None:
    with pytest.raises(ManifestError, match=says):
        load_probe_set(write(lines))


def test_a_line_that_is_no_json_and_a_blank_line_are_refused(write: Callable[..., Path]) -> None:
    good = json.dumps(LINES[0])
    for raw, line in ((good + "\n{oops\n", 2), (good + "\n\n" + json.dumps(LINES[1]) + "\n", 2)):
        with pytest.raises(ManifestError, match=rf"probes\.jsonl:{line}: "):
            load_probe_set(write(raw=raw))


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"concepts": {"domain": ["math", "code"], "register": ["formal", "informal"]}}, "sorted"),
        ({"concepts": ["domain"]}, "list of classes for each concept"),
        ({"balanced": [["domain", "shape"]]}, "shape"),
        ({"limits": {"jaccard": 1.5}}, "jaccard"),
        ({"limits": {"accuracy": {"mood": 0.9}}}, "mood"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(
    write: Callable[..., Path], declared: dict[str, Any], says: str
) -> None:
    with pytest.raises(ManifestError, match=says):
        load_probe_set(write(**declared))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ManifestError, match="factorial_48"):
        load_probe_set("factorial_49")


def test_line_separators_inside_a_text_do_not_split_it(write: Callable[..., Path]) -> None:
    odd = "one\u2028two\nthree"
    lines = [{**LINES[0], "text": odd}, *LINES[1:]]
    raw = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    assert load_probe_set(write(raw=raw)).probes[0] == Probe.model_validate(
        {**LINES[0], "text": odd}
    )
