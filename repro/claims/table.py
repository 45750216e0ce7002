"""A paper's table, written as a table, becomes one claim per cell.

`keys` names the columns that select (header → selector key), `columns` the columns that hold
numbers (header → claim fields), `ignore` the rest with the reason; `rows` adds fields to the rows
that begin with a given cell, `cells` to one of their cells (first cell → header → fields).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from repro.claims.parts import inherit
from repro.claims.printed.clean import clean
from repro.errors import ManifestError
from repro.frozen import Frozen
from repro.names import nearest

EMPTY_CELLS = ("", "—", "-", "–", "N/A")
TableCell = tuple[int, str]
"""Number of a row, from 0, and name of a column."""
Aliases = Mapping[str, Mapping[str, Any]]
_Cells = dict[str, dict[str, Any]]
"""Column → the fields of its cell in one row, `printed` among them."""
_BAR = re.compile(r"(?<!\\)\|")
_RULE = set("|-:=+ \t")
_LONE = re.compile(r"(?:^|[|\s])[-:=+](?:$|[|\s])")


def parse_table(text: str, where: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table drawn with bars; the rule under the header may be missing.

    Raises ManifestError.
    """
    drawn = [line.strip() for line in text.split("\n") if line.strip()]
    lines = [line for i, line in enumerate(drawn) if not _is_rule(line, under_header=i == 1)]
    bare = [line.removeprefix("|").removesuffix("|") for line in lines]
    cells = [[cell.strip().replace("\\|", "|") for cell in _BAR.split(line)] for line in bare]
    if not cells:
        raise ManifestError(
            f"{where}: field table: found no row, expected a header and rows drawn with |"
        )
    header, *rows = cells
    if twice := next((name for name, count in Counter(header).items() if count > 1), None):
        raise ManifestError(
            f"{where}: column {twice!r} is there twice; give each column a name of its own"
        )
    for row in rows:
        if len(row) != len(header):
            raise ManifestError(
                f"{where}: row {row[0]!r} has {len(row)} cells, expected {len(header)}; mend the "
                "table"
            )
    return header, rows


def draw_table(rows: Sequence[Sequence[str]]) -> str:
    """Draw cells, the first row a header, so that `parse_table` gives them back.

    Raises ManifestError where it cannot.
    """
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *(len(row[j]) for row in cells)) for j in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    drawn = "\n".join([lines[0], rule, *lines[1:]]) + "\n"
    header, *body = [list(row) for row in rows]
    if parse_table(drawn, "a table") != (header, body):
        raise ManifestError(
            "a table with a cell that no drawn table can hold, such as one with a line break"
        )
    return drawn


def _is_rule(line: str, under_header: bool) -> bool:
    """Tell whether a line of a drawn table only parts rows, and holds no cell.

    Elsewhere than under the header, a row of single signs ("-") holds cells.
    """
    return not set(line) - _RULE and (under_header or not _LONE.search(line))


class PrintedTable(Frozen):
    """A table as its paper prints it, and the claims of its cells."""

    locator: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    claims: tuple[tuple[int, str, tuple[str, ...]], ...] = ()
    """(number of a row, column, ids of the claims in that cell)."""


