"""Scores as a reader sees them and as JSON: no share where a verdict is uncertain."""

import json

from statsmodels.stats.proportion import proportion_confint

from repro.report.terminal.score import score_json, summary_lines
from repro.score.outcomes import Outcome, Result, Scored
from repro.score.summary import summarise


def test_a_certain_benchmark_has_its_share_and_interval() -> None:
    results: dict[str, list[Result]] = {
        f"t/{n}": ["passed" if n < 3 else "failed"] for n in range(4)
    }
    low, high = proportion_confint(3, 4, method="wilson")
    assert summary_lines(summarise("humaneval", 4, results)) == [
        "humaneval: 3 passed, 1 failed of 4 samples",
        f"  pass@1 0.7500 [{low:.3f}, {high:.3f}]",
    ]


def test_several_samples_have_a_share_and_no_interval() -> None:
    results: dict[str, list[Result]] = {"t/0": ["passed", "failed"], "t/1": ["failed", "failed"]}
    assert summary_lines(summarise("b", 2, results))[1:] == ["  pass@1 0.2500"]


def test_what_is_uncertain_or_lacking_is_counted_and_leaves_no_share() -> None:
    results: dict[str, list[Result]] = {"t/0": ["passed"], "t/1": ["not_scored"]}
    first, second = summary_lines(summarise("b", 3, results))
    assert first == "b: 1 passed, 1 not scored of 2 samples; 1 of 3 problems have no sample"
    assert "no share is given" in second


def test_json_has_every_count_and_every_sample_on_both_sides() -> None:
    base: dict[str, list[Result]] = {"t/0": ["passed"]}
    plus: dict[str, list[Result]] = {"t/0": ["flaky"]}
    one = Scored(0, "t/0", Outcome("passed", ""), Outcome("flaky", "tries disagree"))
    summaries = [summarise("humaneval", 1, base), summarise("humaneval_plus", 1, plus)]
    told = json.loads(json.dumps(score_json(summaries, [("first", one)], {"sandbox": "none"})))
    assert told["isolation"] == {"sandbox": "none"}
    assert told["benchmarks"]["humaneval"]["pass_at_k"] == {"1": 1.0}
    assert told["benchmarks"]["humaneval_plus"]["pass_at_k"] == {}
    assert told["benchmarks"]["humaneval_plus"]["counts"] == {
        "passed": 0, "failed": 0, "flaky": 1, "not_scored": 0,
    }  # fmt: skip
    assert told["samples"] == [{
        "task_id": "t/0", "sample": "first", "humaneval": {"outcome": "passed", "reason": ""},
        "humaneval_plus": {"outcome": "flaky", "reason": "tries disagree"},
    }]  # fmt: skip
