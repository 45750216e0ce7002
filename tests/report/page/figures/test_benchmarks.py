"""Solved problems with their intervals, and those that changed sides."""

import pytest
import vl_convert
from statsmodels.stats.proportion import proportion_confint

from repro.report.page.figure import Figure
from repro.report.page.figures.benchmarks import flips, scores
from repro.report.page.measured import Rows
from repro.report.page.published import Published

CELL = {"experiment": "e", "model": "m", "condition": "B3"}


def records(figure: Figure) -> Rows:
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def drawn(figure: Figure) -> str:
    return vl_convert.vegalite_to_svg(figure.drawn())


def test_scores_have_intervals_and_flips_both_directions() -> None:
    row = {**CELL, "seed": 0, "benchmark": "humaneval_plus", "step": 5, "passed": 41, "problems": 164,
           "score": 0.25, "low": 0.19, "high": 0.32, "reason": None}  # fmt: skip
    (figure,) = scores([row], {})
    (found,) = records(figure)
    assert (found["cell"], found["low"], found["high"]) == ("B3, seed 0", 0.19, 0.32)
    assert "share solved" in drawn(figure)
    change = {**CELL, "seed": 0, "benchmark": "humaneval_plus", "gained": 3, "lost": 7}
    (sides,) = flips([change])
    assert {row["change"]: row["problems"] for row in records(sides)} == {"gained": 3, "lost": -7}
    assert "against the base model" in drawn(sides)


def count(value: float, **fields: object) -> Published:
    given = {
        **{"manifest": "e", "paper": "p", "model": "m", "condition": "B3", "seed": None, "step": 5},
        **{"further": {}, "sd": None, "claim": "p/c", "locator": "Table 9", **fields},
    }
    return Published(value=value, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("solved", [0, 79, 164])
def test_a_printed_count_has_wilson_s_interval(solved: int) -> None:
    (figure,) = scores([], {"humaneval": [count(float(solved))]})
    (row,) = records(figure)
    low, high = proportion_confint(solved, 164, method="wilson")
    assert (row["passed"], row["problems"]) == (solved, 164)
    assert row["score"] == pytest.approx(solved / 164, rel=1e-4)
    assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-4, abs=1e-9)


def test_a_share_and_what_names_no_cell_are_no_counts() -> None:
    """A share says the same once more, and more than all problems is none of this benchmark."""
    odd = [count(48.2), count(165.0), count(79.0, model=None), count(79.0, condition=None)]
    assert list(scores([], {"humaneval": odd})) == []


def test_each_benchmark_of_a_model_has_a_figure() -> None:
    printed = {"humaneval": [count(79.0)], "humaneval_plus": [count(70.0), count(60.0, model="n")]}
    titles = [figure.title for figure in scores([], printed)]
    assert titles == ["m, humaneval", "m, humaneval+", "n, humaneval+"]
