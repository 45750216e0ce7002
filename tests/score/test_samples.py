"""Files of completions made elsewhere: read line by line, and one line for what is no sample."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from repro.errors import InputError
from repro.manifest.benchmark import Problem, load_benchmarks, load_problems
from repro.score.samples import benchmark_of, read_samples


@pytest.fixture(scope="module")
def problems() -> Mapping[str, Problem]:
    return load_problems(load_benchmarks()["dozen"], Path("none"))


@pytest.mark.parametrize("sign", ["\u2028", "\u0085", "\x0b", "\x1c"])
def test_a_sign_that_elsewhere_ends_a_line_stays_inside_a_program(
    tmp_path: Path, problems: Mapping[str, Problem], sign: str
) -> None:
    """JSON allows the first two in a string as they are."""
    task, code = next(iter(problems)), f"    return '{sign}'\n"
    path = tmp_path / "samples.jsonl"
    path.write_text(
        json.dumps({"task_id": task, "solution": code}, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    assert read_samples(path, problems)[task][0].code == code


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, "[", "3", '{"task_id": 3}', '{"task_id": ["a"], "completion": "x"}', '{"completion": "x"}',
     '{"task_id": {"a": 1}, "completion": "x"}', '{"task_id": "dozen/0", "completion": 3}'],
    ids=["nested", "cut off", "a number", "no code", "a list", "no task", "a mapping", "a number for code"],
)  # fmt: skip
def test_what_is_no_sample_is_one_line_with_its_place(
    tmp_path: Path, problems: Mapping[str, Problem], line: str
) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=r"samples.jsonl:1: found ") as refused:
        read_samples(path, problems)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_said_before_its_benchmark(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read \\(No such file or directory"):
        benchmark_of(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not text in UTF-8"):
        benchmark_of(tmp_path / "bytes.jsonl")
    (tmp_path / "nested.jsonl").write_text("[" * 100_000)
    with pytest.raises(InputError, match="names no benchmark"):
        benchmark_of(tmp_path / "nested.jsonl")
