"""Scores of completions: counted by benchmark, and a share only where every verdict is certain."""

import json
import math
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.scores import Sample, Scores, Verdict, file_name, read_scores, write_scores
from repro.manifest.benchmark import Benchmark
from repro.manifest.evaluation import Generation

BENCHMARK = Benchmark(
    id="four_plus",
    base="four",
    title="Four problems",
    file="four.jsonl",
    sha256="a" * 64,
    problems=4,
)


def scored(*plus: str, **changes: object) -> Scores:
    """Scores of a completion for each outcome; with the base inputs all pass."""
    samples = tuple(
        Sample(
            task_id=f"t{task}",
            sample=0,
            tokens=task,
            ended="stop",
            decided_alone=task % 2,
            base=Verdict(outcome="passed"),
            plus=Verdict.model_validate({"outcome": outcome, "reason": outcome}),
        )
        for task, outcome in enumerate(plus)
    )
    fields = {"run": "r", "step": 7, "benchmark": BENCHMARK, "generation": Generation()}
    given = {**fields, "isolation": {"sandbox": "s"}, "samples": samples, **changes}
    return Scores.model_validate(given)


def test_each_completion_has_a_row_for_each_of_its_benchmarks() -> None:
    rows = scored("passed", "failed").rows()
    assert [(row["task_id"], row["benchmark"], row["outcome"], row["reason"]) for row in rows] == [
        ("t0", "four", "passed", None),
        ("t0", "four_plus", "passed", "passed"),
        ("t1", "four", "passed", None),
        ("t1", "four_plus", "failed", "failed"),
    ]
    assert {(row["run_id"], row["step"]) for row in rows} == {("r", 7)}


def test_a_share_has_the_interval_of_wilson() -> None:
    """One of four, by the formula: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
    base, plus = scored("passed", "failed", "failed", "failed").evaluations()
    assert (base["benchmark"], base["score"], base["passed"]) == ("four", 1.0, 4)
    assert (plus["benchmark"], plus["score"], plus["reason"]) == ("four_plus", 0.25, None)
    counts = [plus[outcome] for outcome in ("passed", "failed", "flaky", "not_scored")]
    assert counts == [1, 3, 0, 0]
    z, n, p = 1.959963984540054, 4, 0.25
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    ends = [(p + z * z / (2 * n) + side * half) / (1 + z * z / n) for side in (-1, 1)]
    assert [plus["low"], plus["high"]] == pytest.approx(ends)
    assert (plus["tokens"], plus["decided_alone"], plus["problems"]) == (0 + 1 + 2 + 3, 2, 4)
    assert (plus["sandbox"], plus["file"]) == ("s", "a" * 64)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (scored("passed", "flaky", "flaky", "failed"), "2 of 4 completions are flaky"),
        (scored("flaky", "not_scored", "passed", "passed"), "1 of 4 completions are not scored"),
        (scored("passed", "passed", "passed"), "1 of 4 problems have no completion"),
        (
            scored(*["passed"] * 4, generation=Generation(samples=2, temperature=0.8)),
            "several completions of each problem: see samples",
        ),
    ],
)
def test_where_a_verdict_is_uncertain_there_is_no_share(scores: Scores, reason: str) -> None:
    plus = scores.evaluations()[1]
    assert plus["reason"] == reason
    assert [plus[name] for name in ("score", "low", "high")] == [None, None, None]


def test_scores_come_back_from_the_file_of_their_step(tmp_path: Path) -> None:
    scores = scored("passed", "failed")
    name = write_scores(tmp_path, scores)
    assert name == "scores/four_plus.000007.json" == f"scores/{file_name('four_plus', 7)}.json"
    assert read_scores(tmp_path, name) == scores


@pytest.mark.parametrize(
    ("change", "words"),
    [({"format": 2}, "field format"), ({"step": -1}, "field step"), ({"more": 1}, "field more")],
)
def test_a_file_of_another_version_is_refused(
    tmp_path: Path, change: dict[str, int], words: str
) -> None:
    name = write_scores(tmp_path, scored("passed"))
    content = json.loads((tmp_path / name).read_text())
    (tmp_path / name).write_text(json.dumps({**content, **change}))
    with pytest.raises(EvidenceError, match=rf"{name}: no scores of this version \({words}.*again"):
        read_scores(tmp_path, name)
