"""EI through training: a line a run, and the papers' values over it."""

import statistics

import pytest

from repro.claims.papers import load_claims
from repro.report.page.content import Content
from repro.report.page.figure import Figure
from repro.report.page.figures.trajectories import trajectories
from repro.report.page.measured import Rows
from repro.report.page.published import published


def records(figure: Figure) -> Rows:
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_the_papers_values_lie_over_the_trajectories(measured: Content) -> None:
    figure = next(
        figure
        for figure in measured.figures
        if figure.id == "trajectory-scale-ladder-qwen2-5-coder-7b"
    )
    rows = [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]
    last = [
        row
        for row in rows
        if row["kind"] == "published" and row["step"] == 5000 and row["seed"] is None
    ]
    assert any(
        (row["ei"], row["low"], row["high"]) == pytest.approx((0.641, 0.542, 0.74)) for row in last
    )


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


def row(
    run: str, step: int, ei: float, model: str = "m", status: str = "done"
) -> dict[str, object]:
    cell = {"experiment": "e", "model": model, "condition": "B3", "seed": 0, "status": status}
    return {**cell, "run": run, "step": step, "ei": ei}


def test_what_was_measured_comes_first_and_one_step_is_no_path() -> None:
    rows = [row("aaaaaaaabb", 0, 0.9, "z"), row("aaaaaaaabb", 5, 0.5, "z"), row("c", 0, 0.9, "one")]
    prints = published(load_claims(), "entanglement_intensity")
    figures = list(trajectories(rows, prints))
    assert figures[0].title == "z, e"
    assert figures[0].says == "1 run measured, the papers print no value of it."
    assert len(figures) > 1
    assert all(figure.says.startswith("Nothing measured here") for figure in figures[1:])
    assert "one, e" not in {figure.title for figure in figures}


def test_a_run_that_did_not_finish_says_what_became_of_it() -> None:
    """Two runs of one seed are two lines."""
    rows = [row(run, step, 0.5, status=status) for run, status in (("a", "done"), ("b", "diverged"))
            for step in (0, 5)]  # fmt: skip
    (figure,) = trajectories(rows, [])
    told = {(one["series"], one["from"]) for one in records(figure)}
    assert told == {("a", None), ("b", "diverged")}
    assert figure.says.startswith("2 runs measured")
