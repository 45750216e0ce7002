"""From a manifest that asks for a benchmark to verdicts in the store: completions, scores, seal,
rows, claims.
"""

import json
from collections.abc import Callable
from pathlib import Path
from string import Template
from subprocess import CompletedProcess

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.scores import read_scores
from repro.manifest.benchmark import load_benchmark, load_problems
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.score.box import Sandbox

pytestmark = pytest.mark.worker
Command = Callable[..., CompletedProcess[str]]
MANIFEST = Template("""
id: scored
title: One base model and one adapter, on twelve problems
image: local
probe_set: factorial_48
domains: {code: [standard_library]}
conditions:
  B0: {title: base model}
  B1: {title: code, phases: [{steps: 1, mixture: {code: 1.0}}]}
training:
  lora: {rank: 8, alpha: 16, dropout: 0.0}
  accumulation: 2
  max_length: 48
  gradient_checkpointing: true
  compute: float32
  heldout: 0
$evaluation
arms: [{models: [tiny-llama], conditions: [B0, B1], seeds: [7]}]
""")
EVALUATION = "evaluation: {benchmarks: [dozen_plus], generation: {max_new_tokens: 12}}"


def test_an_evaluation_names_no_run(tmp_path: Path) -> None:
    """The same runs with and without it, whatever it asks for."""
    path = tmp_path / "scored.yaml"
    names = []
    for evaluation in ("", EVALUATION, EVALUATION.replace("12", "99")):
        path.write_text(MANIFEST.substitute(evaluation=evaluation))
        names.append([run.id for run in expand(load_experiment(str(path)), local_environment())])
    assert names[0] == names[1] == names[2]


def test_a_run_is_scored_sealed_and_stored(
    repro: Command, tmp_path: Path, any_sandbox: Sandbox
) -> None:
    """Twice: the second call does nothing again. Every sample has a row, and the counts are
    measurements as well.
    """
    path, results = tmp_path / "scored.yaml", tmp_path / "results"
    path.write_text(MANIFEST.substitute(evaluation=EVALUATION))
    first = repro("run", str(path), "--runner", "local", "--sandbox", any_sandbox.kind)
    assert first.returncode == 0, first.stderr + first.stdout
    assert "tiny-llama-B0 step 0 dozen: 0/12 [0.000, 0.242]" in first.stdout
    assert "against the base model +0.000" in first.stdout
    folders = [
        RunFolder(marker.parent) for marker in sorted(results.glob("runs/scored/*/done.json"))
    ]
    assert len(folders) == 2
    for folder in folders:
        folder.check()
        marker = folder.done()
        assert marker is not None
        (name,) = (name for name in marker.files if name.startswith("scores/"))
        scores = read_scores(folder.path, name)
        assert scores.isolation["sandbox"] == any_sandbox.kind
        assert len(scores.samples) == 12
    before = {path: path.stat().st_mtime_ns for path in results.glob("runs/scored/*/*.json")}
    again = repro("run", str(path), "--runner", "local", "--sandbox", any_sandbox.kind)
    assert again.returncode == 0
    assert {
        path: path.stat().st_mtime_ns for path in results.glob("runs/scored/*/*.json")
    } == before
    assert "instead of" not in again.stderr
    path.write_text(MANIFEST.substitute(evaluation=EVALUATION.replace("12", "9")))
    other = repro("run", str(path), "--runner", "local", "--sandbox", any_sandbox.kind)
    assert (
        other.stderr.count(
            "dozen_plus: its scores are those of max_new_tokens 12 instead of 9, and stay"
        )
        == 2
    )
    assert {
        path: path.stat().st_mtime_ns for path in results.glob("runs/scored/*/*.json")
    } == before
    assert repro("ingest").returncode == 0
    query = (
        "SELECT benchmark, count(*), sum(passed), min(problems) FROM evaluations GROUP BY ALL "
        "ORDER BY ALL"
    )
    rows = json.loads(repro("sql", query, "--format", "json").stdout)
    assert [list(row.values())[:2] for row in rows] == [["dozen", 2], ["dozen_plus", 2]]
    counted = "SELECT count(*) AS rows FROM samples WHERE outcome = 'failed'"
    assert json.loads(repro("sql", counted, "--format", "json").stdout) == [{"rows": 48}]
    solved = (
        "SELECT count(*) AS rows FROM measurements WHERE quantity = 'dozen_plus' AND value = 0 "
        "AND n = 12"
    )
    assert json.loads(repro("sql", solved, "--format", "json").stdout) == [{"rows": 2}]
    path.write_text(
        MANIFEST.substitute(
            evaluation=EVALUATION.replace("{bench", "{steps: [base, last], bench", 1)
        )
    )
    more = repro("run", str(path), "--runner", "local", "--sandbox", any_sandbox.kind)
    assert more.returncode == 0, more.stderr
    marker = folders[-1].done()
    assert marker is not None
    assert sorted(marker.later) == [
        f"{kind}/dozen_plus.00000{step}.json{ending}"
        for kind, ending in (("completions", "l"), ("scores", ""))
        for step in (0, 1)
    ]
    folders[-1].check()
    edited = folders[-1].path / name
    edited.write_text(edited.read_text().replace("failed", "passed", 1))
    assert repro("ingest").returncode == 3


