"""Outputs are compared as EvalPlus compares them, value by value and program by program."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.manifest.benchmark import Problem, benchmark_file, load_benchmark, load_problems
from repro.score.box import Sandbox
from repro.score.check import Check, equal, is_floats, is_root
from repro.score.inside import encode
from repro.score.outcomes import Candidate, score
from repro.score.values import Output, decode

UNCOUNTED = "HumanEval/32"
"""evalplus 0.3.1 checks the root, then goes on to the next input without counting this one: every
solution of it fails.
"""
Oracle = Callable[[Path, Mapping[str, list[str]]], dict[str, list[list[str]]]]


def compare(
    name: str,
    cache: Path,
    sandbox: Sandbox,
    evalplus: Oracle,
    candidates: Callable[[Problem, int], list[str]],
    mutants: int,
) -> Counter[tuple[str, str]]:
    """Score and let EvalPlus score; the counts of (ours, theirs) on the whole benchmark. Fails
    where they differ.
    """
    benchmark = load_benchmark(name)
    problems = load_problems(benchmark, cache)
    programs = {task: candidates(problem, mutants) for task, problem in problems.items()}
    asked = {
        task: [Candidate(at, code) for at, code in enumerate(codes)]
        for task, codes in programs.items()
    }
    ours, _ = score(asked, problems, sandbox)
    theirs = evalplus(benchmark_file(benchmark, cache), programs)
    differing = []
    for found in ours:
        base, plus = theirs[found.task_id][found.key]
        wanted = (base == "pass", base == plus == "pass")
        if found.task_id == UNCOUNTED:
            assert "pass" not in (base, plus)
        elif wanted != (found.base.result == "passed", found.plus.result == "passed"):
            differing.append((found, base, plus, programs[found.task_id][found.key]))
    assert not differing, differing
    return Counter((found.plus.result, theirs[found.task_id][found.key][1]) for found in ours)


@pytest.fixture(scope="module")
def candidates(helper: Callable[[str], ModuleType]) -> Callable[[Problem, int], list[str]]:
    made: Callable[[Problem, int], list[str]] = helper("score/samples.py").candidates
    return made


@pytest.mark.worker
def test_odd_answers_are_judged_as_evalplus_judges_them(
    any_sandbox: Sandbox, evalplus: Oracle, candidates: Any
) -> None:
    """Types, tolerances, guards and mutants of our own problems: no verdict differs, and both
    verdicts occur.
    """
    counts = compare("dozen_plus", Path("/nowhere"), any_sandbox, evalplus, candidates, 4)
    assert counts["passed", "pass"] >= 25
    assert counts["failed", "fail"] >= 40


@pytest.mark.worker
def test_humaneval_plus_is_judged_as_evalplus_judges_it(
    any_sandbox: Sandbox, evalplus: Oracle, candidates: Any, cache_with_humaneval: Path
) -> None:
    """All 164 own solutions pass, and every mutant has EvalPlus's verdict on both benchmarks."""
    counts = compare("humaneval_plus", cache_with_humaneval, any_sandbox, evalplus, candidates, 1)
    assert counts["passed", "pass"] >= 164
    assert sum(counts.values()) > 300


def test_shapes_are_not_broadcast_and_nan_is_no_number() -> None:
    assert equal(decode(b"[1.0,2.0]", 0), [1.0, 2.0 + 1e-9], 1e-6)
    assert not equal(decode(b"[[1.0],[1.0]]", 0), [1.0, 1.0], 1e-6)
    assert not equal(decode(b"NaN", 0), math.nan, 1e-6)


def checked(expected: list[Any], tolerance: float = 0.0, entry: str = "f") -> Check:
    """A check of these expected values, one for each input."""
    return Check(entry, [[]] * len(expected), [encode(one) for one in expected], tolerance)


@pytest.mark.parametrize(
    ("expected", "output", "right"),
    [
        (3, 3, True),
        (3, 3.0, True),
        (3, True, False),
        (1, True, True),
        ([1, 2], (1, 2), False),
        ({"a": 1}, {"a": 1}, True),
        ("é", "é", True),
        ((0.5, 1), (0.5 + 1e-9, 1), False),
        (0.5, 0.5 + 9e-7, True),
        (0.5, 0.5 + 2e-6, False),
        ([0.5, 0.25], [0.5, 0.25 + 9e-7], True),
        (math.inf, math.inf, True),
        (math.nan, math.nan, False),
        (1.0, "1.0", False),
    ],
)
def test_an_output_is_right_that_equals_the_expected_one_or_is_a_close_float(
    expected: Any, output: Any, right: bool
) -> None:
    """Where a problem states no tolerance, one of a millionth holds for floats alone."""
    assert checked([expected]).holds(0, encode(output)) is right


def test_a_tolerance_for_floats_stays_once_a_float_was_expected() -> None:
    """As EvalPlus does, by mistake or not: a tuple that holds a float beside an integer is none."""
    check = checked([(0.5, 1), 0.5, (0.5, 1)])
    near = encode((0.5 + 1e-9, 1))
    assert [check.holds(index, near) for index in (0, 2)] == [False, True]
    assert checked([(0.5, 1)], tolerance=1e-3).holds(0, encode((0.5 + 1e-4, 1)))


def test_floats_are_floats_and_lists_of_nothing_else() -> None:
    for value in (0.5, [0.5], (0.5, 1.0)):
        assert is_floats(value)
    for value in (1, [], (), [0.5, 1], [[0.5]], {0.5}, "0.5", None):
        assert not is_floats(value)


@pytest.mark.parametrize(
    ("output", "right"),
    [(2.0, True), (-2, True), (2.00001, True), (2.1, False), ("2", False), (math.inf, False),
     (1e200, False)],
)  # fmt: skip
def test_any_root_is_right_whatever_was_expected(output: Any, right: bool) -> None:
    """Of x² − 4, which has two; the tolerance is that of the value."""
    check = Check("find_zero", [[[-4, 0, 1]]], [encode(-2.0)], 1e-4)
    assert check.holds(0, encode(output)) is right
    assert is_root([[-4, 0, 1]], Output(output, True), 1e-4) is right


def test_a_set_larger_than_the_expected_one_is_not_built() -> None:
    check = checked([{1, 2}])
    assert check.holds(0, encode({2, 1}))
    assert not check.holds(0, encode({1, 2, 3}))
    assert check.longest(0) >= len(encode({2, 1}))
