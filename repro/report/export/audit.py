"""The audit as rows for other programs: CSV, and Markdown for an issue or a review; worst first."""

from collections.abc import Iterator, Sequence

from repro.audit import Check
from repro.audit.unmatched import describe_unmatched
from repro.claims.papers import Paper
from repro.report.export.tables import TextTable, as_text
from repro.report.terminal.audit import beside, count_outcomes, reading, worst_first, write_value
from repro.report.terminal.rows import print_rows

_COLUMNS = (
    "severity",
    "verdict",
    "check",
    "paper",
    "locator",
    "printed",
    "recomputed",
    "explanation",
    "inputs",
)


def print_csv(checks: Sequence[Check]) -> None:
    """Print a header and a row for every check."""
    print_rows(_COLUMNS, _rows(checks), "csv")


def checks_table(checks: Sequence[Check]) -> TextTable:
    """Return a row for every check, the worst first, without the claims' ids."""
    return TextTable("audit", _COLUMNS[:-1], as_text(row[:-1] for row in _rows(checks)))


def _rows(checks: Sequence[Check]) -> list[tuple[object, ...]]:
    return [
        (check.severity, check.verdict, check.check, check.papers[0], check.locator, check.printed, check.recomputed,
         check.explanation, " ".join(check.inputs))
        for check in worst_first(checks)
    ]  # fmt: skip


def audit_markdown(
    checks: Sequence[Check], all_checks: Sequence[Check], papers: Sequence[Paper]
) -> Iterator[str]:
    """Yield lines: what was read, a row for each of the checks, the counts of all."""
    yield reading(all_checks, papers)
    yield ""
    yield "| severity | check | where | printed | recomputed | why |"
    yield "|---|---|---|---|---|---|"
    for check in worst_first(checks):
        word = check.severity if check.verdict == "inconsistent" else check.verdict
        cells = (word, f"`{check.check}`", f"{check.papers[0]} {check.locator}", write_value(check.printed),
                 _recomputed(check), check.explanation)  # fmt: skip
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""
    for line in describe_unmatched(
        all_checks, [claim for paper in papers for claim in paper.claims]
    ):
        yield line
        yield ""
    yield count_outcomes(all_checks)


def _recomputed(check: Check) -> str:
    """Return what other prints say, behind its sign where that is more than = or ≠."""
    sign, value = beside(check)
    return value if sign in ("=", "≠") else f"{sign} {value}".strip() or "—"


def _cell(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())