class Table:
    """A block's table: the claims its cells make, and the cells that hold nothing."""

    def __init__(
        self, block: Mapping[str, Any], defaults: Mapping[str, Any], aliases: Aliases, where: str
    ) -> None:
        header, rows = parse_table(block["table"], where)
        _check_names(header, rows, block, where)
        self._header = tuple(header)
        self._keys: dict[str, str] = block.get("keys") or {}
        self._nothing = {*EMPTY_CELLS, *(block.get("nothing") or ())}
        self._rows = [dict(zip(header, row, strict=True)) for row in rows]
        self._fields = [self._cells(row, block, defaults, aliases) for row in self._rows]

    def _cells(
        self,
        row: Mapping[str, str],
        block: Mapping[str, Any],
        defaults: Mapping[str, Any],
        aliases: Aliases,
    ) -> _Cells:
        first = next(iter(row.values()))
        extra, single = (
            (block.get("rows") or {}).get(first, {}),
            (block.get("cells") or {}).get(first, {}),
        )
        selected = inherit(
            defaults, {key: _level(row[name], key, aliases) for name, key in self._keys.items()}
        )
        says = " | ".join(row.values())
        return {
            name: inherit(
                inherit(selected, fields),
                {"printed": row[name], "says": says, **extra, **single.get(name, {})},
            )
            for name, fields in (block.get("columns") or {}).items()
        }

    def printed(self, locator: str, claims: Mapping[TableCell, Sequence[str]]) -> PrintedTable:
        """Return the table as it is printed, with the ids of its claims by their places."""
        placed = tuple((row, column, tuple(ids)) for (row, column), ids in claims.items())
        rows = tuple(tuple(row.values()) for row in self._rows)
        return PrintedTable(locator=locator, header=self._header, rows=rows, claims=placed)

    def claims(self) -> Iterator[tuple[TableCell, str, dict[str, Any]]]:
        """Yield (place, name, claim fields) of every cell that holds a claim."""
        for number, (row, cells) in enumerate(zip(self._rows, self._fields, strict=True)):
            filled = {
                name: fields for name, fields in cells.items() if row[name] not in self._nothing
            }
            shared = _shared_spread(filled)
            for name, fields in filled.items():
                bare = shared and "±" not in clean(fields["printed"])
                own = {**fields, "shared_spread": shared} if bare else fields
                yield (number, name), " ".join([*(row[key] for key in self._keys), name]), own

    def empty(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of every cell that is there and holds nothing."""
        for row, cells in zip(self._rows, self._fields, strict=True):
            yield from (fields for name, fields in cells.items() if row[name] in self._nothing)


def _check_names(
    header: list[str], rows: list[list[str]], block: Mapping[str, Any], where: str
) -> None:
    """Check that every column is said to hold something, and that every name is the table's.

    Raises ManifestError.
    """
    said = {field: block.get(field) or {} for field in ("keys", "columns", "ignore")}
    named = [name for names in said.values() for name in names]
    if unknown := [name for name in header if name not in named]:
        raise ManifestError(
            f"{where}: column {unknown[0]!r} is in none of keys, columns, ignore; say what it holds"
        )
    if twice := [name for name, count in Counter(named).items() if count > 1]:
        raise ManifestError(
            f"{where}: column {twice[0]!r} is in two of keys, columns, ignore; leave it in one"
        )
    if absent := [name for name in named if name not in header]:
        raise ManifestError(
            f"{where}: column {absent[0]!r} is not in the table; {_hint(absent[0], header)}"
        )
    firsts = [row[0] for row in rows]
    for field in ("rows", "cells"):
        if strange := [name for name in block.get(field) or {} if name not in firsts]:
            raise ManifestError(
                f"{where}: field {field}: no row begins with {strange[0]!r}; "
                f"{_hint(strange[0], firsts)}"
            )
    columns = [name for cells in (block.get("cells") or {}).values() for name in cells]
    if strange := [name for name in columns if name not in said["columns"]]:
        raise ManifestError(
            f"{where}: field cells: {strange[0]!r} is no column that holds numbers; "
            f"{_hint(strange[0], list(said['columns']))}"
        )


def _hint(name: str, known: list[str]) -> str:
    return f"{nearest(name, known)}there are {', '.join(known)}"


def _shared_spread(cells: _Cells) -> str:
    """Return the ± that is printed once for a whole row, where its block says so."""
    for fields in cells.values():
        spread = fields.get("spread")
        if (
            isinstance(spread, Mapping)
            and spread.get("shared") == "row"
            and "±" in clean(fields["printed"])
        ):
            return str(fields["printed"])
    return ""


def _level(cell: str, key: str, aliases: Aliases) -> str | int | float:
    """Return our name for a level; numbers become numbers."""
    if cell in aliases.get(key, {}):
        level: str | int | float = aliases[key][cell]
        return level
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
