"""A benchmark is taken for its digest alone, and its problems are read whole or refused by line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from repro.cache import benchmark_copy
from repro.errors import InputError, ManifestError, SetupError
from repro.files import file_digest
from repro.manifest.benchmark import (
    OVERRIDE,
    Benchmark,
    benchmark_file,
    load_benchmark,
    load_benchmarks,
    load_problems,
)

PROBLEM: dict[str, Any] = {
    "task_id": "ours/0",
    "prompt": "def f(x):\n",
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "base_input": [[1]],
    "plus_input": [[2], [3]],
    "more": "EvalPlus has further fields",
}


def brought(cache: Path, content: bytes, count: int = 2, name: str = "ours.jsonl") -> Benchmark:
    """Put a benchmark's file into the cache, and return its entry."""
    path = benchmark_copy(cache, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Benchmark(
        id="ours_plus",
        base="ours",
        title="Ours",
        file=name,
        sha256=file_digest(path),
        problems=count,
    )


def lines(*problems: dict[str, Any]) -> bytes:
    """A file of problems."""
    return "".join(json.dumps(problem) + "\n" for problem in problems).encode()


def test_an_entry_is_found_by_the_names_of_both_its_benchmarks() -> None:
    assert load_benchmark("dozen") is load_benchmark("dozen_plus")
    assert load_benchmark("dozen").names == ("dozen", "dozen_plus")
    assert {"humaneval", "humaneval_plus", "dozen", "dozen_plus"} <= load_benchmarks().keys()


def test_an_unknown_benchmark_is_named_with_the_nearest() -> None:
    words = "^benchmark humanevl: found no such benchmark, nearest is humaneval; expected one of"
    with pytest.raises(InputError, match=words):
        load_benchmark("humanevl")


def test_the_shipped_problems_are_as_many_as_their_entry_says(tmp_path: Path) -> None:
    problems = load_problems(load_benchmark("dozen"), tmp_path)
    assert len(problems) == load_benchmark("dozen").problems == 12
    assert all(task == problem.task_id for task, problem in problems.items())


def test_a_file_that_was_brought_is_read_gzipped_or_not(tmp_path: Path) -> None:
    content = lines(PROBLEM, {**PROBLEM, "task_id": "ours/1", "atol": 1e-6}) + b"\n"
    plain = load_problems(brought(tmp_path, content), tmp_path)
    packed = brought(tmp_path, gzip.compress(content), name="ours.jsonl.gz")
    assert load_problems(packed, tmp_path) == plain
    assert [*plain] == ["ours/0", "ours/1"]
    assert (plain["ours/0"].atol, plain["ours/1"].atol) == (0.0, 1e-6)
    assert plain["ours/0"].plus_input == ([2], [3])


def test_another_content_than_the_entrys_is_refused(tmp_path: Path) -> None:
    benchmark = brought(tmp_path, lines(PROBLEM), 1)
    path = benchmark_copy(tmp_path, benchmark.file)
    path.write_bytes(path.read_bytes() + b"\n")
    words = rf"{path}: found sha256 {file_digest(path)}, expected {benchmark.sha256} \(Ours\)"
    with pytest.raises(SetupError, match=words):
        benchmark_file(benchmark, tmp_path)


def test_a_missing_file_is_told_with_its_place_and_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EvalPlus's own variable names the place of one benchmark alone."""
    monkeypatch.setenv(OVERRIDE, str(tmp_path / "elsewhere.gz"))
    human = load_benchmark("humaneval")
    with pytest.raises(
        SetupError, match=rf"elsewhere\.gz: there is no such file; .*{human.sha256}.*name"
    ):
        benchmark_file(human, tmp_path)
    benchmark = brought(tmp_path, lines(PROBLEM), 1)
    kept = benchmark_copy(tmp_path, benchmark.file)
    assert benchmark_file(benchmark, tmp_path) == kept
    kept.unlink()
    with pytest.raises(SetupError, match=rf"{kept}: there is no such file; .*, and put it there$"):
        benchmark_file(benchmark, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lines(PROBLEM), "found 1 problems with 1 names, expected 2"),
        (lines(PROBLEM, PROBLEM), "found 2 problems with 1 names, expected 2"),
        (lines(PROBLEM) + b"{\n", r"ours\.jsonl:2: is no problem in EvalPlus's format"),
        (b"3\n" + lines(PROBLEM), r"ours\.jsonl:1: is no problem in EvalPlus's format"),
        (
            lines(PROBLEM, {**PROBLEM, "prompt": 1}),
            r"ours\.jsonl:2: field prompt: found 1; expected a valid string",
        ),
        (lines(PROBLEM, {"task_id": "x"}), r"ours\.jsonl:2: field prompt: missing"),
    ],
)
def test_wrong_problems_are_refused_by_line(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        load_problems(brought(tmp_path, content), tmp_path)
