"""A store made by hand: known runs with known numbers, through the real schema."""

import json
from collections.abc import Callable, Iterator, Mapping

import duckdb
import pytest

from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.store.database import create

Values = Mapping[tuple[str, int] | tuple[str, int, str] | tuple[str, int, str, int], float | None]


def as_planned(model: str) -> dict[str, object]:
    """What a run's key says of a model trained under the papers' protocol."""
    known = load_models().get(model)
    weights = (
        known.weights.model_dump(mode="json") if known else {"kind": "hub", "repository": model}
    )
    return {
        "model": {"id": model, "weights": weights},
        "training": Training().model_dump(mode="json"),
        "condition": {
            "phases": [{"steps": 5000, "mixture": {"code": 1.0}}],
            "mixing": "examples",
            "csr": None,
        },
        "parent": None,
        "probe_set": "factorial_48",
    }


class Store:
    """Runs and their measurements, added one by one."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        create(self.connection)
        self._count = 0

    def run(
        self,
        model: str = "m",
        condition: str = "B3",
        seed: int | None = 0,
        *,
        values: Values,
        experiment: str = "scale_ladder",
        status: str = "done",
        claims: Mapping[str, str] | None = None,
        probe_set: str = "factorial_48",
        specification: str = "default",
        n: int = 48,
        key: Mapping[str, object] | None = None,
        keyed: bool = True,
    ) -> str:
        """One run; `key` changes fields of a run's key under the papers' protocol, and
        `keyed=False` leaves it out.

        `values` maps (quantity, step), with a concept or a concept and a direction behind, to a
        number, None: undefined.
        """
        self._count += 1
        run_id = f"run{self._count:05d}"
        self.connection.execute(
            "INSERT INTO runs (run_id, experiment, slot, model, condition, seed, status, steps, finished, probe_set, folder, claims, "
            "key) VALUES (?, ?, ?, ?, ?, ?, ?, 5000, TIMESTAMP '2026-01-01' + to_seconds(?), ?, ?, ?, ?)",
            [run_id, experiment, run_id, model, condition, seed, status, self._count, probe_set, run_id, json.dumps(claims or {}),
             json.dumps(as_planned(model) | dict(key or {})) if keyed else None],
        )  # fmt: skip
        self.measure(run_id, values, specification=specification, n=n)
        return run_id

    def measure(
        self,
        run_id: str,
        values: Values,
        *,
        specification: str = "default",
        n: int = 48,
        probe_set: str | None = None,
    ) -> None:
        keys = [(*key, None, None)[:4] for key in values]
        reasons = [
            None if value is not None else "no direction damages its own concept"
            for value in values.values()
        ]
        self.connection.execute(
            "INSERT INTO measurements SELECT ?, unnest(?::INTEGER[]), unnest(?::VARCHAR[]), ?, 'post_norm', unnest(?::INTEGER[]), "
            "unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), unnest(?::VARCHAR[]), ?, ?",
            [run_id, [k[1] for k in keys], [k[0] for k in keys], specification, [k[3] for k in keys], [k[2] for k in keys],
             list(values.values()), reasons, n, probe_set],
        )  # fmt: skip


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.connection.close()


@pytest.fixture
def claims_of() -> Callable[..., list]:
    """Claims from the fields a paper's YAML would hold, all of one paper."""
    from repro.claims.build import build_claims, finish, inherit

    def make(*written: Mapping[str, object], **shared: object) -> list:
        defaults = {"measured_by": "scale_ladder", "quantity": "entanglement_intensity", **shared}
        found = []
        for number, fields in enumerate(written):
            for part, parts in enumerate(
                build_claims(inherit(defaults, fields), f"claim {number}")
            ):
                found.append(
                    finish(
                        parts, f"paper/c{number}" + (f"~{part}" if part else ""), "paper", "Table 1"
                    )
                )
        return found

    return make
