"""The columns that a paper's claims ask for."""

from repro.claims.papers import find_paper
from repro.verify.evidence.axes import RUN_COLUMNS, VALUED, axes_of, level_text


def test_the_papers_of_this_project_need_the_four_columns_of_runs() -> None:
    for name in ("laptop", "consolidated"):
        assert axes_of(find_paper(name).claims).required[:4] == RUN_COLUMNS


def test_a_paper_with_axes_of_its_own_needs_those_that_every_claim_uses() -> None:
    axes = axes_of(find_paper("domainbed").claims)
    assert axes.required == ("algorithm", "benchmark", *VALUED)
    assert set(axes.own) == {"algorithm", "benchmark", "domain", "trial"}
    assert {"trial", "seed", "concept"} <= set(axes.known)


def test_no_claim_leaves_the_usual_columns() -> None:
    assert axes_of(()).required == (*RUN_COLUMNS, *VALUED)


def test_a_level_may_be_given_as_the_paper_calls_it() -> None:
    axes = axes_of((), {"model": {"Big-7B": "big"}})
    assert [axes.level("model", name) for name in ("Big-7B", "big")] == ["big", "big"]


def test_numbers_are_levels_however_they_are_written() -> None:
    assert level_text("0.30") == level_text(0.3)
    assert level_text(" ERM ") == "ERM"
