"""Tables of a LaTeX source, by pylatexenc's parser; cells keep their characters, not comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pylatexenc.latexwalker import (
    LatexCommentNode,
    LatexMacroNode,
    LatexSpecialsNode,
    LatexWalker,
    LatexWalkerParseError,
    get_default_latex_context_db,
)
from pylatexenc.macrospec import MacroSpec

from repro.claims.draft.grid import Found, GridCell, one_space
from repro.errors import ManifestError, first_line

_LONGEST = 400_000
"""Characters of all tables together: ten seconds of the parser."""
_KINDS = "tabular|tabular\\*|tabularx|tabulary|longtable|xltabular|tblr|NiceTabular|supertabular"
_EDGE = re.compile(rf"\\(begin|end)\s*\{{({_KINDS})\}}")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_RULES = (
    "hline",
    "toprule",
    "midrule",
    "bottomrule",
    "Xhline",
    "hhline",
    "specialrule",
    "thickhline",
    "hlineB",
)
_PARTIAL = re.compile(
    r"\\(?:cline|cmidrule|cdashline|arrayrulecolor|rowcolor|rowfont|noalign|addlinespace|specialrule|morecmidrules)(?![A-Za-z])"
    r"\*?\s*(?:\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\})*"
)
"""Rules under some columns, colours and spaces between rows: nothing of them is a cell's."""
_ENDS = ("endhead", "endfirsthead", "endfoot", "endlastfoot")


def latex_tables(text: str) -> Found:
    """Return the tables of a source, in its order.

    One that never ends, or holds what is no LaTeX, is a problem.
    """
    found = Found()
    bare = _COMMENT.sub(lambda match: match[1] + " " * (len(match[0]) - len(match[1])), text)
    parsed = 0
    for start, end, kind in _stretches(bare, found):
        line = text.count("\n", 0, start) + 1
        parsed += end - start
        if parsed > _LONGEST:
            found.problems.append(
                f"line {line}: tables of more than {_LONGEST:,} characters; give a file with fewer"
            )
            break
        body = _PARTIAL.sub("", _without_arguments(_COMMENT.sub(r"\1", text[start:end]), kind))
        try:
            rows, headers = _rows(body)
        except (LatexWalkerParseError, RecursionError, ManifestError) as error:
            deep = isinstance(error, RecursionError)
            problem = "braces too deep" if deep else first_line(getattr(error, "msg", error))
            found.problems.append(f"line {line}: a table is no LaTeX that can be read ({problem})")
            continue
        found.add(rows, headers, line, _caption(bare, start, end))
    return found


def _stretches(text: str, found: Found) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, kind) of what stands inside each outermost table environment."""
    depth, start, kind = 0, 0, ""
    for edge in _EDGE.finditer(text):
        if edge[1] == "begin":
            if not depth:
                start, kind = edge.end(), edge[2]
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield start, edge.start(), kind
    if depth:
        found.problems.append(
            f"line {text.count(chr(10), 0, start) + 1}: a table never ends (\\end{{{kind}}} "
            "is missing)"
        )


def _without_arguments(body: str, kind: str) -> str:
    """Return what follows the column specification: [t]{lcc}, for some kinds a width before it."""
    place = 0
    for _ in range(2 if kind in ("tabular*", "tabularx", "tabulary", "xltabular") else 1):
        place += len(body[place:]) - len(re.sub(r"^\s*\[[^\]]*\]", "", body[place:]).lstrip())
        if body[place : place + 1] == "{":
            place += len(_group(body, place + 1)) + 2
    return body[place:]


@cache
def _context() -> Any:
    """Return what pylatexenc knows of macros, and what of tables it does not."""
    context = get_default_latex_context_db()
    macros = [
        MacroSpec("multicolumn", "{{{"),
        MacroSpec("multirow", "[{[{[{"),
        MacroSpec("tabularnewline", "["),
    ]
    macros += [MacroSpec(name, "*{") for name in ("Xhline", "hhline")]
    context.add_context_category("tables", macros=macros, prepend=True)
    return context


@dataclass
class _Row:
    """A row while it is read: its cells so far, and the source that the next one is made of."""

    cells: list[GridCell] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    columns: int = 1
    rows: int = 1

    def end_cell(self) -> None:
        """End a cell: what stood since the last one."""
        self.cells.append(
            GridCell(one_space("".join(self.parts)), self.columns, self.rows, reserves=False)
        )
        self.parts, self.columns, self.rows = [], 1, 1


def _rows(body: str) -> tuple[list[list[GridCell]], int]:
    """Return the rows of a table's body, and how many stand above its first rule between rows."""
    body += "\\relax"  # an optional argument that ends with the source is an error to the parser
    nodes, _, _ = LatexWalker(
        body, latex_context=_context(), tolerant_parsing=False
    ).get_latex_nodes()
    rows: list[list[GridCell]] = []
    row, headers = _Row(), 0
    for node in nodes:
        source = body[node.pos : node.pos + node.len]
        name = node.macroname if isinstance(node, LatexMacroNode) else ""
        if isinstance(node, LatexCommentNode) or name == "relax":
            continue
        if name in ("\\", "tabularnewline", "cr"):
            row.end_cell()
            rows.append(row.cells)
            row = _Row()
        elif isinstance(node, LatexSpecialsNode) and node.specials_chars == "&":
            row.end_cell()
        elif name in _RULES or name in _ENDS:
            if any(cell.text for each in rows for cell in each):
                headers = headers or len(rows)
        elif name in ("multicolumn", "multirow") and not "".join(row.parts).strip():
            _spanned(row, node, body)
        else:
            row.parts.append(source)
    if "".join(row.parts).strip() or row.cells:
        row.end_cell()
        rows.append(row.cells)
    return rows, headers if headers < len(rows) else 1


def _spanned(row: _Row, node: Any, body: str) -> None:
    """Take the content of a \\multicolumn or \\multirow, even nested, as the cell's."""
    if node.nodeargd is None:
        raise ManifestError(f"\\{node.macroname} without its arguments")
    across = node.macroname == "multicolumn"
    count, inside = (
        _whole(body[node.nodeargd.argnlist[0 if across else 1].pos :]),
        node.nodeargd.argnlist[-1],
    )
    if across:
        row.columns = max(1, count)
    else:
        row.rows = count or 1
    content = getattr(inside, "nodelist", None) or [inside]
    first = next((one for one in content if body[one.pos : one.pos + one.len].strip()), None)
    if isinstance(first, LatexMacroNode) and first.macroname in ("multicolumn", "multirow"):
        _spanned(row, first, body)
        return
    text = body[inside.pos : inside.pos + inside.len]
    row.parts.append(text[1:-1] if text.startswith("{") else text)


def _whole(text: str) -> int:
    found = re.match(r"\{?\s*(-?\d{1,4})", text)
    return int(found[1]) if found else 1


def _caption(text: str, start: int, end: int) -> str:
    """Return the caption of the table environment around a stretch, or nothing."""
    before, after = text.rfind("\\begin{table", 0, start), text.find("\\end{table", end)
    if before < 0 or after < 0 or "\\end{table" in text[before:start]:
        return ""
    found = re.search(r"\\caption(?:\[[^\]]*\])?\{", text[before:after])
    return one_space(_group(text, before + found.end())) if found else ""


def _group(text: str, start: int) -> str:
    """Return what stands between an opening brace and its end."""
    depth = 1
    for place in range(start, min(len(text), start + 5000)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[start:place]
    return ""
