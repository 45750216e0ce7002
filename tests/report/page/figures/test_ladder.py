"""The scale ladder: EI after the last step by size, with the spread over seeds."""

import statistics
from collections.abc import Sequence

import pytest

from repro.report.page.figure import Figure
from repro.report.page.figures.ladder import ladder
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published

SIZES = {"small": 500_000_000, "large": 7_000_000_000}


def run(name: str, values: Sequence[float], model: str = "small", status: str = "done") -> Rows:
    cell: Row = {"experiment": "e", "model": model, "condition": "B3", "run": name}
    return [{**cell, "status": status, "step": 10 * n, "ei": ei} for n, ei in enumerate(values)]


def printed(value: float, step: int, sd: float | None = None, **fields: object) -> Published:
    given = {"manifest": "e", "paper": "p", "model": "large", "condition": "B3", "seed": None,
             "further": {}, "claim": "p/c", "locator": "Table 1", **fields}  # fmt: skip
    return Published(value=value, step=step, sd=sd, **given)  # type: ignore[arg-type]


def records(figure: Figure) -> Rows:
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_a_point_is_the_mean_of_last_steps_and_its_bar_their_spread() -> None:
    lasts = [0.2, 0.5, 0.9]
    rows = [row for place, last in enumerate(lasts) for row in run(f"r{place}", [0.99, last])]
    (figure,) = ladder(rows, [printed(0.6, 5000)], SIZES)
    ours, theirs = records(figure)
    mean, sd = statistics.mean(lasts), statistics.stdev(lasts)
    assert (ours["ei"], ours["low"], ours["high"]) == pytest.approx(
        (mean, mean - sd, mean + sd), rel=1e-4
    )
    assert (ours["runs"], ours["parameters"], theirs["parameters"]) == (3, 0.5, 7.0)
    assert figure.says.endswith("Measured here: small.")


def test_runs_that_did_not_finish_or_did_not_train_are_no_points() -> None:
    odd = [*run("r0", [0.9, 0.1], status="diverged"), *run("r1", [0.9])]
    whole = [*run("r2", [0.9, 0.4]), *run("r3", [0.9, 0.7], model="large")]
    (figure,) = ladder([*odd, *whole], [], SIZES)
    assert [(row["model"], row["ei"], row["runs"]) for row in records(figure)] == [
        ("small", 0.4, 1),
        ("large", 0.7, 1),
    ]


def test_a_paper_s_last_step_is_drawn_with_its_printed_spread() -> None:
    values = [printed(0.9, 500), printed(0.6, 5000, sd=0.1), printed(0.3, 5000, seed=0)]
    (figure,) = ladder(run("r", [0.9, 0.4]), values, SIZES)
    theirs = [row for row in records(figure) if row["kind"] == "published"]
    assert [(row["low"], row["ei"], row["high"]) for row in theirs] == [(0.5, 0.6, 0.7)]


def test_one_model_is_no_ladder() -> None:
    assert list(ladder(run("r", [0.9, 0.4]), [], SIZES)) == []
    assert list(ladder([], [printed(0.6, 5000)], SIZES)) == []
    assert list(ladder(run("r", [0.9, 0.4]), [printed(0.6, 5000)], {"small": 5})) == []
    (figure,) = ladder([], [printed(0.6, 5000), printed(0.5, 5000, model="small")], SIZES)
    assert figure.says.endswith("Nothing of it is measured here.")
