"""What the page holds: titles, and how much of each paper was measured."""

from collections.abc import Callable
from dataclasses import replace

from repro.claims.claim import Claim
from repro.claims.papers import load_papers
from repro.report.page.content import Content, Coverage, coverage
from repro.verify.verdict import Verdict


def test_titles_come_from_the_papers(measured: Content) -> None:
    assert measured.papers == {paper.id: paper.title for paper in load_papers() if paper.claims}


def test_a_page_is_called_after_what_it_is_of(measured: Content) -> None:
    paper = next(iter(measured.papers))
    titles = [replace(measured, scope=scope).title for scope in ("", paper, "mine")]
    assert titles == [
        "Which published numbers hold?",
        measured.papers[paper],
        "What mine shows",
    ]


def test_without_runs_and_without_evidence_to_wait_for_nothing_is_measurable(
    measured: Content,
) -> None:
    nothing = replace(measured, runs=[], prices=[], coverage=[])
    assert not nothing.measurable
    waits = Coverage("p", "t", 2, 1, 0, 0, not_run=1, blind=0)
    assert replace(nothing, coverage=[waits]).measurable
    assert not replace(nothing, coverage=[replace(waits, not_run=0, blind=1)]).measurable
    assert measured.measurable


def test_coverage_counts_claims_by_how_far_they_were_measured(
    claims_of: Callable[..., list[Claim]], verdict_of: Callable[..., Verdict]
) -> None:
    """Measured is what a run gave a number for; judged, what has a definite outcome of it."""
    paper, other = [paper for paper in load_papers() if paper.claims][:2]
    mean = {"printed": "0.5", "model": "m", "condition": "B3", "step": 10, "statistic": "mean"}
    (claim,) = claims_of(mean)
    fates = [
        {"outcome": "reproduced", "grade": "own"},
        {"outcome": "contradicted", "grade": "own"},
        {"outcome": "inconclusive", "grade": "twin"},
        {"outcome": "inconclusive"},
        {"outcome": "not_run"},
        {"outcome": "unverifiable"},
        {"outcome": "holds", "basis": "definition"},
        {"outcome": "unverifiable", "basis": "definition"},
    ]
    verdicts = [verdict_of(claim, source=paper.id, **fate) for fate in fates]
    (found,) = coverage(verdicts, [paper, other])
    assert found == Coverage(
        paper.id, paper.title, claims=8, empirical=6, measured=3, judged=2, not_run=1, blind=1
    )
