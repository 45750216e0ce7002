"""What this machine can run, as a table: what was found, and what would help where it lacks."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from repro.cost.profiles import Speeds
from repro.machine.abilities import Ability, MemoryFit
from repro.report.export.tables import TextTable
from repro.report.terminal.console import literal
from repro.report.terminal.words import count_noun


def print_abilities(abilities: Sequence[Ability], fits: Sequence[MemoryFit]) -> None:
    """Print a line for each ability, its remedy where needed; then which manifests fit.

    The last line says whether any can run.
    """
    table, told = Table(box=box.SIMPLE_HEAD, pad_edge=False), abilities_table(abilities)
    for column in told.columns:
        table.add_column(column, overflow="fold")
    for row in told.rows:
        table.add_row(*row)
    console = literal(160, highlight=False)
    console.print(table)
    fitting = [_named(fit, count_noun(fit.runs, "run", "runs")) for fit in fits if fit.fits]
    console.print(
        f"manifests whose largest run fits the memory here: {', '.join(fitting) or 'none'}"
    )
    larger = [_named(fit, f"{fit.gibibytes:.0f} GiB") for fit in fits if not fit.fits]
    if larger:
        console.print(f"too large for it: {', '.join(larger)}")
    if any(fit.hub for fit in fits):
        console.print("* with models that come from the model hub alone")
    missing = [ability.what for ability in abilities if ability.needed and not ability.able]
    console.print(
        f"nothing runs here without: {', '.join(missing)}"
        if missing
        else "this machine can run manifests; the smallest: make reproduce MANIFEST=smoke"
    )


def abilities_table(abilities: Sequence[Ability]) -> TextTable:
    """Return a row for each ability: whether it is there, what was found, what would help."""
    return TextTable(
        "doctor",
        ("", "what", "found", "what would help"),
        tuple(
            (
                "yes" if ability.able else "NO" if ability.needed else "no",
                ability.what,
                ability.found,
                "" if ability.able else ability.remedy,
            )
            for ability in abilities
        ),
    )


def print_profile(profile: Speeds) -> None:
    """Print the speeds that plans now count with."""
    speeds = [
        f"{name} products {speed / 1e12:.3g} TFLOP/s" for name, speed in profile.products.items()
    ]
    moved, block = f"{profile.moved / 1e9:,.3g} GB/s moved", f"{1e3 * profile.block:.2g} ms a block"
    literal(160).print(
        f"{profile.name}, kept for plans: {', '.join([*speeds, moved, block])}", soft_wrap=True
    )


def _named(fit: MemoryFit, words: str) -> str:
    return f"{fit.manifest}{'*' if fit.hub else ''} ({words})"
