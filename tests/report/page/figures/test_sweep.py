"""EI against the scale of activations: sweeps, runs, and printed pairs of σ₁ and EI."""

from repro.report.page.figure import Figure
from repro.report.page.figures.sweep import sweep
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published


def printed(value: float, seed: int | None = None, step: int = 10, **further: int) -> Published:
    return Published(
        "e", "p", "m", "B3", seed, step, further, value, None, "p/c", f"Table {seed or 0}"
    )  # fmt: skip


def sigma(value: float, seed: int | None = None, step: int = 10, direction: int = 0) -> Published:
    return printed(value, seed, step, direction=direction)


def run(sigma_1: float | None, ei: float, step: int = 10) -> Row:
    cell = {"experiment": "e", "model": "m", "condition": "B3", "step": step}
    return {**cell, "sigma": sigma_1, "ei": ei}


def records(figure: Figure) -> Rows:
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_runs_are_means_over_seeds_of_each_step() -> None:
    """Without a σ₁ above 0 a run has no place on the logarithmic axis."""
    rows = [run(2.0, 0.4), run(4.0, 0.6), run(None, 9.0), run(0.0, 9.0), run(3.0, 0.9, step=0)]
    (figure,) = sweep([], rows, [], [])
    told = [(row["step"], row["sigma"], row["ei"]) for row in records(figure)]
    assert told == [(10, 3.0, 0.5), (0, 3.0, 0.9)]
    assert records(figure)[0]["from"].endswith("mean of 2 runs")


def test_a_printed_pair_is_of_one_seed_or_else_of_the_mean() -> None:
    """Only the first direction's value is the largest; a step without its EI makes no pair."""
    sigmas = [sigma(7.0, 0), sigma(8.0, 1), sigma(9.0, 0, 99), sigma(6.0, 0, direction=1)]
    (figure,) = sweep([], [], sigmas, [printed(0.5), printed(0.4, 0)])
    pairs = [(row["sigma"], row["ei"]) for row in records(figure)]
    assert pairs == [(7.0, 0.4), (8.0, 0.5)]
    assert [row["from"].endswith("EI as mean") for row in records(figure)] == [False, True]
    assert figure.says == "2 published pairs (σ₁, EI) over 0 sweeps."


def test_a_sweep_is_a_line_by_model_and_probe_set() -> None:
    scales = [{"model": "m", "probe_set": "s", "scale": f"scale={x}", "sigma": 2 * x, "ei": 0.5 / x}
              for x in (1.0, 2.5)]  # fmt: skip
    (figure,) = sweep(scales, [], [], [])
    assert [(row["series"], row["scale"], row["sigma"]) for row in records(figure)] == [
        ("m, s", 1.0, 2.0),
        ("m, s", 2.5, 5.0),
    ]
    assert figure.says == "0 published pairs (σ₁, EI) over 1 sweep."
    assert [layer["mark"]["type"] for layer in figure.spec["layer"]] == ["line", "point"]
    assert list(sweep([], [], [], [])) == []
