"""The operands of a claim in sentences: what the paper prints of each, what our runs gave."""

from collections.abc import Iterator, Sequence

from repro.claims.claim import Claim
from repro.claims.prints import SAID_TWICE
from repro.claims.selector import cell_key
from repro.claims.term import Term
from repro.report.terminal.words import from_files
from repro.verify.verdict import MeasuredCell, Verdict

_MOST = 12
"""Operands that are written out; a statement over all models and steps may have hundreds."""


def operand_sentences(claim: Claim, verdict: Verdict, paper: Sequence[Claim]) -> Iterator[str]:
    """Yield a sentence for each cell that a measured claim compares or combines.

    Nothing for a claim of a single cell: its own lines say all there is.
    """
    if verdict.basis != "measured":
        return
    cells = {cell.term.base_key: cell for cell in verdict.cells if cell.term is not None}
    terms = {term.base_key: term for term in claim.term.leaves()}
    terms = {key: cell.term for key, cell in cells.items() if cell.term is not None} or terms
    if len(terms) < 2:
        return
    for key, term in list(terms.items())[:_MOST]:
        ends = _interval(verdict, term.label)
        found = _measured(cells.get(key), claim, ends, from_files(verdict))
        yield f"{term.label}: {_printed(term, claim, paper)}; {found}."
    if len(terms) > _MOST:
        yield f"… and {len(terms) - _MOST} more cells."


def _printed(term: Term, claim: Claim, paper: Sequence[Claim]) -> str:
    """Say what the claim's paper prints of a cell, and where."""
    cell = term.cell or term.first_cell
    wanted = cell_key(cell.quantity, cell.selector)
    found = [
        other
        for other in paper
        if other.source == claim.source and other.is_number and other.statistic in SAID_TWICE
        if (own := other.term.cell) and cell_key(own.quantity, own.selector) == wanted
    ]
    if not found:
        return "the paper prints no value of it"
    # Of several seeds the named one, else a value over all seeds.
    seed = cell.selector.get("seed")
    nearest = min(found, key=lambda other: other.term.first_cell.selector.get("seed") != seed)
    return f"the paper prints {nearest.printed} ({nearest.locator})"


def _interval(verdict: Verdict, cell: str) -> str:
    """Return a cell's 95 % interval over its runs, where they show a spread."""
    found = verdict.artefacts.get("cells", {}).get(cell)
    return (
        f" [{found['low']:.4g}, {found['high']:.4g}]" if found and found["low"] is not None else ""
    )


def _measured(cell: MeasuredCell | None, claim: Claim, ends: str, sent: bool) -> str:
    """Say what our runs gave for a cell: the value, and of how many runs it is which statistic.

    `sent`: they are the authors' runs, of which files were sent.
    """
    if cell is None:
        return "no run of ours has measured it"
    runs = " of the authors" if sent else f" of {claim.measured_by}" if claim.measured_by else ""
    if cell.measured_once:
        return f"the base model{runs} gave {cell.mean:.4g}"
    if cell.runs == 1:
        return f"one run{runs} gave {cell.mean:.4g}"
    spread = "" if cell.sd is None else f" (SD {cell.sd:.2g})"
    return f"{cell.runs} runs{runs} gave {cell.mean:.4g}{ends}, their {cell.statistic}{spread}"
