"""What several tests need: tiny models in a cache of their own, and commands run as a user runs them."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import psutil
import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"

settings.register_profile("repro", deadline=None)  # machines differ; slowness is for the benchmarks
settings.load_profile("repro")

Command = Callable[..., subprocess.CompletedProcess[str]]
GIBIBYTES = 3
"""Memory that one of the processes side by side takes at the most, models included."""


WORKING = ("ci", "diagnose", "execute", "fuzz", "train")
"""Folders whose tests start workers, load models or make environments: all of them carry the mark `worker`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-quick` leaves out; a test elsewhere carries the mark itself."""
    tests = Path(__file__).parent
    for item in items:
        if item.path.relative_to(tests).parts[0] in WORKING:
            item.add_marker(pytest.mark.worker)


def pytest_xdist_auto_num_workers() -> int:
    """As many processes as there are cores, while the memory holds them."""
    return max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().total / 2**30 / GIBIBYTES)))


def pytest_unconfigure() -> None:
    """Say nothing after the summary: DuckDB's bindings list what they did not free when the interpreter ends."""
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@pytest.fixture(scope="session")
def cache() -> Path:
    """A model cache below build/, kept between test runs: folders are named by content, so none can be stale."""
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

    def run(*arguments: str, results: Path = tmp_path / "results", **changes: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(results), **changes}
        command = [sys.executable, "-m", "repro", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    return run


@pytest.fixture(scope="session")
def tiny_llama(cache: Path) -> Path:
    """The folder of a tiny random Llama, made by the real fetch."""
    from repro.execute.fetch import fetch_models
    from repro.manifest.load import load_models

    model = load_models()["tiny-llama"]
    fetch_models([model], cache, print)
    return cache / "models" / model.folder
