"""What this machine can run, as a table: what was found, and what would help where something is missing."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from repro.execute.fitting import Fit
from repro.execute.machine import Ability
from repro.report.console import literal


def print_abilities(abilities: Sequence[Ability], fits: Sequence[Fit]) -> None:
    """A line for each ability, the remedy only where it is needed; then which manifests fit, and whether any can run."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "what", "found", "what would help"):
        table.add_column(column, overflow="fold")
    for ability in abilities:
        mark = "yes" if ability.able else "NO" if ability.needed else "no"
        table.add_row(mark, ability.what, ability.found, "" if ability.able else ability.remedy)
    console = literal(160, highlight=False)
    console.print(table)
    fitting = [_named(fit, f"{fit.runs} runs") for fit in fits if fit.fits]
    console.print(f"manifests whose largest run fits the memory here: {', '.join(fitting) or 'none'}")
    larger = [_named(fit, f"{fit.gibibytes:.0f} GiB") for fit in fits if not fit.fits]
    if larger:
        console.print(f"too large for it: {', '.join(larger)}")
    if any(fit.hub for fit in fits):
        console.print("* with models that come from the model hub alone")
    missing = [ability.what for ability in abilities if ability.needed and not ability.able]
    console.print(f"nothing runs here without: {', '.join(missing)}" if missing else "this machine can run manifests")


def _named(fit: Fit, words: str) -> str:
    return f"{fit.manifest}{'*' if fit.hub else ''} ({words})"
