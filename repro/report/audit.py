"""The audit as a table: per paper, worst first, one row for one contradiction however often the paper repeats it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from repro.manifest.papers import Paper
from repro.verify.audit import Check
from repro.verify.audit.check import Severity

_STYLE: dict[Severity, str] = {"substantive": "bold red", "minor": "yellow", "rounding": "cyan", "none": "dim"}
_ORDER: tuple[Severity, ...] = ("substantive", "minor", "rounding", "none")


def show(checks: Sequence[Check], papers: Sequence[Paper], console: Console) -> None:
    """Print what is inconsistent, what the decimals leave open against the print, and the counts."""
    for paper in papers:
        mine = [check for check in checks if check.papers[0] == paper.id]
        notable = [check for check in mine if check.severity != "none"]
        if notable:
            console.print(_table(paper, notable))
        console.print(Text.assemble((paper.id, "bold"), f": {summary(mine)}\n"))
    if len(papers) > 1:
        console.print(Text.assemble(("all", "bold"), f": {summary(checks)}"))


def summary(checks: Sequence[Check]) -> str:
    """ "310 checks: 250 consistent, 40 inconsistent (12 substantive, …), 20 undecidable"."""
    verdicts = Counter(check.verdict for check in checks)
    grave = Counter(check.severity for check in checks if check.verdict == "inconsistent")
    detail = ", ".join(f"{grave[name]} {name}" for name in _ORDER if grave[name])
    return (
        f"{len(checks)} checks: {verdicts['consistent']} consistent, {verdicts['inconsistent']} inconsistent"
        f"{f' ({detail})' if detail else ''}, {verdicts['undecidable']} undecidable"
    )


def _table(paper: Paper, checks: Sequence[Check]) -> Table:
    table = Table(
        title=Text(paper.title, "table.title"), title_justify="left", header_style="bold", show_lines=True, expand=True
    )
    table.add_column("severity, check", no_wrap=True)
    table.add_column("where", max_width=16)
    table.add_column("printed ≠ recomputed", max_width=20)
    table.add_column("why", ratio=1)
    for group in sorted(_grouped(checks), key=lambda group: _ORDER.index(group[0].severity)):
        first = group[0]
        word = first.severity if first.verdict == "inconsistent" else "undecided"
        where = ", ".join(dict.fromkeys(check.locator for check in group))
        values = f"{shown(first.printed)} ≠ {shown(first.recomputed)}"
        label = Text.assemble((word, _STYLE[first.severity]), f"\n{first.check}")
        table.add_row(label, Text(where), Text(values), Text(first.explanation))
    return table


def _grouped(checks: Sequence[Check]) -> Iterator[list[Check]]:
    """Checks that say the same of the same number: the abstract repeats the table, the conclusion repeats both."""
    groups: dict[tuple[str, str, str, str], list[Check]] = {}
    for check in checks:
        subject = check.explanation.split(":")[0].split(", read as ")[-1]
        cells = " ".join(sorted(subject.replace("(", " ").replace(")", " ").replace(",", " ").split()))
        groups.setdefault((check.check, shown(check.printed), shown(check.recomputed), cells), []).append(check)
    yield from groups.values()


def shown(value: float | bool | str | None) -> str:
    """A value for people: six digits, true or false, a dash for nothing."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "holds" if value else "does not hold"
    return f"{value:.5g}" if isinstance(value, (int, float)) else value