def test_a_run_without_its_weights_keeps_no_other_from_its_scores(
    repro: Command, tmp_path: Path, any_sandbox: Sandbox
) -> None:
    """Runs that finished before a benchmark was asked for; one lacks its adapter by then."""
    path = tmp_path / "scored.yaml"
    path.write_text(MANIFEST.substitute(evaluation=""))
    assert repro("run", str(path), "--runner", "local").returncode == 0
    for weights in tmp_path.glob("results/runs/scored/*-B1-*/adapter/*.safetensors"):
        weights.unlink()
    path.write_text(MANIFEST.substitute(evaluation=EVALUATION))
    done = repro("run", str(path), "--runner", "local", "--sandbox", any_sandbox.kind)
    assert done.returncode == 0, done.stderr
    assert "tiny-llama-B0 step 0 dozen: 0/12 [0.000, 0.242]" in done.stdout
    assert "tiny-llama-B1-s7: dozen_plus: not run: no completions: " in done.stderr
    assert "tiny-llama-B1-s7 step" not in done.stdout


def test_without_its_file_a_benchmark_is_not_run(repro: Command, tmp_path: Path) -> None:
    """The runs finish, and the line says which file is needed."""
    path = tmp_path / "scored.yaml"
    path.write_text(
        MANIFEST.substitute(evaluation=EVALUATION.replace("dozen_plus", "humaneval_plus")).replace(
            ", B1]", "]"
        )
    )
    done = repro(
        "run", str(path), "--runner", "local", HUMANEVAL_OVERRIDE_PATH=str(tmp_path / "none.gz")
    )
    assert done.returncode == 0
    assert "humaneval_plus: not run" in done.stderr
    assert load_benchmark("humaneval").sha256 in done.stderr


def test_samples_made_elsewhere_are_scored(
    repro: Command, tmp_path: Path, any_sandbox: Sandbox
) -> None:
    """EvalPlus's format with completions and solutions; counts, what is missing, and what is
    refused.
    """
    problems = load_problems(load_benchmark("dozen"), tmp_path)
    path = tmp_path / "samples.jsonl"
    lines = [
        {"task_id": task, "completion": problem.canonical_solution}
        for task, problem in problems.items()
    ]
    lines[3] = {"task_id": "dozen/3", "solution": "def count_letters(text): return 1"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = repro("score", str(path), "--sandbox", any_sandbox.kind)
    assert (done.returncode, "dozen_plus: 11 passed, 1 failed of 12 samples" in done.stdout) == (
        0,
        True,
    ), done.stderr
    path.write_text(json.dumps(lines[0]) + "\n")
    done = repro("score", str(path), "--sandbox", any_sandbox.kind, "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["benchmarks"]["dozen"]["without_sample"] == 11
    for text in (
        "",
        "{}",
        '{"task_id": "dozen/99", "completion": ""}',
        '{"task_id": "dozen/1"}',
        "\x00",
        "[1]",
    ):
        path.write_text(text)
        done = repro("score", str(path), "--benchmark", "dozen", "--sandbox", any_sandbox.kind)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
