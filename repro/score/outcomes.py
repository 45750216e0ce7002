"""Turn programs into outcomes: compare each problem's candidates with the benchmark's own solution.

The benchmark's solutions run in boxes of their own: no expected answer is ever in a box with a
candidate. A candidate that does not pass is run again; if two tries disagree the outcome is
`flaky`, and if the box fails it is `not_scored`. Neither is a 0.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Literal

from repro.manifest.benchmark import Problem
from repro.score.attempt import End, Limits, Work, attempt
from repro.score.box import Closed, ExhaustedError, Sandbox
from repro.score.check import Check

Result = Literal["passed", "failed", "flaky", "not_scored"]
FLOOR, FACTOR, _MOST = 1.0, 4.0, 60.0
"""EvalPlus's limits in seconds, here of processor time: each input at least, times its own
solution's, a whole set at most.
"""
OWN_TOTAL, OWN_OUTPUT = 600.0, 1 << 28
"""Processor seconds of a set, and bytes of an output, of the benchmark's own solution."""
TRIES, AGAIN = 3, 1.0
"""Tries at a box that gives out, and seconds between them."""
CHUNK = 8
"""Problems whose own solutions share a box."""


@dataclass(frozen=True)
class Candidate:
    """One program for one problem."""

    key: Any
    """Identifies the candidate; returned with the outcome."""
    code: str


@dataclass(frozen=True)
class Outcome:
    """The outcome of a candidate on one of the two benchmarks of its problem."""

    result: Result
    reason: str
    """Empty for what passed."""


@dataclass(frozen=True)
class Scored:
    """A candidate's outcomes."""

    key: Any
    task_id: str
    base: Outcome
    plus: Outcome
    """Of base and further inputs together."""


@dataclass(frozen=True)
class _Expected:
    """The answers of a problem's own solution, and their CPU time, for each set."""

    checks: tuple[Check, ...]
    seconds: tuple[tuple[float, ...], ...]


Watcher = Callable[[Scored], None]


def score(
    candidates: Mapping[str, Sequence[Candidate]],
    problems: Mapping[str, Problem],
    sandbox: Sandbox,
    watcher: Watcher = lambda _: None,
    closed: Closed | None = None,
    at_once: int | None = None,
) -> tuple[list[Scored], dict[str, Any]]:
    """Score candidates by task.

    Return (outcomes in the order of tasks and candidates, facts about the boxes). Raises
    SetupError when no closed box can be made on this machine.
    """
    seen: dict[str, Any] = {}
    boxes = _Boxes(sandbox, closed or Closed(sandbox.kind != "none"), seen)
    tasks = [task for task in candidates if candidates[task]]
    chunks = [tasks[start : start + CHUNK] for start in range(0, len(tasks), CHUNK)]
    found: dict[str, list[Scored]] = {}
    with ThreadPoolExecutor(at_once or os.cpu_count() or 1) as pool:
        work = [
            pool.submit(_score_chunk, boxes, [problems[task] for task in chunk], candidates)
            for chunk in chunks
        ]
        try:
            for done in as_completed(work):
                for scored in done.result():
                    found.setdefault(scored.task_id, []).append(scored)
                    watcher(scored)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            sandbox.close()
    return [scored for task in tasks for scored in found[task]], seen


@dataclass(frozen=True)
class _Boxes:
    """Makes a new box for each attempt."""

    sandbox: Sandbox
    closed: Closed
    seen: dict[str, Any]

    def attempt(self, works: Sequence[Work]) -> list[End]:
        """Run works in a new box. Raises ExhaustedError when several boxes in a row fail."""
        for number in range(TRIES):
            try:
                box = self.sandbox.open()
                try:
                    ends, facts = attempt(box, self.closed, works)
                finally:
                    box.close()
            except ExhaustedError:
                if number == TRIES - 1:
                    raise
                time.sleep(AGAIN)
            else:
                self.seen.update(facts)
                return ends
        raise AssertionError("the last try ends the loop")


def _score_chunk(
    boxes: _Boxes, problems: Sequence[Problem], candidates: Mapping[str, Sequence[Candidate]]
) -> list[Scored]:
    """Score the candidates of a few problems."""
    expected = _expect(boxes, problems)
    return [
        _scored(boxes, problem, candidate, expected[problem.task_id])
        for problem in problems
        for candidate in candidates[problem.task_id]
    ]


