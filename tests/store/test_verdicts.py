"""Claims and verdicts are put into the store, replaced when judged again, and never in its way."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.evidence.lock import exclusive
from repro.files import file_digest
from repro.store.database import NAME, create, query
from repro.store.seal import check_seal, seal_store
from repro.store.verdicts import has_runs, keep


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    """Three claims of the papers."""
    return [*load_claims()][:3]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store without rows."""
    with duckdb.connect(str(tmp_path / NAME)) as connection:
        create(connection)
    seal_store(tmp_path)
    return tmp_path


def judged(claim: Claim, **fields: Any) -> dict[str, Any]:
    """A verdict as in the JSON of `repro verify`, which says more than the store keeps."""
    empty = dict.fromkeys(("grade", "low", "high", "n", "p", "reason"))
    usual = {"id": claim.id, "basis": "measured", "outcome": "reproduced", "estimate": 0.5}
    return {**empty, **usual, "printed": claim.printed, **fields}


def kept(results: Path, columns: str = "claim, outcome, estimate") -> list[tuple[Any, ...]]:
    """What the store holds of verdicts."""
    return query(results, f"SELECT {columns} FROM verdicts ORDER BY ALL")[1]


def test_claims_and_their_verdicts_are_kept_column_by_column(
    store: Path, claims: list[Claim]
) -> None:
    one = judged(claims[0], grade="own", low=0.25, high=0.75, n=3, p=0.01, reason="why")
    assert keep(store, claims[:1], [one]) is None
    columns = "claim, basis, grade, outcome, estimate, low, high, n, p, reason"
    values = ("measured", "own", "reproduced", 0.5, 0.25, 0.75, 3, 0.01, "why")
    assert kept(store, columns) == [(claims[0].id, *values)]
    claim = claims[0]
    assert query(store, "SELECT * FROM claims")[1] == [
        (
            claim.id,
            claim.source,
            claim.locator,
            claim.printed,
            claim.kind,
            claim.measured_by,
            claim.digest,
        )
    ]
    check_seal(store)


def test_a_claim_that_is_judged_again_replaces_its_own_verdict_alone(
    store: Path, claims: list[Claim]
) -> None:
    first, second, third = claims
    keep(store, [first, second], [judged(first), judged(second)])
    again = judged(second, outcome="contradicted", estimate=None)
    keep(store, [second, third], [again, judged(third)])
    expected = [
        (first.id, "reproduced", 0.5),
        (second.id, "contradicted", None),
        (third.id, "reproduced", 0.5),
    ]
    assert kept(store) == sorted(expected, key=lambda row: row[0])
    assert query(store, "SELECT count(*) FROM claims")[1] == [(3,)]


@pytest.mark.parametrize(
    ("estimate", "number"), [(True, 1.0), (7, 7.0), ("code", None), ([1, 2], None), (None, None)]
)
def test_an_estimate_that_is_no_number_is_null(
    store: Path, claims: list[Claim], estimate: object, number: float | None
) -> None:
    keep(store, claims[:1], [judged(claims[0], estimate=estimate)])
    assert kept(store, "estimate") == [(number,)]


def test_new_states_of_folders_are_recorded_with_the_verdicts(
    results: Path, claims: list[Claim]
) -> None:
    ((folder,), *others) = query(results, "SELECT folder FROM folders ORDER BY folder")[1]
    state = ("done.json", [5, 6], 2, folder)
    assert keep(results, claims[:1], [judged(claims[0])], [state]) is None
    rows = query(results, "SELECT names, states, absent, folder FROM folders ORDER BY folder")[1]
    assert rows[0] == state
    assert [row[-1] for row in rows[1:]] == [name for (name,) in others]
    assert all(row[0] != "done.json" for row in rows[1:])


def test_a_store_in_use_keeps_its_bytes_and_the_reason_is_told(
    store: Path, claims: list[Claim]
) -> None:
    before = file_digest(store / NAME)
    with exclusive(store, "ingest"):
        reason = keep(store, claims[:1], [judged(claims[0])])
    assert reason is not None
    assert "another repro is at work here (ingest)" in reason
    assert keep(store, [], []) is None
    assert file_digest(store / NAME) == before


def test_a_verdict_that_does_not_fit_changes_nothing(store: Path, claims: list[Claim]) -> None:
    before = file_digest(store / NAME)
    assert keep(store, claims[:1], [judged(claims[0], n="many")])
    assert file_digest(store / NAME) == before
    check_seal(store)


def test_without_a_store_none_is_made(tmp_path: Path, claims: list[Claim]) -> None:
    assert keep(tmp_path, claims[:1], [judged(claims[0])]) == "there is no store"
    assert [*tmp_path.iterdir()] == []


def test_a_store_with_a_run_or_with_supplied_values_has_something_to_judge_by(
    store: Path, results: Path, tmp_path: Path
) -> None:
    assert has_runs(results)
    assert not has_runs(store)
    assert not has_runs(tmp_path / "absent")
    with duckdb.connect(str(store / NAME)) as connection:
        connection.execute(
            "INSERT INTO supplied VALUES "
            "('f', 'p', 'the authors', now()::TIMESTAMP, true, 1, 's', '')"
        )
    assert has_runs(store)
    shutil.rmtree(results)
    assert not has_runs(results)
