"""What the store holds for the figures, against SQL and against numbers made by hand."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from repro.report.page.content import Content
from repro.report.page.measured import Measured
from repro.store.database import query


def test_what_the_figures_draw_is_what_the_store_holds(measured: Content, evidence: Path) -> None:
    figures = {figure.id: figure for figure in measured.figures}
    drawn = [
        dict(zip(f.columns, row, strict=True))
        for n, f in figures.items()
        if n.startswith("trajectory-smoke")
        for row in f.rows
    ]
    _, rows = query(
        evidence,
        "SELECT condition, step, ei FROM trajectories WHERE experiment = 'smoke' AND ei IS "
        "NOT NULL",
    )
    ours = sorted(
        (row["condition"], row["step"], row["ei"]) for row in drawn if row["kind"] == "measured"
    )
    assert len(rows) > 20
    assert ours == sorted((c, s, float(f"{e:.5g}")) for c, s, e in rows)
    heat = figures["damage-smoke-tiny-qwen2"]
    _, damage = query(
        evidence,
        "SELECT condition, direction + 1, concept, avg(value) FROM measurements JOIN runs "
        "USING (run_id) WHERE quantity = 'damage' "
        "AND experiment = 'smoke' AND model = 'tiny-qwen2' AND step = steps GROUP BY ALL",
    )
    shown = {(row[0], row[1], row[2]): row[3] for row in heat.rows}
    assert shown == pytest.approx({(c, d, k): float(f"{v:.5g}") for c, d, k, v in damage})


EI = "entanglement_intensity"


def test_means_are_over_seeds_at_the_last_step_of_finished_runs(
    helper: Callable[[str], ModuleType],
) -> None:
    """Runs that failed, that another run replaced or of a manifest not asked for have no part."""
    store = helper("verify/conftest.py").Store()
    for seed, last in enumerate([0.2, 0.6]):
        store.run(
            seed=seed, values={(EI, 0): 0.9, (EI, 10): last, ("singular_value", 10, "", 0): 2}
        )
    store.run(seed=2, values={(EI, 10): 9.0}, status="superseded")
    store.run(seed=3, values={(EI, 10): 9.0}, status="diverged")
    store.run(experiment="other", values={(EI, 0): 0.9, (EI, 10): 0.3})
    asked = Measured(store.connection, ["scale_ladder"])
    final = {row["quantity"]: row for row in asked.final()}
    assert final[EI]["value"] == pytest.approx(0.4)
    assert (final[EI]["runs"], final[EI]["step"]) == (2, 10)
    assert {row["experiment"] for row in Measured(store.connection).final()} == {
        "scale_ladder",
        "other",
    }
    paths = [(row["seed"], row["step"], row["ei"]) for row in asked.trajectories()]
    assert paths == [(0, 0, 0.9), (0, 10, 0.2), (1, 0, 0.9), (1, 10, 0.6), (3, 10, 9.0)]
    assert {row["status"] for row in asked.runs()} == {"done", "diverged"}
    store.connection.close()


def test_flips_are_counted_against_the_base_model(helper: Callable[[str], ModuleType]) -> None:
    """A problem that was not scored on one side is none that can change sides."""
    store = helper("verify/conftest.py").Store()
    base = store.run(condition="B0", seed=None, values={})
    trained = store.run(condition="B3", seed=0, values={})
    outcomes = {
        base: ["passed", "passed", "failed", "failed", "passed"],
        trained: ["passed", "failed", "passed", "failed", "not_scored"],
    }
    for run, results in outcomes.items():
        for place, result in enumerate(results):
            store.connection.execute(
                "INSERT INTO samples (run_id, step, benchmark, task_id, sample, outcome, tokens, "
                "ended, decided_alone) "
                "VALUES (?, 10, 'humaneval', ?, 0, ?, 1, 'stop', 0)",
                [run, f"HumanEval/{place}", result],
            )
    (row,) = Measured(store.connection).flips()
    assert (row["condition"], row["gained"], row["lost"], row["problems"]) == ("B3", 1, 1, 4)
    store.connection.close()


def test_without_a_store_there_are_no_rows() -> None:
    nothing = Measured(None)
    assert [nothing.runs(), nothing.final(), nothing.sweeps(), nothing.flips()] == [[]] * 4
