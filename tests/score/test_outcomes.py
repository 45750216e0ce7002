"""Programs become outcomes: right ones pass, wrong ones fail, and a busy machine changes none."""

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
from repro.score.box import Box, Closed, ExhaustedError, Sandbox
from repro.score.outcomes import FLOOR, Candidate, Outcome, Scored, score
from repro.score.samples import read_samples
from repro.score.unboxed import Unboxed

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


TASK = "dozen/0"
RIGHT = "def add_up(numbers): return sum(numbers)"


def one(dozen: Mapping[str, Problem], code: str, sandbox: Sandbox) -> Scored:
    """The outcomes of one program for our first problem."""
    (found,), _ = score({TASK: [Candidate("key", code)]}, dozen, sandbox, at_once=1)
    assert (found.key, found.task_id) == ("key", TASK)
    return found


def test_a_program_right_on_the_base_inputs_alone_passes_the_base_benchmark_alone(
    dozen: Mapping[str, Problem],
) -> None:
    assert one(dozen, RIGHT, Unboxed()).plus == Outcome("passed", "")
    found = one(dozen, "def add_up(n): return 6 if n else 0", Unboxed())
    assert found.base == Outcome("passed", "")
    assert found.plus == Outcome("failed", "wrong: input 0")
    found = one(dozen, "def add_up(n): return 1 / 0", Unboxed())
    assert found.base == Outcome("failed", "raised: ZeroDivisionError at input 0")
    assert found.plus == found.base


def test_tries_that_disagree_are_flaky_and_no_failure(
    dozen: Mapping[str, Problem], tmp_path: Path
) -> None:
    """It fails at its first try, and passes at the second."""
    code = (
        f"import posix\ntry: posix.mkdir('{tmp_path}/tried'); first = 1\n"
        "except OSError: first = 0\ndef add_up(n): return sum(n) + first\n"
    )
    found = one(dozen, code, Unboxed())
    assert found.base == Outcome("flaky", "1 of 2 tries failed (wrong: input 0)")


class GivingOut:
    """A sandbox that makes no box for as many tries."""

    kind = "none"

    def __init__(self, tries: int) -> None:
        self.left, self.closed = tries, 0

    def open(self) -> Box:
        self.left -= 1
        if self.left >= 0:
            raise ExhaustedError("no room")
        return Unboxed().open()

    def close(self) -> None:
        self.closed += 1


def test_a_box_that_gives_out_is_tried_again_and_then_scores_nothing(
    dozen: Mapping[str, Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.score.outcomes.AGAIN", 0.0)
    assert one(dozen, RIGHT, GivingOut(2)).plus.result == "passed"
    sandbox = GivingOut(3)
    found = one(dozen, RIGHT, sandbox)
    assert found.base == found.plus
    assert found.plus.result == "not_scored"
    assert found.plus.reason == "the benchmark's own solution was not run: no room"
    assert sandbox.closed == 1


def test_a_solution_that_does_not_answer_leaves_its_own_problem_unscored(
    dozen: Mapping[str, Problem],
) -> None:
    """The other problems of its box are scored."""
    tasks = list(dozen)[:2]
    broken = dozen[tasks[0]].model_copy(update={"canonical_solution": "    raise KeyError\n"})
    codes = {
        task: [Candidate(0, dozen[task].prompt + dozen[task].canonical_solution)] for task in tasks
    }
    seen: list[Scored] = []
    found, facts = score(
        codes, {**dozen, tasks[0]: broken}, Unboxed(), seen.append, Closed(False), 1
    )
    assert [one.task_id for one in found] == tasks
    assert found[0].plus == Outcome(
        "not_scored", "the benchmark's own solution does not answer: KeyError at input 0"
    )
    assert found[1].plus == Outcome("passed", "")
    assert seen == found
    assert facts["user"] == os.getuid()


def test_a_task_without_a_program_has_no_outcome(dozen: Mapping[str, Problem]) -> None:
    assert score({TASK: []}, dozen, Unboxed()) == ([], {})
