"""Verdicts for a reader: the truth in one line, failures, contradictions, news, a table per table.

What was not run is counted, and listed only when everything is asked for.
"""

import shlex
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from repro.audit import Audited
from repro.report.terminal.news import News
from repro.report.terminal.words import (
    SYMBOLS,
    estimate_text,
    from_files,
    headline_text,
    phrase,
    phrase_grade,
    short_name,
    was_measured,
)
from repro.verify.judge.families import z_histogram
from repro.verify.statistics import SIGNIFICANCE
from repro.verify.verdict import Outcome, Verdict

FOLDED: tuple[Outcome, ...] = ("not_run", "unverifiable", "as_printed", "not_set", "holds")
"""Outcomes that share a line with their like: a table of which nothing was run is one line."""
_SHOWN = 6
_LISTED = 8
"""Claims named under a heading, before the rest are counted."""
_ENOUGH = 20
"""z values from which a histogram is worth its line."""
_BARS = " ▁▂▃▄▅▆▇█"
_NARROW = 120
"""Columns below which a verdict's reason has a line of its own."""


def show_verdicts(
    verdicts: Sequence[Verdict],
    audit: Audited,
    console: Console,
    *,
    news: News | None = None,
    everything: bool = False,
    papers: str = "",
    then: str = "",
) -> None:
    """Print the truth of the verdicts on one screen; every verdict where `everything` is asked for.

    `papers`: the folder that another verb has to be told to read the same papers; `then`: what to
    ask next, where it is not what `verify` would say.
    """
    _say(console, headline_text(verdicts, audit), style="bold")
    _list(console, "Fails by definition", [v for v in verdicts if v.outcome == "fails"])
    _list(console, "Contradicted", [v for v in verdicts if v.outcome == "contradicted"])
    _list(
        console,
        "Settings that differ from the print",
        [v for v in verdicts if v.outcome == "differs"],
    )
    if news:
        console.print(Text("\nNew since the last call", style="bold"))
        for line in news:
            _say(console, line, "  ", "    ")
    for (source, locator), group in groupby(
        verdicts, key=lambda verdict: (verdict.source, verdict.locator)
    ):
        found = list(group)
        measured = [verdict for verdict in found if was_measured(verdict)]
        if measured or everything:
            of = sum(verdict.basis == "measured" for verdict in found)
            place = found[0].id.removesuffix(short_name(found[0]))
            title = f"\n{source}, {locator} ({place}…): {len(measured)} of {of} measured"
            console.print(Text(title, style="bold"))
            _rows(console, found if everything else measured)
            _folded(console, found if everything else [])
    _below(console, verdicts, everything)
    where = f"--papers {shlex.quote(papers)} " if papers else ""
    asked = f"`repro explain {where}CLAIM` says why, `repro plan NAME` what a run costs"
    more = "" if everything else f"`repro verify {where}--all` lists every claim, "
    console.print()
    _say(console, then or f"{more}{asked}.")


def _say(console: Console, words: str, first: str = "", then: str = "", style: str = "") -> None:
    """Print a line, broken between words where the console ends, without blanks at its ends."""
    for line in wrap(
        words, console.width, initial_indent=first, subsequent_indent=then, break_on_hyphens=False
    ):
        console.print(Text(line, style=style), soft_wrap=True)


def _list(console: Console, title: str, verdicts: list[Verdict]) -> None:
    """Print a few verdicts under a heading; none without any."""
    if not verdicts:
        return
    console.print(Text(f"\n{title}", style="bold"))
    for verdict in verdicts[:_LISTED]:
        symbol, style = SYMBOLS[verdict.outcome]
        words = f"{verdict.source} {verdict.locator} prints {verdict.printed!r} ({verdict.id}): {verdict.reason}"
        _say(console, f"{symbol} {words}", "  ", "    ", style)
    if len(verdicts) > _LISTED:
        console.print(f"  and {len(verdicts) - _LISTED} more")


