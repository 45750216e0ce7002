"""Entropies by the real command: what LoRA, a matrix product state and full fine-tuning leave in
the store, and what is refused.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from repro.evidence.part import part_name

Start = Callable[..., subprocess.Popen[str]]
MANIFEST = """
id: entropies
title: entropies of three adapters
image: local
probe_set: factorial_48
domains: {code: [standard_library], natural_language: [python_topics]}
conditions:
  lora: {title: LoRA, phases: [{steps: 2, mixture: {code: 1.0}}], adapter: {kind: lora, rank: 2, alpha: 4, dropout: 0}}
  mps: {title: MPS, phases: [{steps: 2, mixture: {code: 1.0}}], adapter: {kind: mps, rank: 2, bond: 2, alpha: 4, dropout: 0}}
  full: {title: every weight, phases: [{steps: 2, mixture: {code: 1.0}}], adapter: {kind: full}}
training:
  quantisation: {format: none, double: false}
  optimizer: {learning_rate: 0.01, warmup: 0.0}
  accumulation: 1
  max_length: 32
  gradient_checkpointing: false
  compute: float32
  heldout: 3
diagnostics: {every: 2, also: [update_entropy, attention_entropy], attention: {lengths: [8, 16, 32], windows: 2}}
arms:
  - {models: [tiny-llama], conditions: [lora, mps, full], seeds: [0]}
"""
UPDATE, ATTENTION = part_name(matrix="update"), part_name(matrix="attention")


def test_every_adapter_leaves_its_entropies(start: Start, tmp_path: Path) -> None:
    manifest = tmp_path / "entropies.yaml"
    manifest.write_text(MANIFEST)
    results = tmp_path / "results"
    output, _ = start("run", str(manifest), "--max-parallel", "1", results=results).communicate()
    assert "3 of 3 runs finished" in output
    start("ingest", results=results).communicate()
    with duckdb.connect(str(results / "repro.duckdb"), read_only=True) as store:
        rows = store.execute(
            "SELECT condition, step, quantity, concept, value, n FROM runs JOIN "
            "measurements USING (run_id) "
            "WHERE specification = 'default' AND direction IS NULL"
        ).fetchall()
    found = {row[:4]: row[4] for row in rows}
    for condition in ("lora", "mps", "full"):
        assert found[condition, 0, "valley_depth", UPDATE] is None
        assert found[condition, 2, "valley_depth", UPDATE] is not None
        assert found[condition, 2, "entanglement_entropy", UPDATE] > 0
        assert (
            0
            < found[condition, 2, "entanglement_entropy", ATTENTION]
            < found[condition, 2, "maximal_entropy", ATTENTION]
        )
        assert (
            found[condition, 2, "entropy_fit_aic", part_name(matrix="attention", scope="linear")]
            is not None
        )
        start_of, end = (
            found[condition, step, "entanglement_entropy", ATTENTION] for step in (0, 2)
        )
        assert start_of == found["lora", 0, "entanglement_entropy", ATTENTION]
        assert end != start_of
    for name in ("lora", "mps"):
        assert (
            found[name, 2, "entanglement_entropy", UPDATE]
            <= found[name, 2, "maximal_entropy", UPDATE] + 1e-9
        )
        assert found[name, 2, "trainable_share", None] < 0.2
    assert found["full", 2, "trainable_share", None] == pytest.approx(1)
    assert {row[5] for row in rows if row[2] == "entropy_fit_aic"} == {4}


def test_windows_that_the_held_out_texts_do_not_fill_are_refused_in_one_line(
    start: Start, tmp_path: Path
) -> None:
    manifest = tmp_path / "entropies.yaml"
    manifest.write_text(MANIFEST.replace("[8, 16, 32]", "[8, 16, 32768]"))
    output, _ = start(
        "run", str(manifest), "--only", "*-lora-*", results=tmp_path / "results"
    ).communicate()
    assert "the held-out texts of domain code have" in output
    assert "raise training.heldout" in output
    assert "Traceback" not in output
