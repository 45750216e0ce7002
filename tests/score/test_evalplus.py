"""Verdicts equal EvalPlus's own, program by program."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.manifest.benchmark import Problem, benchmark_file, load_benchmark, load_problems
from repro.score.box import Sandbox
from repro.score.outcomes import Candidate, score

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
