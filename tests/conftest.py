"""What several tests need: tiny models in a cache of their own, and commands run as a user runs
them.
"""

import atexit
import contextlib
import importlib.util
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
if not Path("/proc/driver/nvidia/version").exists():
    # Before anything imports Triton: without a card its kernels are interpreted.
    os.environ.setdefault("TRITON_INTERPRET", "1")
# pytest-xdist tells its workers how wide the terminal is, which commands under test would obey
os.environ.pop("COLUMNS", None)

settings.register_profile("repro", deadline=None, derandomize=True)
"""No deadline: machines differ. The same inputs every time: a change fails for what it did, and
`make fuzz` looks for new ones.
"""
settings.load_profile("repro")

Command = Callable[..., subprocess.CompletedProcess[str]]
REQUIRED = os.environ.get("REPRO_REQUIRE_CONTAINERS") == "1"
"""Set by the stages that start an engine: there, a machine without containers is a failure and not
a reason to skip.
"""
GIBIBYTES = 3
"""Memory that one of the processes side by side takes at the most, models included."""


WORKING = ("bench", "ci", "diagnose", "execute", "fetch", "fuzz", "machine", "train", "worker")
"""Folders whose tests start workers, load models or make environments: all of them carry the mark
`worker`.
"""


COMMANDS = {"repro", "tiny_llama", "client"}
"""Fixtures by which a test starts `repro` as its own process, makes a model, or asks an engine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-quick` leaves out; a test elsewhere carries the mark itself. Those of
    ci/heavy_tests.txt are what `make test LIGHT=1` leaves out.
    """
    tests = Path(__file__).parent
    lines = (tests.parent / "ci" / "heavy_tests.txt").read_text(encoding="utf-8").splitlines()
    heavy = {tests.parent / line.split()[0] for line in lines if line.startswith("tests/")}
    for item in items:
        if item.path in heavy:
            item.add_marker(pytest.mark.heavy)
        commands = COMMANDS & set(getattr(item, "fixturenames", ()))
        if commands or item.path.relative_to(tests).parts[0] in WORKING:
            item.add_marker(pytest.mark.worker)


def pytest_xdist_auto_num_workers() -> int:
    """As many processes as there are cores, while the memory holds them."""
    return max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().total / 2**30 / GIBIBYTES)))


def pytest_unconfigure() -> None:
    """Say nothing after the summary: DuckDB's bindings list what they did not free when the
    interpreter ends. Later than here, since pytest puts back what it had captured.
    """
    sys.stdout.flush()
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


@pytest.fixture(autouse=True)
def _manifests_placed_by_this_test_alone() -> Iterator[None]:
    """A command knows the manifests that it was given; a process of tests is many commands."""
    from repro.manifest import load

    before = dict(load._PLACED)
    yield
    load._PLACED.clear()
    load._PLACED.update(before)


@pytest.fixture(scope="session")
def cache() -> Path:
    """A model cache below build/, kept between test runs: folders are named by content, so none can
    be stale.
    """
    path = Path(__file__).resolve().parents[1] / "build" / "test-cache"
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def helper() -> Callable[[str], ModuleType]:
    """A module of tests/ that is no test, by its path there: the folders are no packages."""

    def load(path: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(Path(path).stem, Path(__file__).parent / path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def repro(cache: Path, tmp_path: Path) -> Command:
    """Run `repro …` in a process of its own, with results in the test's folder."""

    def run(
        *arguments: str, results: Path = tmp_path / "results", **changes: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "REPRO_CACHE": str(cache),
            "REPRO_RESULTS": str(results),
            **changes,
        }
        command = [sys.executable, "-m", "repro", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
        )

    return run


@pytest.fixture(scope="session")
def tiny_llama(cache: Path) -> Path:
    """The folder of a tiny random Llama, made by the real fetch."""
    from repro.fetch.models import fetch_models
    from repro.manifest.load import load_models

    model = load_models()["tiny-llama"]
    fetch_models([model], cache, print)
    return cache / "models" / model.folder


@pytest.fixture(scope="session")
def client() -> Any:
    """An engine that answers."""
    from repro.errors import SetupError
    from repro.execute.engine import engine

    try:
        return engine()
    except SetupError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def image(client: Any, cache: Path) -> str:
    """The small image, checked."""
    from repro.errors import SetupError
    from repro.execute.images.build import checked_image

    try:
        return checked_image(client, "cpu", cache)
    except SetupError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def evidence(helper: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The carried evidence with a store over it: to read, not to write to."""
    target = tmp_path_factory.mktemp("carried") / "results"
    with contextlib.redirect_stdout(io.StringIO()):
        helper("../ci/evidence.py").lay(target)
    return target
