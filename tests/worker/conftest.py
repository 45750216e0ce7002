"""A manifest of two short runs on a tiny model, and their folders as a host prepares them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.execute.folders import place_run, prepare
from repro.fetch.texts import fetch_texts
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run

Make = Callable[..., tuple[Run, RunFolder]]
MANIFEST = """
id: short
title: Two short runs
image: local
probe_set: factorial_48
sources: {own: {kind: file, path: own.jsonl}}
domains: {code: [own]}
conditions:
  B0: {title: untrained}
  B1: {title: code, phases: [{steps: 5, mixture: {code: 1.0}}]}
training:
  lora: {rank: 2, alpha: 4, dropout: 0.1}
  optimizer: {learning_rate: 0.01, warmup: 0.0}
  csr: {target: code, every: 2}
  accumulation: 2
  max_length: 24
  gradient_checkpointing: false
  compute: float32
  checkpoint_every: 2
  heldout: 2
diagnostics: {every: 3}
arms: [{models: [tiny-llama], conditions: [B0, B1], seeds: [1]}]
"""


@pytest.fixture
def make(tmp_path: Path, cache: Path, tiny_llama: Path) -> Make:
    """The run of a condition and its folder; `change` is of the manifest's text."""
    assert tiny_llama.is_dir()

    def prepared(
        condition: str, name: str = "results", change: tuple[str, str] = ("", "")
    ) -> tuple[Run, RunFolder]:
        assert change[0] in MANIFEST
        text = MANIFEST.replace(*change) if change[0] else MANIFEST
        (tmp_path / "short.yaml").write_text(text)
        lines = (json.dumps({"text": f"def f{n}(x):\n    return x + {n}"}) for n in range(12))
        (tmp_path / "own.jsonl").write_text("\n".join(lines))
        runs = expand(load_experiment(str(tmp_path / "short.yaml")), local_environment())
        run = next(run for run in runs if run.condition_id == condition)
        fetch_texts([one for domain in run.domains.values() for one in domain], cache, print)
        return run, prepare(place_run(run, tmp_path / name))

    return prepared
