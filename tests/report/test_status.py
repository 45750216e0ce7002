"""What `repro run` and `repro status` say of a run that failed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]
MANIFEST = """
id: failing
title: A base model
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
training: {compute: float32}
arms:
  - {models: [tiny-llama], conditions: [B0], seeds: [0]}
"""


@pytest.mark.worker
def test_a_failure_is_told_once_and_the_status_repeats_its_last_words(
    repro: Command, tmp_path: Path, tiny_llama: Path
) -> None:
    (tmp_path / "failing.yaml").write_text(MANIFEST)
    own = tmp_path / "cache" / "models" / tiny_llama.name
    shutil.copytree(tiny_llama, own)
    where = {"REPRO_CACHE": str(tmp_path / "cache")}
    whole = (own / "tokenizer.json").read_bytes()
    (own / "tokenizer.json").write_bytes(whole[: len(whole) // 2])  # seen by the worker alone
    failed = repro("run", "failing.yaml", **where)
    assert failed.returncode == 3
    assert failed.stdout.count("tiny-llama-B0: exit code") == 1
    assert "\n0 of 1 runs finished; 1 failed, why is said above; evidence in " in failed.stdout
    (log,) = tmp_path.glob("results/runs/failing/*/log.txt")
    said = log.read_text().splitlines()[-1].removeprefix("repro.worker: ")
    assert said in failed.stdout
    assert "last in its log:" in repro("status").stdout
    (own / "tokenizer.json").write_bytes(whole)
    assert repro("run", "failing.yaml", **where).returncode == 0
    assert "last in its log" not in repro("status").stdout, "the control: finished"
