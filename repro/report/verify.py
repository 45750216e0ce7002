"""Verdicts for a reader: grouped by the paper's tables, published beside measured, one symbol an outcome."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from repro.verify.assess import counts
from repro.verify.holm import z_histogram
from repro.verify.statistics import LEVEL
from repro.verify.verdict import OUTCOMES, Outcome, Verdict

SYMBOLS: dict[Outcome, tuple[str, str]] = {
    "reproduced": ("✓", "green"),
    "consistent": ("≈", "cyan"),
    "contradicted": ("✗", "bold red"),
    "inconclusive": ("?", "yellow"),
    "not_run": ("·", "dim"),
    "unverifiable": ("–", "dim"),
}
"""Outcome → (symbol, colour)."""
FOLDED: tuple[Outcome, ...] = ("not_run", "unverifiable")
"""Outcomes that share a line with their like: a table nothing was run for is one line, not fifty."""
NOTHING = (
    "no published claim is bound to this manifest: nothing to judge; "
    '`repro sql "SELECT * FROM trajectories"` shows what was measured (docs/manifests.md)'
)
"""Said of a manifest of one's own."""
_SHOWN = 6
_ENOUGH = 20
"""z values from which a histogram is worth its line."""
_BARS = " ▁▂▃▄▅▆▇█"


def show(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print every verdict, then how many there are of each; or that there is none to give."""
    if not verdicts:
        console.print(NOTHING, soft_wrap=True)
        return
    width = max((len(_name(verdict)) for verdict in verdicts if verdict.outcome not in FOLDED), default=0)
    for (source, locator), group in groupby(verdicts, key=lambda verdict: (verdict.source, verdict.locator)):
        console.print(Text(f"\n{source}, {locator}", style="bold"))
        console.print(_group(list(group), min(width, 44)), soft_wrap=True)
    console.print(Text("\n").append_text(summary(verdicts)), soft_wrap=True)


def summary(verdicts: Sequence[Verdict]) -> Text:
    """The counts on one line; under it what survives Holm, what the audit found, how the z values lie."""
    line = Text()
    for outcome in OUTCOMES:
        symbol, style = SYMBOLS[outcome]
        line.append(f"{symbol} {counts(verdicts)[outcome]} {outcome.replace('_', ' ')}   ", style=style)
    line.append(f"of {len(verdicts)} claims")
    contradicted = [verdict for verdict in verdicts if verdict.outcome == "contradicted"]
    if contradicted:
        strict = sum(verdict.p_holm is not None and verdict.p_holm < LEVEL for verdict in contradicted)
        line.append(f"\n{strict} of {len(contradicted)} contradictions stand after Holm's adjustment for many tests")
    if audited := sum(bool(verdict.audit) for verdict in verdicts):
        who = "1 claim disagrees" if audited == 1 else f"{audited} claims disagree"
        line.append(f"\n{who} with the paper's own other prints (`repro audit`)")
    z_values = [verdict.z for verdict in verdicts if verdict.z is not None]
    if len(z_values) >= _ENOUGH:
        line.append(f"\nz from −4 to 4: {_histogram(z_values)} ({len(z_values)}; standard normal if all reproduce)")
    return line


def _group(verdicts: list[Verdict], width: int) -> Text:
    lines = Text()
    printed = max((len(v.printed) for v in verdicts if v.outcome not in FOLDED), default=0)
    for verdict in verdicts:
        if verdict.outcome not in FOLDED:
            symbol, style = SYMBOLS[verdict.outcome]
            lines.append(f"  {symbol} ", style=style)
            lines.append(f"{_name(verdict):<{width}}  {verdict.printed:<{min(printed, 30)}}  {measured(verdict)}  ")
            lines.append(f"{verdict.outcome}: {verdict.reason}", style=style)
            lines.append(f"  audit: {', '.join(verdict.audit)}\n" if verdict.audit else "\n", style="magenta")
    for outcome in FOLDED:
        lines.append_text(_folded(verdicts, outcome))
    lines.rstrip()
    return lines


def _folded(verdicts: list[Verdict], outcome: Outcome) -> Text:
    """One line for all claims of a table that share an outcome and its reason."""
    lines = Text()
    alike: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome == outcome:
            alike.setdefault(verdict.reason, []).append(verdict)
    symbol, style = SYMBOLS[outcome]
    for reason, found in alike.items():
        names = ", ".join(verdict.printed for verdict in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        said = outcome.replace("_", " ")
        lines.append(f"  {symbol} {len(found)} {said}: {names}{more}: {reason}\n", style=style)
        if audited := sorted({check for verdict in found for check in verdict.audit}):
            lines.append(f"      audit: {', '.join(audited)}\n", style="magenta")
    return lines


def measured(verdict: Verdict) -> str:
    """What was measured, with its own interval and runs."""
    value = verdict.estimate
    if value is None:
        return "–"
    text = f"{value:.4g}" if isinstance(value, float) and not isinstance(value, bool) else str(value)
    if verdict.low is not None and verdict.high is not None:
        text += f" [{verdict.low:.4g}, {verdict.high:.4g}]"
    return f"{text} (n = {verdict.n})" if verdict.n else text


def _name(verdict: Verdict) -> str:
    """The part of the id that tells a claim from the others of its table; `repro explain` takes it too."""
    return verdict.id.split("/", 2)[-1]


def _histogram(z_values: Sequence[float]) -> str:
    bins = z_histogram(z_values)
    most = max(count for _, _, count, _ in bins)
    return "".join(_BARS[round(count / most * (len(_BARS) - 1))] for _, _, count, _ in bins)
