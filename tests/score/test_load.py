"""The same verdicts on a quiet and on a busy machine, program by program."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from repro.manifest.benchmark import Problem, load_benchmark, load_problems
from repro.score.box import Sandbox
from repro.score.outcomes import FLOOR, score
from repro.score.samples import read_samples

pytestmark = pytest.mark.worker
PER_CORE = 3
"""Processes that keep each core busy: a candidate gets a quarter of one."""
BURN = """
def burn(seconds):
    import time
    end = time.process_time() + seconds
    while time.process_time() < end: pass
"""
WITHIN, BEYOND = 0.6 * FLOOR, 2.5 * FLOOR
"""Processor seconds on an input that are allowed, and that are not, whatever the clock on the wall
says.
"""
Verdicts = dict[tuple[str, int], tuple[str, str]]


@contextmanager
def every_core_busy() -> Iterator[None]:
    """Keep all cores busy with processes that compute."""
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command) for _ in range(PER_CORE * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def verdicts(
    path: Path, problems: Mapping[str, Problem], sandbox: Sandbox, at_once: int | None = None
) -> Verdicts:
    """Score a file of samples; (base, plus) by task and sample."""
    found, _ = score(read_samples(path, problems), problems, sandbox, at_once=at_once)
    return {(one.task_id, one.key): (one.base.result, one.plus.result) for one in found}


def slow(seconds: float) -> str:
    """A right program for the first of our problems that computes for some time on its first input."""
    return (
        f"{BURN}\ndone = []\ndef add_up(numbers):\n    done or "
        f"done.append(burn({seconds}))\n    return sum(numbers)\n"
    )


def write_samples(path: Path, programs: Mapping[str, list[str]]) -> None:
    """Write a file of samples in EvalPlus's format."""
    lines = [
        {"task_id": task, "solution": code} for task, codes in programs.items() for code in codes
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_a_busy_machine_changes_no_verdict(
    any_sandbox: Sandbox,
    dozen: Mapping[str, Problem],
    helper: Callable[[str], ModuleType],
    tmp_path: Path,
) -> None:
    """Own solutions, mutants, odd answers, and programs near the limit of time; the clock on the
    wall would fail one of them.
    """
    programs = {
        task: helper("score/samples.py").candidates(problem, 2) for task, problem in dozen.items()
    }
    task = next(iter(dozen))
    programs[task] += [slow(WITHIN), slow(BEYOND)]
    path = tmp_path / "samples.jsonl"
    write_samples(path, programs)
    quiet = verdicts(path, dozen, any_sandbox)
    with every_core_busy():
        begin = time.monotonic()
        subprocess.run([sys.executable, "-c", f"{BURN}\nburn({WITHIN})"], check=True)
        wall = time.monotonic() - begin
        busy = verdicts(path, dozen, any_sandbox)
    assert busy == quiet
    last = len(programs[task]) - 1
    assert (quiet[task, last - 1], quiet[task, last]) == (
        ("passed", "passed"),
        ("failed", "failed"),
    )
    assert {outcome for pair in quiet.values() for outcome in pair} == {"passed", "failed"}
    assert wall > FLOOR


def test_boxes_beside_each_other_change_no_verdict(
    any_sandbox: Sandbox,
    dozen: Mapping[str, Problem],
    helper: Callable[[str], ModuleType],
    tmp_path: Path,
) -> None:
    """One box at a time, and many more than there are cores; a program near the limit is among
    them.
    """
    programs = {
        task: helper("score/samples.py").candidates(problem, 1) for task, problem in dozen.items()
    }
    programs[next(iter(dozen))] += [slow(WITHIN)]
    path = tmp_path / "samples.jsonl"
    write_samples(path, programs)
    alone = verdicts(path, dozen, any_sandbox, at_once=1)
    assert verdicts(path, dozen, any_sandbox, at_once=8) == alone
    assert {outcome for pair in alone.values() for outcome in pair} == {"passed", "failed"}


def test_a_busy_machine_changes_no_verdict_on_humaneval(
    any_sandbox: Sandbox, cache_with_humaneval: Path, tmp_path: Path
) -> None:
    """All 164 own solutions pass on HumanEval and HumanEval+, quiet and busy."""
    problems = load_problems(load_benchmark("humaneval_plus"), cache_with_humaneval)
    path = tmp_path / "samples.jsonl"
    write_samples(
        path, {task: [one.prompt + one.canonical_solution] for task, one in problems.items()}
    )
    quiet = verdicts(path, problems, any_sandbox)
    with every_core_busy():
        busy = verdicts(path, problems, any_sandbox)
    assert busy == quiet == dict.fromkeys(quiet, ("passed", "passed"))
    assert len(quiet) == 164
