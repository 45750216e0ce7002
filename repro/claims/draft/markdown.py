"""Tables of a Markdown text (GitHub's pipe tables), by markdown-it-py, and HTML ones between."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from repro.claims.draft.grid import DraftTable, Found, GridCell, one_space
from repro.claims.draft.html import html_tables

_BAR = re.compile(r"(?<!\\)\|")


def markdown_tables(text: str) -> Found:
    """Return the tables of a text, in its order."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    lines = text.split("\n")
    found, fenced = (
        Found(),
        [token.map for token in tokens if token.type in ("fence", "code_block") and token.map],
    )
    for start, token in enumerate(tokens):
        if token.type == "table_open" and token.map:
            end = next(i for i in range(start, len(tokens)) if tokens[i].type == "table_close")
            _add(found, tokens[start:end], token.map[0] + 1, lines)
    if "<table" in text.lower():
        written = html_tables(text)
        found.problems += written.problems
        found.tables += [table for table in written.tables if not _inside(table, fenced)]
        found.tables.sort(key=lambda table: table.line)
    return found


def _add(found: Found, tokens: list[Token], line: int, lines: list[str]) -> None:
    rows: list[list[GridCell]] = []
    notes = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
            source = lines[token.map[0]].strip() if token.map else ""
            if (cells := len(_BAR.split(source.removeprefix("|").removesuffix("|")))) > len(
                rows[0] or [1] * cells
            ):
                notes.append(
                    f"line {token.map[0] + 1 if token.map else line} has {cells} cells, more "
                    "than the header: what are the last?"
                )
        if token.type == "inline":
            rows[-1].append(GridCell(one_space(token.content)))
    found.add(rows, 1, line, "", *notes)


def _inside(table: DraftTable, stretches: list[list[int]]) -> bool:
    return any(first < table.line <= last for first, last in stretches)