def _expect(boxes: _Boxes, problems: Sequence[Problem]) -> dict[str, _Expected | str]:
    """Return the answers of the problems' own solutions.

    Where one has none, the reason in words.
    """
    outputs: list[list[bytes]] = []
    times: list[list[float]] = []
    works = [work for problem in problems for work in _own_works(problem, outputs, times)]
    try:
        ends = boxes.attempt(works)
    except ExhaustedError as gone:
        return {
            problem.task_id: f"the benchmark's own solution was not run: {gone}"
            for problem in problems
        }
    if len(problems) > 1 and ends[-1].how != "passed":  # Find out which problem failed.
        return {
            task: made for problem in problems for task, made in _expect(boxes, [problem]).items()
        }
    if ends[-1].how != "passed":
        return {
            problems[0].task_id: f"the benchmark's own solution does not answer: {ends[-1].why}"
        }
    return {
        problem.task_id: _Expected(
            checks=tuple(
                Check(problem.entry_point, inputs, outputs[2 * at + part], problem.atol)
                for part, inputs in enumerate((problem.base_input, problem.plus_input))
            ),
            seconds=tuple(_differences(times[2 * at + part]) for part in range(2)),
        )
        for at, problem in enumerate(problems)
    }


def _own_works(
    problem: Problem, outputs: list[list[bytes]], times: list[list[float]]
) -> Iterator[Work]:
    """Yield the two sets of a problem with its own solution.

    Its answers and times are added to the lists.
    """
    for inputs in (problem.base_input, problem.plus_input):
        sent: list[bytes] = []
        taken: list[float] = []
        outputs.append(sent)
        times.append(taken)

        def take(
            _: int,
            payload: bytes,
            seconds: float,
            sent: list[bytes] = sent,
            taken: list[float] = taken,
        ) -> bool:
            sent.append(payload)
            taken.append(seconds)
            return True

        limits = Limits([OWN_TOTAL] * len(inputs), OWN_TOTAL)
        code = problem.prompt + problem.canonical_solution
        yield Work(code, problem.entry_point, inputs, limits, lambda _: OWN_OUTPUT, take)


def _differences(times: Sequence[float]) -> tuple[float, ...]:
    """Return the seconds of each input, from the readings after each."""
    return tuple(after - before for before, after in zip((0.0, *times), times, strict=False))


def _scored(
    boxes: _Boxes, problem: Problem, candidate: Candidate, expected: _Expected | str
) -> Scored:
    """Score one candidate. One that does not pass is tried twice."""
    if isinstance(expected, str):
        nothing = Outcome("not_scored", expected)
        return Scored(candidate.key, problem.task_id, nothing, nothing)
    works = [
        _work(problem, candidate, check, times)
        for check, times in zip(expected.checks, expected.seconds, strict=True)
    ]
    tries: list[list[End]] = []
    try:
        tries.append(boxes.attempt(works))
        if tries[0][-1].how != "passed":
            tries.append(boxes.attempt(works))
    except ExhaustedError as gone:
        nothing = Outcome("not_scored", f"not scored: {gone}")
        return Scored(candidate.key, problem.task_id, nothing, nothing)
    base, plus = (_outcome([ends[: part + 1] for ends in tries]) for part in range(2))
    return Scored(candidate.key, problem.task_id, base, plus)


def _work(problem: Problem, candidate: Candidate, check: Check, times: Sequence[float]) -> Work:
    """Return one set of inputs for a candidate, with limits from the time of the benchmark's
    own solution.
    """
    each = [max(FLOOR, FACTOR * taken) for taken in times]
    limits = Limits(each, min(_MOST, sum(each)) + 1)
    return Work(
        candidate.code, problem.entry_point, check.inputs, limits, check.longest,
        lambda index, payload, _: check.holds(index, payload),
    )  # fmt: skip


def _outcome(tries: Sequence[Sequence[End]]) -> Outcome:
    """Return one outcome from the ends of each try: all passed, none did, or they disagree."""
    last = [ends[-1] for ends in tries]
    failed = [end for end in last if end.how != "passed"]
    if not failed:
        return Outcome("passed", "")
    if len(failed) == len(last):
        return Outcome("failed", f"{failed[0].how}: {failed[0].why}")
    return Outcome(
        "flaky", f"{len(failed)} of {len(last)} tries failed ({failed[0].how}: {failed[0].why})"
    )
