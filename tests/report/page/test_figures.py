"""Figures from made-up rows: what they hold, and that the drawing library takes them."""

import statistics

import pytest
import vl_convert

from repro.claims.papers import load_claims
from repro.report.page.figure import Figure, colours
from repro.report.page.figures.benchmarks import flips, scores
from repro.report.page.figures.trajectories import trajectories
from repro.report.page.measured import Rows
from repro.report.page.published import published
from repro.report.page.words import conditions

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


def test_no_published_line_has_two_values_at_one_step() -> None:
    """A line joins one cell's values: λ = 0.03 and λ = 0.1 are two lines. The control: some figure
    has several lines of one condition.
    """
    figures = list(trajectories([], published(load_claims(), "entanglement_intensity")))
    lines = []
    for figure in figures:
        steps: dict[object, list[int]] = {}
        for row in records(figure):
            steps.setdefault(row["series"], []).append(row["step"])
        assert all(len(found) == len(set(found)) for found in steps.values()), figure.title
        lines.append(len(steps))
    assert statistics.median(lines) > 1


@pytest.mark.parametrize("others", [["full", "mps", "lora-4", "lora-16", "lora-64"], ["B3-B2"]])
def test_conditions_of_one_figure_have_colours_of_their_own(others: list[str]) -> None:
    scale = colours(["B0", "B3", *others])
    assert len(set(scale["range"])) == len(scale["domain"]) == len(others) + 2
    assert dict(zip(scale["domain"], scale["range"], strict=True))["B3"] == "var(--k3)"


def test_conditions_are_told_in_the_words_of_their_manifests() -> None:
    told = dict(conditions(load_claims(), [], {}))
    assert "natural language" in told["B3"]
    assert {f"B{number}" for number in range(7)} <= set(told)