def _rows(console: Console, verdicts: list[Verdict]) -> None:
    """Print published beside measured, a claim a line; narrow consoles have the reason below."""
    told = [verdict for verdict in verdicts if verdict.outcome not in FOLDED]
    width = min(max((len(short_name(verdict)) for verdict in told), default=0), 44)
    printed = min(max((len(verdict.printed) for verdict in told), default=0), 30)
    for verdict in told:
        symbol, style = SYMBOLS[verdict.outcome]
        line = Text("  ").append(f"{symbol} ", style=style)
        line.append(
            f"{short_name(verdict):<{width}}  {verdict.printed:<{printed}}  "
            f"{estimate_text(verdict)}  "
        )
        graded = f" [{phrase_grade(verdict)}]" if verdict.grade not in (None, "own") else ""
        said = (
            verdict.reason
            if from_files(verdict)
            else f"{phrase(verdict.outcome)}{graded}: {verdict.reason}"
        )
        reason = Text(said, style=style)
        reason.append(
            f"  audit: {', '.join(verdict.audit)}" if verdict.audit else "", style="magenta"
        )
        if console.width < _NARROW:
            _say(console, line.plain, "", "      ", style)
            _say(console, reason.plain, "      ", "      ", style)
        else:
            console.print(line.append_text(reason), soft_wrap=True)


def _folded(console: Console, verdicts: list[Verdict]) -> None:
    """Print one line for all claims of a table that share an outcome and its reason."""
    alike: dict[tuple[Outcome, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome in FOLDED:
            alike.setdefault((verdict.outcome, verdict.reason), []).append(verdict)
    for (outcome, reason), found in sorted(
        alike.items(), key=lambda item: FOLDED.index(item[0][0])
    ):
        symbol, style = SYMBOLS[outcome]
        names = ", ".join(verdict.printed for verdict in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        line = f"  {symbol} {len(found)} {phrase(outcome)}: {names}{more}: {reason}"
        console.print(Text(line, style=style), soft_wrap=True)
        if checks := sorted({check for verdict in found for check in verdict.audit}):
            console.print(
                Text(f"      audit: {', '.join(checks)}", style="magenta"), soft_wrap=True
            )


def _below(console: Console, verdicts: Sequence[Verdict], everything: bool) -> None:
    """Print what the tables leave out: papers without a measurement, many tests at once."""
    if not everything:
        _papers(console, verdicts)
    alone = sum(
        verdict.outcome == "inconclusive" and (verdict.p or 1.0) < SIGNIFICANCE
        for verdict in verdicts
    )
    if alone:
        claims = "1 claim fails" if alone == 1 else f"{alone} claims fail"
        console.print(
            f"\n{claims} at 5 % alone, and not after Holm's adjustment for many tests: inconclusive"
        )
    z_values = [
        verdict.z for verdict in verdicts if verdict.z is not None and verdict.kind != "ordering"
    ]
    if len(z_values) >= _ENOUGH:
        console.print(
            f"z from −4 to 4: {_histogram(z_values)} ({len(z_values)}; standard normal if all "
            "reproduce)"
        )


def _papers(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Print, paper by paper, what is still to be measured."""
    lines = []
    for source, group in groupby(verdicts, key=lambda verdict: verdict.source):
        found = [verdict for verdict in group if verdict.basis == "measured"]
        missing = [verdict for verdict in found if verdict.outcome == "not_run"]
        blind = sum(verdict.outcome == "unverifiable" for verdict in found)
        if missing or blind:
            never = f", {blind:,} that nothing here can measure" if blind else ""
            lines.append(
                f"· {source}: {len(missing):,} of {len(found):,} empirical claims not run{never}"
            )
    if lines:
        console.print(Text("\nNot measured", style="bold"))
        for line in lines:
            _say(console, line, "  ", "    ")


def _histogram(z_values: Sequence[float]) -> str:
    bins = z_histogram(z_values)
    most = max(count for _, _, count, _ in bins)
    return "".join(_BARS[round(count / most * (len(_BARS) - 1))] for _, _, count, _ in bins)
