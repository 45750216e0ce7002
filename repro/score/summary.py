"""Summarise the outcomes of one benchmark: counts first, then shares with intervals.

An uncertain outcome is not a fail.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from repro.proportions import ShareInterval, pass_at_k, wilson
from repro.score.outcomes import Result


@dataclass(frozen=True)
class Summary:
    """One benchmark's outcomes."""

    benchmark: str
    problems: int
    """Of the benchmark."""
    counts: Mapping[Result, int]
    """Samples by outcome."""
    without: int
    """Problems without a sample."""
    pass_at: Mapping[int, float] = field(default_factory=dict)
    """pass@k by k, over all problems; empty unless every sample of every problem passed or
    failed.
    """
    interval: ShareInterval | None = None
    """Wilson's, of pass@1, where each problem has one sample."""

    @property
    def whole(self) -> bool:
        """Return whether every problem has a certain verdict."""
        return (
            not self.without and not self.counts.get("flaky") and not self.counts.get("not_scored")
        )


def summarise(benchmark: str, problems: int, results: Mapping[str, Sequence[Result]]) -> Summary:
    """Count outcomes by task, and compute pass@k where every problem has a certain verdict."""
    counts: Counter[Result] = Counter(result for of_task in results.values() for result in of_task)
    found = Summary(benchmark, problems, counts, problems - len(results))
    samples = min((len(of_task) for of_task in results.values()), default=0)
    if not found.whole or not samples:
        return found
    solved = [
        (sum(result == "passed" for result in of_task), len(of_task))
        for of_task in results.values()
    ]
    ks = [k for k in (1, 10, 100) if k <= samples]
    pass_at = {k: sum(pass_at_k(*pair, k) for pair in solved) / problems for k in ks}
    single = all(len(of_task) == 1 for of_task in results.values())
    interval = wilson(counts["passed"], problems) if single else None
    return Summary(benchmark, problems, counts, 0, pass_at, interval)


def by_task(pairs: Sequence[tuple[str, Result]]) -> dict[str, list[Result]]:
    """Group outcomes by task."""
    found: dict[str, list[Result]] = defaultdict(list)
    for task, result in pairs:
        found[task].append(result)
    return dict(found)
