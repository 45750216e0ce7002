"""The sandboxes of this machine, the problems, and EvalPlus where it is installed."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.engine import engine
from repro.execute.images.build import checked_image
from repro.manifest.benchmark import Problem, benchmark_file, load_benchmark, load_problems
from repro.score.box import Sandbox
from repro.score.bubblewrap import find_bubblewrap
from repro.score.containers import Containers

ORACLE = Path(__file__).with_name("evalplus_oracle.py")
PEER = "REPRO_EVALPLUS"
"""Names a Python that has evalplus 0.3.1."""
BENCHMARKS = "REPRO_TEST_BENCHMARKS"
"""Names a cache folder with a benchmarks/ folder in it, for EvalPlus's file."""


def _docker() -> Sandbox:
    client = engine()
    return Containers(client, checked_image(client, "cpu"))


MAKERS: dict[str, Callable[[], Sandbox]] = {"docker": _docker, "bubblewrap": find_bubblewrap}


@pytest.fixture(scope="session", params=sorted(MAKERS))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each closed sandbox of this machine in turn; one that is not here is skipped by name."""
    return open_sandbox(request.param)


@pytest.fixture(scope="session")
def any_sandbox() -> Sandbox:
    """The quickest closed sandbox of this machine."""
    try:
        return find_bubblewrap()
    except SetupError:
        return open_sandbox("docker")


def open_sandbox(kind: str) -> Sandbox:
    try:
        return MAKERS[kind]()
    except SetupError as error:
        if os.environ.get("REPRO_REQUIRE_CONTAINERS") == "1":
            raise
        pytest.skip(f"{kind}: {error}")


@pytest.fixture(scope="session")
def dozen() -> Mapping[str, Problem]:
    return load_problems(load_benchmark("dozen"), Path("/nowhere"))


@pytest.fixture(scope="session")
def cache_with_humaneval() -> Path:
    """A cache folder that has EvalPlus's file."""
    cache = Path(os.environ.get(BENCHMARKS, "/nowhere"))
    try:
        benchmark_file(load_benchmark("humaneval_plus"), cache)
    except SetupError as error:
        pytest.skip(str(error))
    return cache


@pytest.fixture(scope="session")
def evalplus() -> Callable[[Path, Mapping[str, list[str]]], dict[str, list[list[str]]]]:
    """EvalPlus's statuses (base, plus) of programs by task."""
    python = os.environ.get(PEER)
    if python is None:
        pytest.skip(f"{PEER} names no Python that has evalplus")

    def run(path: Path, programs: Mapping[str, list[str]]) -> dict[str, list[list[str]]]:
        done = subprocess.run(
            [python, str(ORACLE), str(path)],
            input=json.dumps(programs),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run
