"""State the bounds that the rates must keep, and the exceptions."""

from collections.abc import Iterable
from typing import NamedTuple

from scipy import stats

from calibration.rates import ABSENT, PAPER, Rate
from calibration.seeds import CLUSTERED

LEVEL = 0.05
CLUSTER_LEVEL = 0.10
FOUND = 0.80
"""Share of papers whose absent headline effect must be found, with 8 seeds a side."""
CHANCE = 1e-4
"""How often a kept promise may look broken, in one cell."""
SKEWED = "one side's spread decides, by the t of normal seeds; the verdict's reason says so"
UNKEPT: dict[tuple[str, str], tuple[float, str]] = {
    (kind, law): (0.08, SKEWED)
    for kind in ("single run", "mean without SD")
    for law in ("skewed", "heavy-tailed", "zero-heavy")
} | {
    ("all above (8)", "two clusters"): (
        0.15,
        "three runs against a fixed number may all lie in one cluster; the reason says so",
    ),
    ("all above (8)", "zero-heavy"): (0.08, "the same, of half the runs at their lowest value"),
}
"""(kind, law) → the rate that is published instead, and why no better one is known."""


class Promise(NamedTuple):
    """One rate and its upper or lower bound."""

    rate: Rate
    outcome: str
    bound: float
    at_least: bool = False

    @property
    def seen(self) -> float:
        """Return the rate."""
        return self.rate.of(self.outcome)

    @property
    def broken(self) -> bool:
        """Return whether the rate is beyond its bound by more than chance."""
        hits, of = self.rate.counts.get(self.outcome, 0), self.rate.setting.repetitions
        test = "less" if self.at_least else "greater"
        return bool(stats.binomtest(hits, of, self.bound, alternative=test).pvalue < CHANCE)

    def words(self) -> str:
        """Return the promise in a line."""
        s, how = self.rate.setting, "at least" if self.at_least else "at most"
        return (
            f"{s.kind}, {s.law}, {s.truth}, {s.n} and {s.m} runs: {self.outcome} in "
            f"{self.seen:.1%}, {how} {self.bound:.0%}"
        )


def promises(rates: Iterable[Rate]) -> list[Promise]:
    """Return every promise that some rate must keep."""
    found = []
    for rate in rates:
        kind, law, truth, n, m, _ = rate.setting
        if kind == PAPER:
            if truth == ABSENT:
                found += [Promise(rate, "1", FOUND, at_least=True)] if (n, m) == (8, 8) else []
            else:
                found.append(Promise(rate, "1", LEVEL))
        elif truth == "true":
            usual = CLUSTER_LEVEL if law in CLUSTERED else LEVEL
            found.append(Promise(rate, "contradicted", UNKEPT.get((kind, law), (usual, ""))[0]))
        elif truth == "none":
            found.append(Promise(rate, "reproduced", LEVEL))
    return found
