"""What authors sent, read back from the store."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from repro.claims.papers import find_paper
from repro.store.database import connect
from repro.store.ingest import ingest
from repro.supply.take import take_in
from repro.verify.assess import assess
from repro.verify.evidence.kept import (
    MEASURED_HERE,
    STATED,
    kept_notes,
    read_kept,
    read_levels,
    write_levels,
)
from repro.verify.verdict import Graded

PAPER = find_paper("laptop")


@pytest.fixture
def results(tmp_path: Path, helper: Callable[[str], ModuleType]) -> Path:
    twin = helper("supply/twin.py")
    folder = twin.send(tmp_path / "sent")
    line = twin.find(folder / "values.csv", quantity="margin", step=40)
    twin.change(folder / "values.csv", line, "value", "0.9")
    take_in(PAPER, folder, tmp_path / "results", "the authors")
    ingest(tmp_path / "results")
    return tmp_path / "results"


def test_stated_and_measured_values_are_told_apart_and_the_paper_is_the_only_one(
    results: Path,
) -> None:
    claims = [*PAPER.claims, *find_paper("consolidated").claims]
    with connect(results) as connection:
        found = read_kept(connection, claims)
        [note] = kept_notes(connection, claims)
    assert found.keys() == {"laptop"}
    evidence = found["laptop"].evidence
    where = {"model": "smollm2-135m", "condition": "B3", "step": 40}
    loss = evidence.column("laptop", "heldout_loss", {**where, "concept": "code"})
    rms = evidence.column("laptop", "activation_rms", where)
    assert loss.graded.other == (STATED,)  # type: ignore[union-attr]  # it was given
    assert rms.graded.other == (MEASURED_HERE,)  # type: ignore[union-attr]  # the same
    assert "stated 0.9" in note


def test_a_claim_that_was_changed_since_they_came_is_at_best_inconclusive(results: Path) -> None:
    [grow] = [claim for claim in PAPER.claims if claim.id == "laptop/scale/grow~3"]
    wider = grow.tolerance.model_copy(update={"parameters": {"holds": 0.9, "fails": 0.05}})
    changed = grow.model_copy(update={"tolerance": wider})
    assert changed.digest != grow.digest
    with connect(results) as connection:
        [before] = assess([grow], connection, everything=PAPER.claims)
        [after] = assess([changed], connection, everything=PAPER.claims)
    assert (before.outcome, after.outcome) == ("consistent", "inconclusive")
    assert "stated after the evidence" in after.reason


def test_with_the_very_sources_asked_for_files_are_left_out(results: Path) -> None:
    with connect(results) as connection:
        verdicts = assess(PAPER.claims, connection, code="0" * 64)
    assert {verdict.grade for verdict in verdicts} == {None}


def test_what_authors_sent_is_never_better_than_consistent() -> None:
    sent = Graded(grade="supplied", by="supplied by the authors")
    assert sent.at_best("reproduced") == "consistent"
    assert sent.at_best("contradicted") == "contradicted"
    assert Graded(grade="own").at_best("reproduced") == "reproduced"


def test_levels_come_back_as_they_were_written() -> None:
    for levels in ((), (("algorithm", "a,b=c"), ("domain", 'q"'))):
        assert read_levels(write_levels(levels)) == levels
