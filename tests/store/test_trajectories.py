"""What trajectories come to, out of a store with known runs."""

from collections.abc import Sequence

import duckdb
import numpy as np
import pytest
from scipy import stats

from repro.store.database import create
from repro.store.trajectories import cell_collapses, collapses, divergences

EI = "entanglement_intensity"
STEPS = (0, 500, 1000, 1500)
Row = tuple[int, str, str, int | None, str | None, float | None]


def add(
    connection: duckdb.DuckDBPyConnection, run: str, rows: Sequence[Row], status: str = "done"
) -> None:
    """A run, called condition-seed, with measurements (step, quantity, specification, direction,
    concept, value).
    """
    condition, seed = run.split("-")
    connection.execute(
        "INSERT INTO runs (run_id, experiment, slot, model, condition, seed, status, steps, "
        "probe_set, folder) "
        "VALUES (?, 'e', ?, 'm', ?, ?, ?, 1500, 'core', ?)",
        [run, run, condition, int(seed), status, run],
    )
    for step, quantity, specification, direction, concept, value in rows:
        connection.execute(
            "INSERT INTO measurements (run_id, step, quantity, specification, layer, "
            "direction, concept, value, reason, n) "
            "VALUES (?, ?, ?, ?, 'post_norm', ?, ?, ?, ?, 48)",
            [
                run,
                step,
                quantity,
                specification,
                direction,
                concept,
                value,
                None if value is not None else "not finite",
            ],
        )


def path(values: Sequence[float | None], specification: str = "default") -> list[Row]:
    """EI at each step."""
    return [
        (step, EI, specification, None, None, value)
        for step, value in zip(STEPS, values, strict=False)
    ]


def directions(
    step: int, loadings: Sequence[Sequence[float]], damage: Sequence[Sequence[float]]
) -> list[Row]:
    """Loadings and damage of each direction on domain and register."""
    return [
        (step, quantity, "default", direction, concept, value)
        for quantity, table in (("loading", loadings), ("damage", damage))
        for direction, row in enumerate(table)
        for concept, value in zip(("domain", "register"), row, strict=True)
    ]


@pytest.fixture
def store() -> duckdb.DuckDBPyConnection:
    """Empty, with the tables of this version."""
    connection = duckdb.connect()
    create(connection)
    return connection


def test_a_collapse_of_scale_is_told_from_one_that_survives_anchoring(store) -> None:
    add(store, "B3-0", [*path([0.6, 0.0, 0.2, 0.0]), *path([0.6, 0.5, 0.5, 0.4], "anchored")])
    add(store, "B3-1", [*path([0.6, 0.2, 0.0, 0.0]), *path([0.6, 0.2, 0.0, 0.0], "anchored")])
    found = [
        (row["run_id"], row["specification"], row["step"], row["recovered"])
        for row in collapses(store)
    ]
    assert found == [
        ("B3-0", "default", 1500, True), ("B3-0", "anchored", None, False),
        ("B3-1", "default", 1000, False), ("B3-1", "anchored", 1000, False),
    ]  # fmt: skip


def test_a_checkpoint_that_is_undefined_is_no_collapse_and_says_so(store) -> None:
    add(store, "B3-0", path([0.6, 0.0, None]))
    add(store, "B3-1", path([0.6, 0.0, 0.1]))
    add(store, "B3-2", path([0.6, 0.0, 0.0]))
    found = {
        row["seed"]: (row["step"], row["reason"])
        for row in collapses(store)
        if row["specification"] == "default"
    }
    assert found == {
        0: (None, "EI is undefined at the last checkpoint"),
        1: (None, "EI is not 0 at the last checkpoint"),
        2: (500, None),
    }


def test_a_base_model_and_a_superseded_run_have_no_trajectory(store) -> None:
    add(store, "B0-0", path([0.0]))
    add(store, "B3-0", path([0.6, 0.0]), status="superseded")
    add(store, "B3-1", path([0.6, 0.0]), status="partial")
    assert {(row["run_id"], row["status"]) for row in collapses(store)} == {("B3-1", "partial")}


def test_cells_collapse_in_their_order_and_by_the_directions_of_their_own_concept(store) -> None:
    """Direction 0 is the domain's, then the register's: directions are not matched across
    checkpoints.
    """
    rows = [
        *directions(0, [[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.2], [0.1, 0.4]]),
        *directions(500, [[0.1, 0.9], [0.8, 0.2]], [[0.1, 0.4], [0.5, -0.1]]),
        *directions(1000, [[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.0], [0.0, 0.4]]),
    ]
    add(store, "B3-0", [*path([0.6, 0.2, 0.0]), *rows])
    found = {
        (row["own"], row["concept"]): (row["step"], row["place"]) for row in cell_collapses(store)
    }
    assert found == {("domain", "register"): (500, 1), ("register", "domain"): (1000, 2)}


def test_a_cell_says_why_it_did_not_collapse(store) -> None:
    both, alone = [[0.9, 0.1], [0.2, 0.8]], [[0.9, 0.1]]
    start = directions(0, both, [[0.5, 0.2], [0.1, 0.4]])
    add(store, "B3-0", [*path([0.6, 0.2]), *start, *directions(500, alone, [[0.5, 0.2]])])
    add(store, "B3-1", [*path([0.6, None]), *start])
    found = {(row["seed"], row["own"]): row["reason"] for row in cell_collapses(store)}
    assert found == {
        (0, "domain"): "the directions of domain damage register at the last checkpoint",
        (0, "register"): "no direction belongs to register at the last checkpoint",
        (1, "domain"): "no direction belongs to domain at the last checkpoint",
        (1, "register"): "no direction belongs to register at the last checkpoint",
    }
    assert all(row["step"] is None and row["place"] is None for row in cell_collapses(store))


def test_two_conditions_diverge_where_welchs_test_says_so(store) -> None:
    rng = np.random.default_rng(0)
    first, second = (
        rng.normal(0.6, 0.1, size=(4, 4)),
        rng.normal(0.6, 0.1, size=(5, 4)) - [0, 0, 0.5, 0.5],
    )
    beyond = stats.ttest_ind(first, second, equal_var=False).pvalue < 0.05
    assert beyond.tolist() == [False, False, True, True]
    for seed, values in enumerate(first):
        add(store, f"B2-{seed}", path(values.tolist()))
    for seed, values in enumerate(second):
        add(store, f"B3-{seed}", path(values.tolist()))
    add(store, "B3-9", path([9.0] * 4), status="diverged")
    add(store, "B1-0", path([0.6] * 4))
    found = {
        (row["first"], row["second"]): row
        for row in divergences(store)
        if row["specification"] == "default"
    }
    assert set(found) == {("B1", "B2"), ("B1", "B3"), ("B2", "B3")}
    apart = found["B2", "B3"]
    assert (apart["step"], apart["reason"], apart["seeds_first"], apart["seeds_second"]) == (
        1000,
        None,
        4,
        5,
    )
    assert (
        found["B1", "B2"]["reason"] == "fewer than two seeds of a condition at the last checkpoint"
    )
