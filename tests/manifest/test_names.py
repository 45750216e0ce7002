"""Names that become paths: one rule, told in one line; two identical conditions are told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import ManifestError
from repro.manifest.load import experiment_names, load_experiment
from repro.manifest.names import check_name

MINE = """
id: mine
title: t
image: local
probe_set: factorial_48
domains: {{code: [{source}]}}
sources: {{{source}: {{kind: standard_library}}}}
conditions:
  base: {{title: b}}
  {condition}: {{title: m, phases: [{{steps: 2, mixture: {{code: 1.0}}}}]}}
{more}
arms: [{{models: [tiny-qwen2], conditions: [base], seeds: [0]}}]
"""


def load(tmp_path: Path, condition: str = "mixed", source: str = "own", more: str = "") -> None:
    (tmp_path / "mine.yaml").write_text(MINE.format(condition=condition, source=source, more=more))
    load_experiment(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    "name",
    [
        '"code/math"',
        '"/../../../tmp/x"',
        "'a**b'",
        '"x\\e[31mred"',
        "..",
        ".hidden",
        "a b",
        "é",
        '"' + "a" * 81 + '"',
    ],
)
def test_a_name_that_is_no_path_is_refused_with_the_rule(tmp_path: Path, name: str) -> None:
    load(tmp_path)
    for field in ("condition", "source"):
        rule = (
            rf"{field}s: the name .* becomes a path, expected letters|the control character "
            r"'\\x1b'"
        )
        with pytest.raises(ManifestError, match=rule):
            load(tmp_path, **{field: name})


def test_two_identical_conditions_are_told(tmp_path: Path) -> None:
    same = "  again: {title: other words, phases: [{steps: 2, mixture: {code: 1.0}}]}"
    with pytest.raises(
        ManifestError, match="conditions mixed and again are the same but for their titles"
    ):
        load(tmp_path, more=same)
    load(tmp_path, more=same.replace("steps: 2", "steps: 3"))


def test_every_manifest_of_ours_keeps_the_rule() -> None:
    for name in experiment_names():
        load_experiment(name)


@given(st.text(max_size=100))
def test_an_accepted_name_is_one_step_down_and_nothing_else(name: str) -> None:
    try:
        check_name(name)
    except ValueError:
        return
    assert Path("/a", name).parent == Path("/a")
    assert Path("/a", name).resolve().parent == Path("/a")
    assert name.isascii()
    assert name.isprintable()


def test_usual_names_are_accepted() -> None:
    for name in (
        "B3-λ0.1".replace("λ", ""),
        "code+math",
        "qwen2.5-coder-7b",
        "B4-0.03-detached",
        "_x",
    ):
        assert check_name(name) == name
