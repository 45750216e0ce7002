"""Gather what the report shows: verdicts, findings, costs, figures, runs; judge nothing here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from repro.audit import Audited
from repro.claims.claim import Claim
from repro.claims.papers import Paper
from repro.manifest.experiment import Experiment
from repro.report.page.claims import ClaimLine, PaperTable, legend, tables
from repro.report.page.costs import Price, prices
from repro.report.page.figure import Figure
from repro.report.page.findings import Finding, findings
from repro.report.page.headline import claimed, found, to_know_more
from repro.report.page.measured import Measured, Rows
from repro.report.page.sections import Section, sections
from repro.report.page.words import conditions
from repro.report.terminal.words import headline_text, was_measured
from repro.verify.verdict import Verdict


@dataclass(frozen=True)
class Coverage:
    """How much of one paper was measured."""

    source: str
    title: str
    claims: int
    empirical: int
    measured: int
    judged: int
    not_run: int
    blind: int
    """Empirical claims that nothing here can measure."""


@dataclass(frozen=True)
class Content:
    """Everything on the page."""

    scope: str
    first_line: str
    claimed: str
    found: list[str]
    more: str
    tables: list[PaperTable]
    legend: list[tuple[str, str, str, str, int]]
    papers: Mapping[str, str]
    """Titles by id."""
    sections: list[Section]
    findings: list[Finding]
    coverage: list[Coverage]
    prices: list[Price]
    runs: Rows
    conditions: list[tuple[str, str]]
    """What each condition trains on."""
    notes: list[str] = field(default_factory=list)
    """What a reader of verdicts should know: what was left out, what is absent."""

    @property
    def measurable(self) -> bool:
        """Tell whether anything of it is measured here, or could be: there are runs, or there is
        evidence to wait for.
        """
        return bool(self.runs or self.prices) or any(one.not_run for one in self.coverage)

    @property
    def title(self) -> str:
        """Return what the page is called: the paper's own title, where it is of one paper."""
        if not self.scope:
            return "Which published numbers hold?"
        return self.papers.get(self.scope) or f"What {self.scope} shows"

    @property
    def headlines(self) -> list[ClaimLine]:
        """Return the claims that their papers make in title and abstract."""
        return [line for table in self.tables for line in table.lines if line.headline]

    @property
    def figures(self) -> list[Figure]:
        """Return every figure, in the order of the page."""
        return [figure for section in self.sections for figure in section.figures]


def gather(
    scope: str,
    verdicts: Sequence[Verdict],
    claims: Sequence[Claim],
    papers: Sequence[Paper],
    audit: Audited,
    connection: duckdb.DuckDBPyConnection | None,
    given: Mapping[str, Experiment],
    cache: Path,
    notes: Sequence[str] = (),
) -> Content:
    """Collect the page's content.

    `scope` is a manifest's name or a paper's id, empty for everything; `claims` are those that are
    judged.
    """
    bound = {claim.measured_by for claim in claims if claim.measured_by}
    measured = Measured(connection, sorted({scope, *bound}) if scope else None)
    runs = measured.runs()
    finished = {run["run_id"] for run in runs if run["status"] == "done"}
    together = [claim for paper in papers for claim in paper.claims]
    names = {verdict.id for verdict in verdicts}
    known = findings(together, cache / "findings.json")
    told = [
        finding
        for finding in known
        if names & {finding.here.claim, *(place.claim for place in finding.there)}
    ]
    sources = {verdict.source for verdict in verdicts}
    waiting = prices(claims, verdicts, finished, given)
    own = {claim.id for claim in claims if claim.evidence == "own"}
    from_papers = len({claim.source for claim in claims if claim.evidence == "own"})
    return Content(
        scope, headline_text(verdicts, audit) if verdicts else "", claimed(verdicts, from_papers, own),
        found(verdicts, len(runs), own, told, len(names & audit.checked)), to_know_more(waiting),
        tables(verdicts, {claim.id: claim for claim in claims}),
        legend(verdicts), {paper.id: paper.title for paper in papers if paper.id in sources}, sections(measured, claims), told,
        coverage(verdicts, papers), waiting, runs, conditions(claims, runs, given), list(notes),
    )  # fmt: skip


def coverage(verdicts: Sequence[Verdict], papers: Sequence[Paper]) -> list[Coverage]:
    """Count each paper's claims by how far they were measured."""
    lines = []
    for paper in papers:
        mine = [verdict for verdict in verdicts if verdict.source == paper.id]
        empirical = [verdict for verdict in mine if verdict.basis == "measured"]
        outcomes = Counter(verdict.outcome for verdict in empirical)
        judged = outcomes["reproduced"] + outcomes["consistent"] + outcomes["contradicted"]
        if mine:
            measured, open_ones = (
                sum(map(was_measured, empirical)),
                (outcomes["not_run"], outcomes["unverifiable"]),
            )
            lines.append(
                Coverage(
                    paper.id, paper.title, len(mine), len(empirical), measured, judged, *open_ones
                )
            )
    return lines
