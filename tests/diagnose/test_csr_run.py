"""Runs with complement-subspace regularisation, from the manifest to their evidence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.evidence.request import read_request

STEPS, EVERY = 4, 2
MANIFEST = f"""
id: penalised
title: Two strengths, attached and detached
image: local
probe_set: factorial_48
domains: {{code: [standard_library], math: [grade_school]}}
conditions:
  weak: {{title: x, phases: &B2 [{{steps: {STEPS}, mixture: {{code: 0.7, math: 0.3}}}}], csr: {{strength: 0.03}}}}
  strong: {{title: x, phases: *B2, csr: {{strength: 0.3}}}}
  weak-detached: {{title: x, phases: *B2, csr: {{strength: 0.03, gradient: detached}}}}
  strong-detached: {{title: x, phases: *B2, csr: {{strength: 0.3, gradient: detached}}}}
training:
  lora: {{rank: 4, alpha: 8, dropout: 0.1}}
  csr: {{every: {EVERY}}}
  optimizer: {{learning_rate: 0.01, warmup: 0.0}}
  accumulation: 2
  max_length: 32
  gradient_checkpointing: false
  compute: float32
diagnostics: {{every: {STEPS}}}
arms:
  - {{models: [tiny-llama], conditions: [weak, strong, weak-detached, strong-detached], seeds: [0]}}
"""
Evidence = dict[str, list[Measurement]]


@pytest.fixture(scope="module")
def evidence(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Everything measured, by condition."""
    place = tmp_path_factory.mktemp("penalised")
    (place / "penalised.yaml").write_text(MANIFEST)
    command = [sys.executable, "-m", "repro", "run", str(place / "penalised.yaml")]
    environment = {**os.environ, "REPRO_CACHE": str(cache), "REPRO_RESULTS": str(place)}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=place, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folders = [RunFolder(path) for path in (place / "runs" / "penalised").iterdir()]
    return {
        read_request(folder.path).run.condition_id: [
            row
            for path in sorted(folder.path.glob("steps/*"))
            for row in folder.measurements(int(path.stem))
        ]
        for folder in folders
    }


def series(evidence: Evidence, condition: str, quantity: str) -> dict[int, float | None]:
    """A quantity's default reading by step."""
    return {
        row.step: row.value
        for row in evidence[condition]
        if row.quantity == quantity and row.specification == "default"
    }


def test_a_penalty_is_evidence_with_the_number_of_its_probes(evidence: Evidence) -> None:
    found = [row for row in evidence["strong"] if row.quantity == "csr_loss"]
    assert [row.step for row in found] == [2, 4]
    assert {row.n for row in found} == {48}
    assert all(row.value for row in found)


def test_detached_strengths_leave_one_trajectory_and_penalties_in_their_ratio(
    evidence: Evidence,
) -> None:
    for quantity in ("loss", "gradient_norm", "entanglement_intensity", "activation_rms"):
        assert series(evidence, "weak-detached", quantity) == series(
            evidence, "strong-detached", quantity
        )
    weak, strong = (series(evidence, f"{each}-detached", "csr_loss") for each in ("weak", "strong"))
    for step, value in weak.items():
        assert strong[step] == pytest.approx(10 * float(value or 0), rel=1e-6)


def test_attached_strengths_part_after_the_first_penalty(evidence: Evidence) -> None:
    weak, strong = (series(evidence, each, "loss") for each in ("weak", "strong"))
    assert [weak[step] == strong[step] for step in (1, 2, 3, 4)] == [True, True, False, False]
    weak, strong = (series(evidence, each, "csr_loss") for each in ("weak", "strong"))
    assert strong[2] == pytest.approx(10 * float(weak[2] or 0), rel=1e-6)
    assert strong[4] != pytest.approx(10 * float(weak[4] or 0), rel=1e-6)
