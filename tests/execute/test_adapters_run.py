"""Each kind of adapter by the real command: a chain that was killed ends with the bits of one that
was not.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.files import file_digest

Start = Callable[..., subprocess.Popen[str]]
MANIFEST = """
id: adapters
title: B3 and then B2
image: local
probe_set: factorial_48
domains: {code: [standard_library], math: [grade_school], natural_language: [python_topics]}
conditions:
  B3: {title: code and natural language, phases: [{steps: 8, mixture: {code: 0.7, natural_language: 0.3}}]}
  B3-B2: {title: on to math, continues: B3, phases: [{steps: 4, mixture: {code: 0.7, math: 0.3}}]}
training:
  adapter: ADAPTER
  optimizer: {learning_rate: 0.01, warmup: 0.0}
  accumulation: 2
  max_length: 32
  gradient_checkpointing: false
  compute: bfloat16
  checkpoint_every: 1
diagnostics: {every: 4}
arms:
  - {models: [tiny-llama], conditions: [B3-B2], seeds: [0]}
"""
ADAPTERS = {
    "full": "{kind: full}",
    "aligned": "{kind: block_diagonal, grouping: aligned, dropout: 0.1}",
    "isolated": "{kind: block_diagonal, grouping: isolated, dropout: 0.1}",
    "mps": "{kind: mps, rank: 4, bond: 3, alpha: 8, dropout: 0.1}",
}
WHOLE = {
    "full": "model.safetensors",
    "aligned": "blocks.safetensors",
    "isolated": "blocks.safetensors",
    "mps": "cores.safetensors",
}


def folders(results: Path) -> dict[str, RunFolder]:
    """Run folders by condition."""
    found = [RunFolder(path) for path in (results / "runs" / "adapters").iterdir()]
    return {read_request(folder.path).run.condition_id: folder for folder in found}


def wait_for_file(results: Path, name: str, process: subprocess.Popen[str]) -> None:
    """Wait for one of this name while a command is at work."""
    while not any(results.glob(name)):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def bits(results: Path) -> dict[str, str]:
    """Digest of all evidence that must not depend on interruptions."""
    paths = [
        path
        for part in ("steps", "activations", "adapter")
        for path in results.glob(f"runs/*/*/{part}/*")
    ]
    return {str(path.relative_to(results)): file_digest(path) for path in paths}


@pytest.mark.parametrize("kind", list(ADAPTERS))
def test_a_chain_that_was_killed_ends_with_the_bits_of_one_that_was_not(
    start: Start,
    kill_workers: Callable[[Path], list[int]],
    tmp_path: Path,
    kind: str,
) -> None:
    manifest, whole, broken = tmp_path / "adapters.yaml", tmp_path / "whole", tmp_path / "broken"
    manifest.write_text(MANIFEST.replace("ADAPTER", ADAPTERS[kind]))
    for condition, step in (("B3-", 3), ("B3-B2-", 2)):
        process = start("run", str(manifest), "--max-parallel", "1", results=broken)
        name = f"runs/adapters/tiny-llama-{condition}s0-*/steps/{step:06d}.parquet"
        wait_for_file(broken, name, process)
        assert kill_workers(broken)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for results in (whole, broken):
        output, _ = start(
            "run", str(manifest), "--max-parallel", "1", results=results
        ).communicate()
        assert "2 of 2 runs finished" in output
    assert bits(whole) == bits(broken)
    parent, child = (folders(whole)[name] for name in ("B3", "B3-B2"))
    ended, begun = (
        load_file(folder.path / "activations" / f"{step:06d}.safetensors")["activations"]
        for folder, step in ((parent, 8), (child, 0))
    )
    assert np.array_equal(ended, begun)
    trained = [load_file(folder.path / "adapter" / WHOLE[kind]) for folder in (parent, child)]
    assert trained[0].keys() == trained[1].keys()
    same = {name for name in trained[0] if np.array_equal(trained[0][name], trained[1][name])}
    assert same == {name for name in trained[0] if name.startswith("directions/")}
