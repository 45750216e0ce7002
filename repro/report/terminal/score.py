"""Scores as a reader sees them, and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from repro.score.outcomes import Outcome, Result, Scored
from repro.score.summary import Summary

_ORDER: tuple[Result, ...] = ("passed", "failed", "flaky", "not_scored")


def summary_lines(summary: Summary) -> list[str]:
    """Return one line of counts, and one of shares where they are certain."""
    counts = ", ".join(
        f"{summary.counts[name]} {name.replace('_', ' ')}"
        for name in _ORDER
        if summary.counts.get(name)
    )
    without = (
        f"; {summary.without} of {summary.problems} problems have no sample"
        if summary.without
        else ""
    )
    lines = [f"{summary.benchmark}: {counts} of {sum(summary.counts.values())} samples{without}"]
    for k, share in summary.pass_at.items():
        interval = (
            f" [{summary.interval.low:.3f}, {summary.interval.high:.3f}]"
            if summary.interval and k == 1
            else ""
        )
        lines.append(f"  pass@{k} {share:.4f}{interval}")
    if not summary.whole:
        lines.append(
            "  no share is given: it would count what has no certain verdict, or no sample, as "
            "a fail"
        )
    return lines


def score_json(
    summaries: Sequence[Summary], scored: Sequence[tuple[str, Scored]], isolation: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all for a program: the sandbox, each benchmark's counts, each sample's outcomes."""
    return {
        "isolation": dict(isolation),
        "benchmarks": {
            summary.benchmark: {
                "problems": summary.problems,
                "counts": {name: summary.counts.get(name, 0) for name in _ORDER},
                "without_sample": summary.without,
                "pass_at_k": {str(k): share for k, share in summary.pass_at.items()},
                "interval": [summary.interval.low, summary.interval.high]
                if summary.interval
                else None,
            }
            for summary in summaries
        },
        "samples": [
            {
                "task_id": one.task_id,
                "sample": sample,
                **{
                    summary.benchmark: _outcome(outcome)
                    for summary, outcome in zip(summaries, (one.base, one.plus), strict=True)
                },
            }
            for sample, one in scored
        ],
    }


def _outcome(outcome: Outcome) -> dict[str, str]:
    return {"outcome": outcome.result, "reason": outcome.reason}
