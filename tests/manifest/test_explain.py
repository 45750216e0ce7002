"""What pydantic finds wrong is told in our words, and each wrong place counts once."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from repro.manifest.data import Source
from repro.manifest.experiment import Experiment
from repro.manifest.explain import PATTERNS, explain


def told(data: dict[str, Any]) -> str:
    """What is said of a source."""
    with pytest.raises(ValidationError) as caught:
        Source.model_validate({"id": "x", "data": data})
    return explain(caught.value, Source)


FILE = {"kind": "file", "path": "x.jsonl"}


def test_a_good_source_is_accepted() -> None:
    assert (
        Source.model_validate(
            {"id": "x", "data": FILE | {"only": {"a": "b", "c": 1, "d": True}}}
        ).data.kind
        == "file"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"path": "x.jsonl"},
            "found {'path': 'x.jsonl'}, which has no kind; say kind: one of hub, "
            "standard_library, ",
        ),
        (
            FILE | {"kind": "fil"},
            "field data: found kind 'fil'; say kind: one of hub, standard_library, ",
        ),
        (
            FILE | {"path": "x.txt"},
            "field data.file.path: found 'x.txt'; expected a .jsonl or .parquet file",
        ),
        (
            FILE | {"sha256": "abc"},
            "field data.file.sha256: found 'abc'; expected 64 hexadecimal digits",
        ),
        (
            FILE | {"pahts": "x"},
            "field data.file.pahts: unknown; nearest is path; known are kind, path, ",
        ),
    ],
)
def test_what_is_wrong_with_a_source_is_said_without_pydantics_words(
    data: dict[str, Any], expected: str
) -> None:
    line = told(data)
    assert expected in line
    assert "more)" not in line
    assert not any(word in line for word in ("Input", "discriminator", "tag", "pattern", "String"))


def test_a_value_that_fits_none_of_several_types_is_one_wrong_place() -> None:
    line = told(FILE | {"only": {"a": ["b"]}})
    assert line == (
        "field data.file.only.a: found ['b']; expected a valid string or a valid integer or "
        "a valid boolean"
    )
    assert told(FILE | {"only": {"a": ["b"], "c": ["d"]}}).endswith("(and 1 more)")


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict) and isinstance(schema.get("pattern"), str):
        yield schema["pattern"]
    for inside in (
        schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    ):
        yield from _patterns(inside)


def test_every_pattern_that_a_manifest_can_miss_has_words() -> None:
    found = set(_patterns(Experiment.model_json_schema()))
    assert len(found) >= 3
    assert found <= set(PATTERNS)
