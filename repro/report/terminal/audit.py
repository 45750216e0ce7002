"""The audit as a table: worst first, a row a contradiction however often the papers repeat it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from repro.audit import Check
from repro.audit.check import Severity
from repro.audit.unmatched import describe_unmatched
from repro.claims.papers import Paper

_STYLE: dict[Severity, str] = {
    "substantive": "bold red",
    "minor": "yellow",
    "rounding": "cyan",
    "none": "dim",
}
_ORDER: tuple[Severity, ...] = ("substantive", "minor", "rounding", "none")
_TABLE_WIDTH = 80
"""Columns from which the audit is a table."""
_VERDICTS = ("inconsistent", "undecidable", "consistent")
_WORDS = {"undecidable": "undecided", "consistent": "consistent"}


def show_audit(
    checks: Sequence[Check], papers: Sequence[Paper], console: Console, everything: bool = False
) -> None:
    """Print what was read, what is inconsistent or left open against the print, and the counts.

    `everything`: consistent and undecidable checks too.
    """
    console.print(Text(f"{reading(checks, papers)}\n"))
    notable = [check for check in checks if everything or check.severity != "none"]
    if notable:
        (_table if console.width >= _TABLE_WIDTH else _paragraphs)(papers, notable, console)
    for line in describe_unmatched(checks, [claim for paper in papers for claim in paper.claims]):
        console.print(Text(line))
    for paper in papers:
        mine = [check for check in checks if check.papers[0] == paper.id]
        console.print(Text.assemble((paper.id, "bold"), f": {count_outcomes(mine)}"))
    if len(papers) > 1:
        console.print(Text.assemble(("all", "bold"), f": {count_outcomes(checks)}"))
    if not everything and len(checks) > len(notable):
        console.print(Text("`--all` shows every check, with what keeps it undecidable", "dim"))


def reading(checks: Sequence[Check], papers: Sequence[Paper]) -> str:
    """Say what was read: "1,694 claims read, of 1,402 numbers and 292 statements or lists; …"."""
    claims = [claim for paper in papers for claim in paper.claims]
    numbers = sum(claim.is_number for claim in claims)
    named = {claim.id for claim in claims}
    decided = (
        check for check in checks if check.verdict != "undecidable" and check.check != "bounds"
    )
    compared = len(named & {claim for check in decided for claim in check.inputs})
    return (
        f"{len(claims):,} claims read, of {numbers:,} numbers and {len(claims) - numbers:,} "
        "statements or lists; "
        f"{compared:,} compared with another print"
    )


def count_outcomes(checks: Sequence[Check]) -> str:
    """Count the outcomes: "310 checks: 250 consistent, 40 inconsistent (12 substantive, …), …"."""
    verdicts = Counter(check.verdict for check in checks)
    grave = Counter(check.severity for check in checks if check.verdict == "inconsistent")
    detail = ", ".join(f"{grave[name]} {name}" for name in _ORDER if grave[name])
    return (
        f"{len(checks)} checks: {verdicts['consistent']} consistent, "
        f"{verdicts['inconsistent']} inconsistent"
        f"{f' ({detail}{_of_claims(checks)})' if detail else ''}, "
        f"{verdicts['undecidable']} undecidable"
    )


def _of_claims(checks: Sequence[Check]) -> str:
    """ "; of 4 claims", where several inconsistent checks are of one: 97 for 84.8 is a wrong
    difference and a value printed in two ways.
    """
    found = [check for check in checks if check.verdict == "inconsistent"]
    derived = {check.inputs[0] for check in found if check.check != "same_value"}
    subjects = {
        next((name for name in check.inputs if name in derived), check.inputs[0])
        if check.check == "same_value"
        else check.inputs[0]
        for check in found
    }
    claims = "1 claim" if len(subjects) == 1 else f"{len(subjects)} claims"
    return f"; of {claims}" if len(subjects) < len(found) else ""


def worst_first(checks: Sequence[Check]) -> list[Check]:
    """Return the checks by severity, then verdict; equals stay in the order of the papers."""
    return sorted(
        checks, key=lambda check: (_ORDER.index(check.severity), _VERDICTS.index(check.verdict))
    )


def _title(papers: Sequence[Paper]) -> str:
    return papers[0].title if len(papers) == 1 else f"{len(papers)} papers"


def _table(papers: Sequence[Paper], checks: Sequence[Check], console: Console) -> None:
    title = Text(_title(papers), "table.title")
    table = Table(
        title=title, title_justify="left", header_style="bold", show_lines=True, expand=True
    )
    table.add_column("severity, check", no_wrap=True)
    table.add_column("where", max_width=16)
    table.add_column("printed, recomputed", max_width=20)
    table.add_column("why", ratio=1)
    for label, where, values, why in _rows(papers, checks):
        table.add_row(label, Text(where), Text(values), Text(why))
    console.print(table)


def _paragraphs(papers: Sequence[Paper], checks: Sequence[Check], console: Console) -> None:
    """Print each row below the other: beside each other they would be a few letters wide."""
    console.print(Text(f"{_title(papers)}\n", "bold"))
    for label, where, values, why in _rows(papers, checks):
        head = Text(" · ").join([*label.split(), Text(where)])
        console.print(head, Text(f"{values}\n{why}\n"), sep="\n")


def _rows(papers: Sequence[Paper], checks: Sequence[Check]) -> Iterator[tuple[Text, str, str, str]]:
    """Yield severity and check, where, printed and recomputed, and why; the worst first."""
    for group in _grouped(worst_first(checks)):
        first = group[0]
        word = first.severity if first.verdict == "inconsistent" else _WORDS[first.verdict]
        named = [
            f"{check.papers[0]} {check.locator}" if len(papers) > 1 else check.locator
            for check in group
        ]
        values = " ".join((write_value(first.printed), *beside(first))).strip()
        label = Text.assemble((word, _STYLE[first.severity]), f"\n{first.check}")
        yield label, ", ".join(dict.fromkeys(named)), values, first.explanation


def _grouped(checks: Sequence[Check]) -> Iterator[list[Check]]:
    """Yield together the checks that say the same of the same number.

    The abstract repeats the table, the conclusion repeats both.
    """
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in checks:
        subject = check.explanation.split(":")[0].split(", read as ")[-1]
        cells = " ".join(
            sorted(subject.replace("(", " ").replace(")", " ").replace(",", " ").split())
        )
        values = write_value(check.printed), write_value(check.recomputed)
        groups.setdefault(
            (check.check, check.papers[0], check.severity, *values, cells), []
        ).append(check)
    yield from groups.values()


def beside(check: Check) -> tuple[str, str]:
    """Return how the print stands to what other prints say, and that: ("≠", "0.5"), ("in", "[0,
    1]"); ("?", "") where nothing decides it.
    """
    if check.verdict == "undecidable":
        return "?", "" if check.recomputed is None else write_value(check.recomputed)
    if check.recomputed is None:
        return "", ""
    fits = check.verdict == "consistent"
    printed = check.printed
    if check.check == "bounds":
        signs = "in", "not in"
    elif check.check in ("sd_bound", "range") and _is_number(printed):
        # a mean outside its range, beside an SD that fits
        beyond = _is_number(check.recomputed) and float(printed) > float(check.recomputed)
        signs = "≤", ">" if beyond else "≠"
    elif isinstance(printed, str) and printed.startswith("[") and _is_number(check.recomputed):
        signs = "holds", "does not hold"
    else:
        signs = "=", "≠"
    return signs[0 if fits else 1], write_value(check.recomputed)


def _is_number(value: float | bool | str | None) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def write_value(value: float | bool | str | None) -> str:
    """Write a value for people: five digits, a truth in words, a dash for nothing."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "holds" if value else "does not hold"
    return f"{value:.5g}" if isinstance(value, (int, float)) else value
