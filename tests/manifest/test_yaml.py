"""YAML is bounded before it is read: what would end the program, or never end, is one line with its
place.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.errors import ManifestError
from repro.manifest.load import MANIFESTS, load_experiment, read_model
from repro.manifest.yaml import read_yaml


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], Any]:
    """Read a YAML file of this content."""

    def write(content: str | bytes) -> Any:
        path = tmp_path / "file.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_yaml(path)

    return write


def nest(depth: int) -> str:
    """A list of lists."""
    return "id: " + "[" * depth + "]" * depth


def doubling(lines: int) -> str:
    """Each line stands for the line before, ten times."""
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    return first + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, lines)
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (nest(1_000_000), ":1: .*more than 40 lists and mappings inside one another"),
        (nest(1000), ":1: .*more than 40 lists"),
        ("".join(" " * level + "a:\n" for level in range(60)), "more than 40 lists"),
        (doubling(12), ":6: .*more than 200,000 values, aliases written out"),
        ("a: &a [*a]", ":1: .*alias \\*a stands inside what it stands for"),
        ("x: y\nn: " + "9" * 5000, ":2: .*a number of 5,000 characters"),
        ("n: 0x" + "f" * 5000, "a number of 5,002 characters"),
        ("n: !!int abc", "'abc' is no number"),
        ('n: !!int ""', "'' is no number"),
        ('n: !!float ""', "'' is no number"),
        ("n: !!bool perhaps", "'perhaps' is neither true nor false"),
        ('n: !!bool ""', "'' is neither true nor false"),
        ("n: !!float abc", "'abc' is no number"),
        ("? [a, b]\n: c", "a key that is a list or a mapping"),
        ("? {a: b}\n: c", "a key that is a list or a mapping"),
        ("t: !!timestamp x", "could not determine a constructor"),
        ("t: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("t: !!binary aGk=", "could not determine a constructor"),
        ('t: "a\\0b"', "the control character '\\\\x00' in a text"),
        ('t: "a\\e[31m"', "the control character '\\\\x1b' in a text"),
        ("a: *b", "undefined alias|alias"),
        (
            "n: x\nignore: {Examples: names, no numbers}",
            ":2: .*the text in quotes: 'names, no numbers'",
        ),
        ("ignore: { E: é😀, no numbers }", "put the text in quotes: 'é😀, no numbers'"),
        ("a: 1\r\nb: {E: names, no\r\n  numbers\r\n}", "put the text in quotes: 'names, no numb"),
        (b"\xef\xbb\xbfi: {E: names, no numbers }", "put the text in quotes: 'names, no numb"),
        ("ignore: {Examples}", "'Examples' is a name without a value; write name: value"),
        ("why: no numbers: none", ":1: .*a text that holds a colon and a space needs quotes"),
        (b"a: \xff", "cannot be read|can not be decoded|not a YAML file"),
        ("a: " + "x" * (3 << 20), "is larger than 2 MiB"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_beyond_the_bounds_is_one_line_at_once(
    read: Any, content: str | bytes, words: str
) -> None:
    """With the line of the file where it stands."""
    begin = time.process_time()
    with pytest.raises(ManifestError, match=words) as caught:
        read(content)
    assert time.process_time() - begin < 5
    assert str(caught.value).isprintable()


def test_what_lies_within_them_is_read_as_before(read: Any) -> None:
    """The control: nested, with aliases, numbers of every kind; and what looks like a date is the
    text it is.
    """
    assert read(nest(38))["id"]
    assert read(doubling(3))["a2"] == [[["x"] * 10] * 10] * 10
    assert read("a: [1, -2, 0x10, 1.5, 1e3, .5, 1.0e+3, null, yes, ~]") == {
        "a": [1, -2, 16, 1.5, "1e3", 0.5, 1000.0, None, True, None]
    }
    assert read("title: 2026-11-29\nother: 2001-13-45") == {
        "title": "2026-11-29",
        "other": "2001-13-45",
    }
    assert read("<<: a") == {"<<": "a"}
    assert read('{a: "x, y", seed: , b: null, c: \'\', "d":, e: }') == {
        "a": "x, y", "seed": None, "b": None, "c": "", "d": None, "e": None
    }  # fmt: skip
    assert read("\ufeffa: 1\r\nb: {é😀: x, seed : }\r\nc:\r\n") == {
        "a": 1, "b": {"é😀": "x", "seed": None}, "c": None
    }  # fmt: skip
    for path in sorted(MANIFESTS.rglob("*.yaml")):
        assert read_yaml(path) == yaml.load(path.read_text(), yaml.CSafeLoader), path


@pytest.mark.worker
def test_a_huge_plan_is_refused_before_it_is_made(tmp_path: Path) -> None:
    """Steps, seeds, measured steps and chains beyond any plan; the largest that are allowed are
    read.
    """
    whole = yaml.safe_load((MANIFESTS / "smoke.yaml").read_text())

    def read(**changes: Any) -> Any:
        path = tmp_path / "huge.yaml"
        path.write_text(yaml.safe_dump({**whole, "id": "huge", **changes}))
        begin = time.process_time()
        try:
            return load_experiment(str(path))
        finally:
            assert time.process_time() - begin < 5

    def trained(steps: int) -> dict[str, Any]:
        return {
            **whole["conditions"],
            "B1": {"title": "x", "phases": [{"steps": steps, "mixture": {"code": 1.0}}]},
        }

    def arm(seeds: int) -> list[dict[str, Any]]:
        return [{"models": ["tiny-qwen2"], "conditions": ["B1"], "seeds": list(range(seeds))}]

    assert read(conditions=trained(1_000_000), diagnostics={"every": 100})
    assert read(arms=arm(2000))
    for changes, words in (
        (
            {"conditions": trained(10**9)},
            "found 1000000000; expected a number less than or equal to 1000000",
        ),
        ({"conditions": trained(10**18)}, "expected a number less than or equal to 1000000"),
        (
            {"conditions": trained(1_000_000), "diagnostics": {"every": 1}},
            "is measured at 1,000,000 steps, expected 10,000",
        ),
        ({"arms": arm(100_000)}, "the arms ask for 100,000 runs, expected 2,000 at most"),
        ({"arms": [{**arm(1)[0], "seeds": [7] * 50_000}]}, "seeds 7 given twice"),
    ):
        with pytest.raises(ManifestError, match=words):
            read(**changes)
    chain: dict[str, Any] = {
        f"C{i}": {**trained(2)["B1"], "continues": f"C{i - 1}"} for i in range(1, 60)
    }
    with pytest.raises(ManifestError, match="continues 50 others one after another"):
        read(conditions={**whole["conditions"], "C0": trained(2)["B1"], **chain})


@pytest.mark.parametrize(
    "fields", ["a/b", [], None, 3, {"id": "other", "title": "x"}, {"title": []}]
)
def test_an_entry_of_a_catalogue_is_a_record_like_a_manifest(fields: Any) -> None:
    """What is no mapping, and one that gives itself another id, is named with the entry."""
    with pytest.raises(ManifestError, match=r"^models\.yaml: mine: "):
        read_model("mine", fields, "models.yaml: mine")
