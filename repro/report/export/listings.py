"""Claims as tables for other programs: one a row, and as the paper's own tables with what was
measured beside each number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from repro.claims.papers import Paper
from repro.claims.table import PrintedTable
from repro.errors import InputError
from repro.names import nearest
from repro.report.export.tables import TextTable, as_text
from repro.report.page.claims import ClaimLine
from repro.report.terminal.words import phrase
from repro.verify.assess import GRADE_WORDS
from repro.verify.verdict import Verdict


def claims_table(lines: Iterable[ClaimLine]) -> TextTable:
    """Return a row for each claim: published, measured, verdict, and why."""
    return TextTable(
        "claims", ("claim", "paper", "where", "published", "measured", "verdict", "basis", "grade", "why"),
        as_text((x.id, x.source, x.locator, x.printed, x.measured, x.words, x.basis, x.grade, x.reason) for x in lines),
    )  # fmt: skip


def published_tables(
    papers: Sequence[Paper], glob: str, verdicts: Iterable[Verdict]
) -> Iterator[TextTable]:
    """Yield the papers' tables whose place (`Table 2`) matches, a measured column beside each.

    Raises InputError where none does.
    """
    found = [(paper, table) for paper in papers for table in paper.tables]
    places = list(dict.fromkeys(table.locator for _, table in found))
    if not any(fnmatchcase(place, glob) for place in places):
        raise InputError(
            f"--tables {glob}: no table of {', '.join(paper.id for paper in papers)} is called so; "
            f"{nearest(glob, places)}there are {', '.join(places) or 'none'}"
        )
    judged = {verdict.id: verdict for verdict in verdicts}
    for paper, table in found:
        if fnmatchcase(table.locator, glob):
            yield _beside(f"{paper.id}, {table.locator}", table, judged)


def _beside(name: str, table: PrintedTable, judged: Mapping[str, Verdict]) -> TextTable:
    """Return a table with a column of what was measured behind each that holds claims.

    Its name says whose runs gave the numbers.
    """
    with_claims = {column for _, column, _ in table.claims}
    cells = {
        (row, column): [judged.get(claim) for claim in claims]
        for row, column, claims in table.claims
    }
    header: list[str] = []
    for column in table.header:
        header += [column, f"{column}, measured"] if column in with_claims else [column]
    rows: list[list[str]] = []
    for number, printed in enumerate(table.rows):
        rows.append([])
        for column, text in zip(table.header, printed, strict=True):
            rows[-1].append(text)
            if column in with_claims:
                rows[-1].append(_measured(cells.get((number, column), ())))
    grades = {one.grade for cell in cells.values() for one in cell if one and one.grade}
    whose = ", ".join(words for grade, words in GRADE_WORDS.items() if grade in grades)
    return TextTable(f"{name}; measured: {whose or 'nothing'}", tuple(header), as_text(rows))


def _measured(verdicts: Sequence[Verdict | None]) -> str:
    """Return what the claims of one cell came to: "0.641 ± 0.098 (n = 3): consistent".

    A spread stands behind its value; what was not run, or is not judged here, says so.
    """
    known = [verdict for verdict in verdicts if verdict]
    numbers = [verdict for verdict in known if verdict.estimate is not None]
    text = "; ".join(_number(verdict) for verdict in numbers if verdict.kind != "spread")
    for verdict in numbers:
        text += f" ± {_number(verdict)}" if verdict.kind == "spread" else ""
    runs = max((verdict.n for verdict in numbers), default=0)
    words = list(dict.fromkeys(phrase(verdict.outcome) for verdict in known))
    if len(known) < len(verdicts):
        words.append("not judged here")
    outcome = ", ".join(words)
    return f"{text.strip()}{f' (n = {runs})' if runs else ''}: {outcome}" if text else outcome


def _number(verdict: Verdict) -> str:
    """Return an estimate to four digits."""
    value = verdict.estimate
    return f"{value:.4g}" if isinstance(value, float) else str(value)
