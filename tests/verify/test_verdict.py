"""What a verdict and its estimate say of themselves: runs, gaps, and the outcomes they may have."""

from typing import get_args

import pytest
from pydantic import ValidationError

from repro.claims.tolerance import Basis, Grade
from repro.verify.verdict import (
    FILES_SAY,
    GRADES,
    JUDGING,
    OUTCOMES,
    Component,
    Estimate,
    Graded,
    MeasuredCell,
    Outcome,
    Verdict,
)


def cell(**fields: object) -> MeasuredCell:
    """A cell of three runs."""
    usual = {"name": "c", "mean": 0.5, "sd": 0.1, "runs": 3}
    return MeasuredCell.model_validate({**usual, **fields})


def test_every_outcome_belongs_to_a_basis_and_only_measurements_reproduce() -> None:
    assert {*OUTCOMES} == {*get_args(Basis)}
    assert {outcome for group in OUTCOMES.values() for outcome in group} == {*get_args(Outcome)}
    assert [basis for basis, group in OUTCOMES.items() if "reproduced" in group] == ["measured"]
    assert [basis for basis, group in OUTCOMES.items() if "contradicted" in group] == ["measured"]


def test_every_grade_has_a_rank_and_those_that_judge_are_the_strongest() -> None:
    assert sorted(GRADES) == sorted(get_args(Grade))
    assert {*GRADES[-len(JUDGING) :]} == JUDGING


def test_what_authors_sent_reproduces_nothing() -> None:
    own, sent = Graded(grade="own"), Graded(grade="supplied", by="the authors")
    assert own.at_best("reproduced") == "reproduced"
    assert sent.at_best("reproduced") == "consistent"
    assert sent.at_best("contradicted") == "contradicted"
    assert "reproduced" not in FILES_SAY


def test_an_estimate_has_as_many_runs_as_its_thinnest_cell_that_varies() -> None:
    base = cell(runs=9, measured_once=True)
    assert Estimate(state="measured", cells=(cell(runs=5), cell(runs=2), base)).n == 2
    assert Estimate(state="measured", cells=(base, cell(runs=2, slope=0.0), cell(runs=4))).n == 4
    assert Estimate(state="measured", cells=(base, base)).n == 1, "base models alone"
    assert Estimate(state="not_run").n == 0


def test_a_printed_gap_is_the_sum_of_the_prints_less_the_bound() -> None:
    """0.9 − 0.6 is 0.1 above a bound of 0.2."""
    cells = (cell(slope=1.0, printed_mean=0.9), cell(slope=-1.0, printed_mean=0.6))
    part = Component(name="p", gap=0.2, cells=cells, limit=0.2)
    assert part.printed_gap == pytest.approx(0.1)
    unprinted = (*cells, cell(printed_mean=None))
    assert part.model_copy(update={"cells": unprinted}).printed_gap is None
    assert part.model_copy(update={"cells": ()}).printed_gap is None


def test_the_json_of_a_verdict_has_no_cells_and_an_outcome_that_is_known() -> None:
    fields = {
        "id": "p/t/x",
        "source": "p",
        "locator": "t",
        "printed": "1",
        "value": 1.0,
        "kind": "seed_mean",
        "basis": "measured",
        "outcome": "reproduced",
        "tolerance": "exact",
        "reason": "",
        "cells": (cell(),),
    }
    verdict = Verdict.model_validate(fields)
    assert verdict.cells == (cell(),)
    assert "cells" not in verdict.model_dump()
    with pytest.raises(ValidationError, match="outcome"):
        Verdict.model_validate({**fields, "outcome": "probably"})
    with pytest.raises(ValidationError, match="frozen"):
        verdict.outcome = "contradicted"  # type: ignore[misc]  # on purpose
