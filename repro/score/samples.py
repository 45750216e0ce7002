"""Read completions made elsewhere, in EvalPlus's format: one JSON object a line."""

import json
from collections.abc import Mapping
from pathlib import Path

from repro.errors import InputError
from repro.manifest.benchmark import Benchmark, Problem, load_benchmarks
from repro.score.outcomes import Candidate

_LARGEST = 1 << 20
"""Most characters of one program."""


def read_samples(path: Path, problems: Mapping[str, Problem]) -> dict[str, list[Candidate]]:
    """Read candidates by task, in the order of the problems.

    A candidate's key is its number within its task. Raises InputError naming the line that is
    not a sample, or belongs to another benchmark.
    """
    found: dict[str, list[Candidate]] = {}
    try:
        # splitlines() would also split at signs that a program may hold, such as a form feed.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            task, code = _sample(line, problems, f"{path}:{number}")
            of_task = found.setdefault(task, [])
            of_task.append(Candidate(len(of_task), code))
    if not found:
        raise InputError(
            f'{path}: found no sample, expected lines such as {{"task_id": …, "completion": …}}'
        )
    return {task: found[task] for task in problems if task in found}


def _unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for a file that cannot be read."""
    problem = getattr(error, "strerror", None) or "not text in UTF-8"
    return InputError(f"{path}: cannot be read ({problem}); give a file of JSON lines")


def _sample(line: str, problems: Mapping[str, Problem], where: str) -> tuple[str, str]:
    """Return (task, program) of one line. Raises InputError."""
    try:
        content = json.loads(line)
        task = content["task_id"]
        code = content["solution"] if "solution" in content else content["completion"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f"{where}: found no sample, expected JSON with task_id and completion or solution"
        ) from None
    if not isinstance(task, str) or task not in problems:
        known = next(iter(problems))
        raise InputError(
            f"{where}: found task_id {str(task)[:60]!r}, expected one of the benchmark's, "
            f"such as {known!r}"
        )
    if not isinstance(code, str) or len(code) > _LARGEST:
        raise InputError(
            f"{where}: found no program, expected text of at most {_LARGEST:,} characters"
        )
    return task, code if "solution" in content else problems[task].prompt + code


def benchmark_of(path: Path) -> Benchmark:
    """Return the benchmark of a file's first sample, by the name before its task's number.

    Raises InputError where no benchmark has such tasks.
    """
    prefixes = {"HumanEval": "humaneval_plus"}
    try:
        with path.open(encoding="utf-8") as file:
            line = next((line for line in file if line.strip()), "")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    try:
        prefix = str(json.loads(line)["task_id"]).partition("/")[0]
    except (ValueError, KeyError, TypeError, RecursionError):
        prefix = ""
    known = load_benchmarks()
    name = prefixes.get(prefix, f"{prefix}_plus")
    if name not in known:
        raise InputError(
            f"{path}: its first line names no benchmark; say which: --benchmark "
            f"{' | '.join(sorted(known))}"
        )
    return known[name]
