"""What `repro explain` says of the cells that a claim compares."""

from typing import Any

import pytest

from repro.claims.build import build_claims, finish, inherit
from repro.claims.claim import Claim
from repro.report.terminal.explain import explanation
from repro.report.terminal.operands import operand_sentences
from repro.verify.verdict import MeasuredCell, Verdict

EI = "entanglement_intensity"
SHARED = {"measured_by": "scale_ladder", "quantity": EI}
AFTER, BEFORE = {"model": "m", "condition": "B3", "step": 5000}, {"model": "m", "step": 0}


def claims(*written: dict[str, Any]) -> list[Claim]:
    return [
        finish(parts, f"paper/c{place}", "paper", f"Table {place + 1}")
        for place, fields in enumerate(written)
        for parts in build_claims(inherit(SHARED, fields), f"claim {place}")
    ]


@pytest.fixture
def paper() -> list[Claim]:
    """Claim a fall between two cells, one of which is printed, for one seed and as a mean."""
    return claims(
        {"printed": "falls", "statistic": "below", "of": "mean", "against": BEFORE, **AFTER},
        {"printed": "0.71", "statistic": "single", "seed": 0, **AFTER},
        {"printed": "0.70", "statistic": "mean", **AFTER},
    )


def verdict(claim: Claim, *cells: MeasuredCell, **fields: Any) -> Verdict:
    return Verdict.model_validate(
        {
            **claim.model_dump(include={"id", "source", "locator", "printed", "value", "kind"}),
            **{"basis": "measured", "outcome": "not_run", "tolerance": "", "reason": "no run"},
            **{"cells": cells, **fields},
        }
    )


def test_each_operand_is_said_with_its_print_and_its_runs(paper: list[Claim]) -> None:
    fall = paper[0]
    after, before = fall.term.leaves()
    judged = verdict(
        fall,
        MeasuredCell(name="", mean=0.712, sd=0.0134, runs=3, term=after),
        MeasuredCell(name="", mean=0.9, sd=0.0, runs=3, measured_once=True, term=before),
    )
    assert [*operand_sentences(fall, judged, paper)] == [
        f"{EI} (model m, condition B3, step 5000): the paper prints 0.70 (Table 3); "
        "3 runs of scale_ladder gave 0.712, their mean (SD 0.013).",
        f"{EI} (model m, condition B3, step 0): the paper prints no value of it; "
        "the base model of scale_ladder gave 0.9.",
    ]


def test_where_nothing_was_run_it_says_so_of_each(paper: list[Claim]) -> None:
    found = [*operand_sentences(paper[0], verdict(paper[0]), paper)]
    assert len(found) == 2
    assert all(line.endswith("no run of ours has measured it.") for line in found)
    assert "nothing yet; scale_ladder would" in explanation(paper[0], verdict(paper[0]), paper)


def test_a_claim_of_one_cell_has_no_operands(paper: list[Claim]) -> None:
    assert not [*operand_sentences(paper[1], verdict(paper[1]), paper)]


def test_what_is_not_measured_has_no_operands(paper: list[Claim]) -> None:
    settled = verdict(paper[0], basis="definition", outcome="holds")
    assert not [*operand_sentences(paper[0], settled, paper)]


def test_many_cells_are_counted_after_the_first(paper: list[Claim]) -> None:
    term = paper[1].term
    cells = [
        MeasuredCell(
            name="",
            mean=0.7,
            sd=None,
            runs=1,
            term=term.model_copy(update={"selector": {**AFTER, "step": step}}),
        )
        for step in range(15)
    ]
    found = [*operand_sentences(paper[0], verdict(paper[0], *cells), paper)]
    assert found[-1] == "… and 3 more cells."
    assert "one run of scale_ladder gave 0.7" in found[0]
    assert len(found) == 13
    assert "cells" not in verdict(paper[0], *cells).model_dump()
