"""Benchmarks: files of problems in EvalPlus's format, from manifests/benchmarks.yaml.

The catalogue lists them with their digests. A file has a line for each problem: prompt, entry
point, the benchmark's own solution, and two sets of inputs. Its base inputs make one benchmark
(humaneval), base and further inputs together another (humaneval_plus).
"""

import gzip
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from repro.cache import benchmark_copy
from repro.errors import InputError, ManifestError, SetupError
from repro.files import file_digest
from repro.frozen import Frozen
from repro.manifest.explain import explain
from repro.manifest.model import Sha256
from repro.manifest.names import Name
from repro.manifest.yaml import read_catalogue, validate
from repro.names import nearest
from repro.shipped import places

CATALOGUE = "benchmarks.yaml"
OVERRIDE = "HUMANEVAL_OVERRIDE_PATH"
"""EvalPlus's own variable for the path of its file."""


class Benchmark(Frozen):
    """One entry of manifests/benchmarks.yaml: a file and the two benchmarks in it."""

    id: Name
    """The benchmark with all inputs."""
    base: Name
    """The benchmark with the base inputs only."""
    title: str
    file: str
    """Its name, or its path from the catalogue's folder."""
    sha256: Sha256
    problems: int = Field(gt=0)

    @property
    def names(self) -> tuple[str, str]:
        """Return the benchmarks that its problems are scored for."""
        return self.base, self.id


class Problem(Frozen):
    """One problem of a benchmark."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: tuple[Any, ...]
    plus_input: tuple[Any, ...]
    atol: float = Field(0.0, ge=0)
    """Absolute tolerance; 0: EvalPlus's own for floats, none for the rest."""


@cache
def load_benchmarks() -> Mapping[str, Benchmark]:
    """Read every benchmark, by the name of its larger and of its base one. Raises ManifestError."""
    found: dict[str, Benchmark] = {}
    for path in (place / CATALOGUE for place in reversed(places("manifests"))):
        for name, content in read_catalogue(path).items() if path.is_file() else ():
            entry = validate(Benchmark, {"id": name, **content}, f"{path}: {name}")
            found |= dict.fromkeys(entry.names, entry)
    return found


def load_benchmark(name: str) -> Benchmark:
    """Return the entry with a benchmark of this name. Raises InputError."""
    known = load_benchmarks()
    if name not in known:
        raise InputError(
            f"benchmark {name}: found no such benchmark, {nearest(name, known)}"
            f"expected one of {', '.join(sorted(known))}"
        )
    return known[name]


def benchmark_file(benchmark: Benchmark, cache: Path) -> Path:
    """Return the checked file of a benchmark.

    Raises SetupError naming the path and the digest that are needed.
    """
    kept = benchmark_copy(cache, benchmark.file)
    given = os.environ.get(OVERRIDE) if benchmark.id == "humaneval_plus" else None
    tried = (
        [Path(given)]
        if given
        else [*(place / benchmark.file for place in places("manifests")), kept]
    )
    path = next((path for path in tried if path.is_file()), None)
    if path is None:
        way = (
            f"put it there, or name it in {OVERRIDE}"
            if benchmark.id == "humaneval_plus"
            else "put it there"
        )
        raise SetupError(
            f"{tried[-1]}: there is no such file; get {benchmark.file} of {benchmark.title} "
            f"(sha256 {benchmark.sha256}), and {way}"
        )
    if (found := file_digest(path)) != benchmark.sha256:
        raise SetupError(
            f"{path}: found sha256 {found}, expected {benchmark.sha256} ({benchmark.title}); "
            "another file is refused"
        )
    return path


@cache
def load_problems(benchmark: Benchmark, cache: Path) -> Mapping[str, Problem]:
    """Read the problems of a benchmark, by task.

    Raises SetupError without its file, ManifestError for a wrong one.
    """
    path = benchmark_file(benchmark, cache)
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().split("\n")
    found = [
        _problem(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()
    ]
    by_task = {problem.task_id: problem for problem in found}
    if not len(found) == len(by_task) == benchmark.problems:
        raise ManifestError(
            f"{path}: found {len(found)} problems with {len(by_task)} names, expected "
            f"{benchmark.problems}; correct "
            f"{CATALOGUE}"
        )
    return by_task


def _problem(line: str, where: str) -> Problem:
    """Read one problem. Raises ManifestError."""
    try:
        content = json.loads(line)
        fields = {name: content[name] for name in Problem.model_fields if name in content}
        return Problem.model_validate(fields)
    except ValidationError as error:
        raise ManifestError(f"{where}: {explain(error, Problem)}") from None
    except (ValueError, TypeError) as error:
        raise ManifestError(f"{where}: is no problem in EvalPlus's format ({error})") from None
