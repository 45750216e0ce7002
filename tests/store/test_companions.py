"""The two axes of a companion's choice, out of a store with known runs."""

import json
from collections.abc import Mapping

import duckdb
import numpy as np
import pytest

from repro.store.database import create

PHASES = "$.condition.phases"
CROSSTALK = {"creative": 0.01, "math": 0.02, "logic": 0.02, "legal": 0.30}
LOSSES = {
    "creative": (3.10, 3.12),
    "math": (2.90, 2.94),
    "logic": (2.90, 2.94),
    "legal": (2.80, 2.82),
}
BASE = 3.0


def add(
    connection: duckdb.DuckDBPyConnection,
    condition: str,
    seed: int | None,
    phases: list[Mapping[str, float]],
    rows: list[tuple[str, int, str, float]],
    status: str = "done",
) -> None:
    """One run with its phases' mixtures and its measurements (quantity, step, concept, value)."""
    run, steps = f"{condition}-{seed}", 10 if phases else 0
    key = json.dumps(
        {"condition": {"phases": [{"steps": 10, "mixture": mixture} for mixture in phases]}}
    )
    connection.execute(
        "INSERT INTO runs (run_id, experiment, slot, model, condition, seed, status, steps, "
        "probe_set, folder, key) "
        "VALUES (?, 'e', ?, 'm', ?, ?, ?, ?, 'six', ?, ?)",
        [run, run, condition, seed, status, steps, run, key],
    )
    for quantity, step, concept, value in rows:
        connection.execute(
            "INSERT INTO measurements (run_id, step, quantity, specification, layer, "
            "concept, value, n) "
            "VALUES (?, ?, ?, 'default', '', ?, ?, 1)",
            [run, step, quantity, concept, value],
        )


@pytest.fixture
def store() -> duckdb.DuckDBPyConnection:
    """A base model with crosstalk and losses, and runs on each companion alone, two seeds each."""
    connection = duckdb.connect()
    create(connection)
    base = [("crosstalk", 0, name, value) for name, value in CROSSTALK.items()]
    add(
        connection,
        "B0",
        None,
        [],
        [*base, ("heldout_loss", 0, "code", BASE), ("heldout_loss", 0, "math", 9.0)],
    )
    for name, losses in LOSSES.items():
        for seed, loss in enumerate(losses):
            rows = [("heldout_loss", 0, "code", BASE), ("heldout_loss", 10, "code", loss)]
            add(connection, name, seed, [{name: 1.0}], rows)
    return connection


def table(store: duckdb.DuckDBPyConnection) -> dict[str, tuple[object, ...]]:
    """companion → the other columns."""
    columns = (
        "companion, crosstalk, crosstalk_rank, loss_change, loss_sd, seeds, transfer_rank, "
        "dominated_by"
    )
    return {
        row[0]: row[1:] for row in store.execute(f"SELECT {columns} FROM companions").fetchall()
    }


def test_each_companion_has_both_axes_and_who_is_better_on_both(
    store: duckdb.DuckDBPyConnection,
) -> None:
    found = table(store)
    assert list(found) == ["creative", "logic", "math", "legal"], "by rising crosstalk"
    for name, (crosstalk, rank, change, spread, seeds, transfer_rank, dominated) in found.items():
        means = {other: np.mean(losses) for other, losses in LOSSES.items()}
        better = [
            other
            for other in sorted(LOSSES)
            if (CROSSTALK[other] <= CROSSTALK[name] and means[other] <= means[name])
            and (CROSSTALK[other] < CROSSTALK[name] or means[other] < means[name])
        ]
        assert crosstalk == CROSSTALK[name]
        assert rank == 1 + sum(value < CROSSTALK[name] for value in CROSSTALK.values())
        assert change == pytest.approx(means[name] - BASE)
        assert spread == pytest.approx(np.std(LOSSES[name], ddof=1))
        assert (seeds, transfer_rank) == (
            2,
            1 + sum(value < means[name] - 1e-12 for value in means.values()),
        )
        assert dominated == (", ".join(better) or None)


def test_a_companion_worse_on_both_axes_says_which_are_better(
    store: duckdb.DuckDBPyConnection,
) -> None:
    store.execute(
        "UPDATE measurements SET value = 0.4 WHERE quantity = 'crosstalk' AND concept = 'creative'"
    )
    found = table(store)
    assert found["creative"][-1] == "legal, logic, math"
    assert found["math"][-1] is None, "as good as logic on both axes is not worse"


def test_code_itself_mixtures_and_diverged_runs_are_no_companions(
    store: duckdb.DuckDBPyConnection,
) -> None:
    before = table(store)
    row = [("heldout_loss", 10, "code", 1.0)]
    add(store, "B1", 0, [{"code": 1.0}], row)
    add(store, "B2", 0, [{"code": 0.7, "math": 0.3}], row)
    add(store, "B5", 0, [{"math": 1.0}, {"code": 1.0}], row)
    add(store, "legal", 7, [{"legal": 1.0}], row, status="diverged")
    after = table(store)
    assert after.keys() == before.keys()
    for name, row in after.items():
        # DuckDB sums in parallel: the last bit is nobody's
        for value, earlier in zip(row, before[name], strict=True):
            assert value == (pytest.approx(earlier) if isinstance(earlier, float) else earlier), (
                name
            )


def test_an_axis_that_was_not_measured_is_missing_and_not_zero(
    store: duckdb.DuckDBPyConnection,
) -> None:
    store.execute("DELETE FROM runs WHERE condition = 'legal'")
    found = table(store)
    assert found["legal"] == (0.30, 4, None, None, None, None, None)
    assert found["math"][4] == 2
