"""What a random paper says beside its runs and tests: declared spreads, ratings, outcomes, counts
that belong together.
"""

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from scipy import stats

from calibration.audit.joint import pairs_of_one_set, parts, rows, scores
from calibration.audit.paper import Fields, RandomPaper, fixed

Part = Callable[[RandomPaper], None]


def spreads(paper: RandomPaper) -> None:
    """Make runs with a standard error, the half-width of an interval, half a range, and the ends of
    an interval.
    """
    for number, name in enumerate(("cooling", "warming", "drifting")):
        values = paper.numbers.normal(5 + number, 0.3, paper.random.randint(4, 7))
        cell: Fields = {"quantity": "heldout_loss", "dataset": name}
        for seed, value in enumerate(values):
            paper.say(f"loss {name} {seed}", fixed(float(value)), seed=seed, **cell)
        mean, error = float(values.mean()), float(stats.sem(values))
        half = float(stats.t.ppf(0.975, len(values) - 1)) * error
        for statistic, width in (
            ("se", error),
            ("ci_half_width", half),
            ("half_range", float(np.ptp(values)) / 2),
        ):
            paper.say(f"{statistic} {name}", fixed(width), statistic=statistic, over="seed", **cell)
        ends = f"[{fixed(mean - half)}, {fixed(mean + half)}]"
        paper.say(f"ends {name}", ends, spread="ci", over="seed", **cell)


def ratings(paper: RandomPaper) -> None:
    """Make means and SDs of whole numbers, of zeros and ones, of accuracies; each with how many
    there are.
    """
    for name in ("clarity", "tone", "depth"):
        number = paper.random.randint(6, 14)
        values = paper.numbers.integers(1, 8, number)
        cell: Fields = {"quantity": "rating", "over": "rater", "dataset": name}
        paper.say(f"raters {name}", str(number), statistic="count", **cell)
        paper.say(f"rating {name}", fixed(float(values.mean()), 2), statistic="mean", **cell)
        paper.say(f"rating sd {name}", fixed(float(values.std(ddof=1)), 2), statistic="sd", **cell)
        paper.possible[f"rating {name}"] = [k / number for k in range(8 * number)], 2
        paper.possible[f"rating sd {name}"] = deviations(values), 2
    for name in ("easy", "odd", "hard"):
        number = paper.random.randint(12, 38)
        values = paper.numbers.permutation(np.arange(number) < paper.random.randint(2, number - 2))
        cell = {"quantity": "right", "over": "item", "dataset": name}
        paper.say(f"items {name}", str(number), statistic="count", **cell)
        paper.say(f"right {name}", fixed(float(values.mean())), statistic="mean", **cell)
        paper.say(f"right sd {name}", fixed(float(values.std(ddof=1))), statistic="sd", **cell)
    for name in ("first", "second", "third"):
        number = paper.random.randint(3, 8)
        scores = paper.numbers.uniform(0.3, 0.98, number)
        cell = {"quantity": "binary_accuracy", "over": "seed", "dataset": name}
        paper.say(f"folds {name}", str(number), statistic="count", **{**cell, "model": name})
        paper.say(
            f"binary {name}",
            fixed(float(scores.mean())),
            statistic="mean",
            **{**cell, "model": name},
        )
        paper.say(
            f"binary sd {name}",
            fixed(float(scores.std(ddof=1))),
            statistic="sd",
            **{**cell, "model": name},
        )
        mean = float(scores.mean())
        paper.edges[f"binary {name}"] = 1.0
        paper.edges[f"binary sd {name}"] = float(np.sqrt(mean * (1 - mean) * number / (number - 1)))


def deviations(values: Any) -> list[float]:
    """Return every SD, dividing by n − 1 or by n, of as many whole numbers whose mean is printed as
    these numbers' is.
    """
    n, printed = len(values), round(float(values.mean()), 2)
    sums = [total for total in range(8 * n) if abs(total / n - printed) <= 0.005 + 1e-9]
    squares = [
        (total, square - total * total / n)
        for total in sums
        for square in range(total % 2, 64 * n, 2)
    ]
    return [math.sqrt(rest / by) for _, rest in squares if rest >= 0 for by in (n - 1, n)]


FURTHER: dict[str, Part] = {
    part.__name__: part for part in (spreads, ratings, parts, scores, pairs_of_one_set, rows)
}


def random_paper(seed: int, wanted: Collection[str] | None = None) -> RandomPaper:
    """Return the paper that a seed determines, with these parts of it; None: with all."""
    paper = RandomPaper(seed, wanted)
    for name, part in FURTHER.items():
        if wanted is None or name in wanted:
            part(paper)
    return paper
