"""Step 0 of a trained run is the base model, bit for bit; where it is not, nothing is lent
(repro.plan.base).
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.plan.base import base_of_run, surroundings

MANIFEST = """
id: zero
title: one base model under everything that may be trained on it
image: local
probe_set: factorial_48
also_probe_sets: [core_60]
domains: {code: [standard_library], math: [grade_school]}
conditions:
  B0: {title: untrained}
  B1: {title: lora, phases: [{steps: 2, mixture: {code: 1.0}}]}
  B2: {title: lora with a penalty on other texts, phases: [{steps: 2, mixture: {math: 1.0}}], csr: {strength: 0.1}}
  B1-wide: {title: of another rank, phases: [{steps: 2, mixture: {code: 1.0}}], adapter: {kind: lora, rank: 16, dropout: 0.3}}
  B1-aligned: {title: joined groups, phases: [{steps: 2, mixture: {code: 1.0}}], adapter: {kind: block_diagonal, grouping: aligned}}
  B1-full: {title: every weight, phases: [{steps: 2, mixture: {code: 1.0}}], adapter: {kind: full}}
  B1-on: {title: goes on from B1, phases: [{steps: 2, mixture: {code: 1.0}}], continues: B1}
training:
  lora: {rank: 4, alpha: 8, dropout: 0.1}
  csr: {target: code, every: 2}
  optimizer: {learning_rate: 0.01}
  accumulation: 1
  max_length: 32
  compute: bfloat16
  dequantise: once
diagnostics: {every: 2, also: [subspace, crosstalk, similarity]}
arms:
  - {models: [tiny-llama], conditions: [B0, B1, B2, B1-wide, B1-aligned, B1-full, B1-on], seeds: [3]}
"""
SAME = {"B0", "B1", "B2", "B1-wide", "B1-aligned"}
Rows = dict[tuple[object, ...], tuple[float | None, str | None]]


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, repro_in: Callable[..., None]
) -> dict[str, Path]:
    """The finished runs by condition."""
    folder = tmp_path_factory.mktemp("zero")
    (folder / "zero.yaml").write_text(MANIFEST)
    repro_in(folder, "run", "zero.yaml", "--runner", "local")
    return {
        read_request(path).run.condition_id: path
        for path in (folder / "results" / "runs" / "zero").iterdir()
    }


@pytest.fixture(scope="module")
def repro_in(cache: Path) -> Callable[..., None]:
    """Run a command in a folder, with results there."""

    def run(folder: Path, *words: str) -> None:
        given = {**os.environ, "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(folder / "results")}
        command = [sys.executable, "-m", "repro", *words]
        done = subprocess.run(
            command, cwd=folder, env=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    return run


def at_start(path: Path) -> Rows:
    """Whatever step 0 measured on probes."""
    rows = [row for row in RunFolder(path).measurements(0) if row.layer]
    return {
        (row.quantity, row.specification, row.concept, row.direction, row.probe_set): (
            row.value,
            row.reason,
        )
        for row in rows
    }


def test_before_the_first_step_every_adapter_leaves_the_base_models_numbers_as_they_are(
    folders: dict[str, Path],
) -> None:
    """Whatever seed, rank, dropout, texts or penalty; equal bits, on both probe sets."""
    base = at_start(folders["B0"])
    assert len(base) > 250
    assert {part for *_, part in base} == {None, "core_60"}
    for name in SAME:
        assert at_start(folders[name]) == base, name


def test_runs_are_called_the_same_base_exactly_where_their_numbers_are_the_same(
    folders: dict[str, Path],
) -> None:
    """The controls: every weight trained means weights that were never quantised; a run that goes
    on starts trained.
    """
    called = {name: base_of_run(read_request(path).run) for name, path in folders.items()}
    assert called["B1-on"] is None
    assert at_start(folders["B1-on"]) != at_start(folders["B0"])
    assert at_start(folders["B1-full"]) != at_start(folders["B0"])
    assert {name for name in called if called[name] == called["B0"]} == SAME
    assert len({surroundings(read_request(path).run.environment) for path in folders.values()}) == 1
