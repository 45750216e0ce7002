"""`repro run --repair`: the damaged run is made again with the same bits, the others stay as they
are, and what was left of it too.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from repro.execute.folders import place_run, place_runs, prepare
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.store.ingest import ingest

Command = Callable[..., subprocess.CompletedProcess[str]]
MANIFEST = """
id: base
title: Two base models
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
arms: [{models: [tiny-llama, tiny-qwen2], conditions: [B0], seeds: [0]}]
"""


@pytest.fixture
def made(cache: Path, repro: Command, tmp_path: Path) -> tuple[Path, Path]:
    """The folders of two finished runs, made by the real worker; the first is to be damaged."""
    from repro.worker.session import carry_out

    (tmp_path / "base.yaml").write_text(MANIFEST)
    assert repro("fetch", "base.yaml").returncode == 0
    folders = []
    for run in expand(load_experiment(str(tmp_path / "base.yaml")), local_environment()):
        folders.append(prepare(place_run(run, tmp_path / "results")).path)
        carry_out(folders[-1], cache)
    first, second = folders
    return first, second


def test_repair_makes_the_damaged_run_again_and_touches_no_other(
    repro: Command, tmp_path: Path, made: tuple[Path, Path]
) -> None:
    first, second = made
    step = first / "steps/000000.parquet"
    numbers, states = pq.read_table(step), _states(second)
    step.write_bytes(step.read_bytes()[:-4])
    plain = repro("run", "base.yaml", "--runner", "local")
    assert plain.returncode == 3
    assert f"damaged: {step}: found" in plain.stderr
    assert "1 left out: damaged, --repair makes them again" in plain.stdout
    runs = expand(load_experiment(str(tmp_path / "base.yaml")), local_environment())
    places = place_runs(runs, tmp_path / "results")
    assert [place.state for place in places] == ["damaged", "finished"]
    mended = repro("run", "base.yaml", "--runner", "local", "--repair")
    assert mended.returncode == 0, mended.stderr
    (aside,) = (tmp_path / "results/set_aside/base").iterdir()
    assert str(aside) in mended.stderr
    assert pq.read_table(step).equals(numbers)
    assert _states(second) == states
    assert ingest(tmp_path / "results").runs == 2


def _states(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(x): (x.stat().st_size, x.stat().st_mtime_ns) for x in files}
