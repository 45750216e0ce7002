"""Draft a paper's claims from the tables of its source: every cell, and what a person must decide.

A draft is believed by nothing: its blocks carry a field `draft` with questions, and every verb
refuses them until a person has removed it (docs/your_paper.md).
"""

from collections.abc import Callable
from pathlib import Path

from repro.claims.draft.block import draft_table
from repro.claims.draft.grid import Found
from repro.claims.draft.html import html_tables
from repro.claims.draft.latex import latex_tables
from repro.claims.draft.markdown import markdown_tables
from repro.claims.draft.write import write_draft
from repro.errors import ManifestError, first_line

_LARGEST = 4 << 20  # bytes; the longest paper's source has a tenth of it
_READERS = {
    **dict.fromkeys((".tex", ".ltx", ".latex"), latex_tables),
    **dict.fromkeys((".html", ".htm", ".xhtml"), html_tables),
    **dict.fromkeys((".md", ".markdown", ".mdown"), markdown_tables),
}


def draft(file: Path) -> tuple[str, list[str]]:
    """Return the YAML of a draft, and a line for every table that could not be read.

    Raises ManifestError where none can.
    """
    text = _text(file)
    found = _reader(file, text)(text)
    blocks, problems = [], list(found.problems)
    for number, table in enumerate(found.tables, 1):
        try:
            blocks.append(draft_table(table, number))
        except ManifestError as error:
            problems.append(f"line {table.line}: {error}")
    if not blocks:
        why = f" ({problems[0]})" if problems else ""
        raise ManifestError(
            f"{file}: found no table that can be read{why}; expected LaTeX, HTML or Markdown "
            "with tables"
        )
    return write_draft(blocks, str(file)), problems


def _text(file: Path) -> str:
    """Return a source's characters. Raises ManifestError."""
    try:
        with file.open("rb") as source:
            content = source.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise ManifestError(
            f"{file}: cannot be read ({first_line(error)}); give a paper's source"
        ) from None
    if len(content) > _LARGEST:
        raise ManifestError(
            f"{file}: larger than {_LARGEST >> 20} MiB; give a file with the tables alone"
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{file}: byte {error.start} is no UTF-8; save the file as UTF-8"
        ) from None


def _reader(file: Path, text: str) -> Callable[[str], Found]:
    """Return the reader of a file's format: by its name's end, else by what it holds."""
    if known := _READERS.get(file.suffix.lower()):
        return known
    if "\\begin{" in text:
        return latex_tables
    return html_tables if "<html" in text.lower() else markdown_tables


__all__ = ["draft"]
