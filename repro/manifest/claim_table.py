"""A paper's table, written as a table, becomes one claim per cell.

`keys` names the columns that select (header → selector key), `columns` the columns that hold numbers (header → claim
fields), `ignore` the rest with the reason; `rows` adds fields to the rows that begin with a given cell.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from repro.errors import ManifestError
from repro.manifest.claim_build import inherit

NOTHING = ("", "—", "-", "–", "N/A")
Aliases = Mapping[str, Mapping[str, Any]]


def parse_table(text: str, where: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table drawn with bars; the rule under the header is optional."""
    lines = [line.strip().strip("|") for line in text.splitlines() if line.strip()]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if set(line) - set("|-: ")]
    header, *rows = cells
    for row in rows:
        if len(row) != len(header):
            raise ManifestError(f"{where}: row {row[0]!r} has {len(row)} cells, expected {len(header)}; mend the table")
    return header, rows


def table_rows(
    block: Mapping[str, Any], defaults: Mapping[str, Any], aliases: Aliases, where: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, claim fields) of every cell that holds a claim."""
    header, rows = parse_table(block["table"], where)
    keys, columns, ignore = block.get("keys", {}), block.get("columns", {}), block.get("ignore", {})
    if unknown := [name for name in header if name not in keys and name not in columns and name not in ignore]:
        raise ManifestError(f"{where}: column {unknown[0]!r} is in none of keys, columns, ignore; say what it holds")
    if absent := [name for name in (*keys, *columns, *ignore) if name not in header]:
        raise ManifestError(f"{where}: column {absent[0]!r} is not in the table; its header has {', '.join(header)}")
    nothing = {*NOTHING, *block.get("nothing", ())}
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        says = " | ".join(row)
        extra = block.get("rows", {}).get(row[0], {})
        selected = inherit(defaults, {keys[name]: _level(cells[name], keys[name], aliases) for name in keys})
        for name, fields in columns.items():
            if cells[name] not in nothing:
                claim = inherit(inherit(selected, fields), {**extra, "printed": cells[name], "says": says})
                yield " ".join([*(cells[key] for key in keys), name]), claim


def _level(cell: str, key: str, aliases: Aliases) -> str | int | float:
    """Our name for a level; numbers become numbers."""
    if cell in aliases.get(key, {}):
        level: str | int | float = aliases[key][cell]
        return level
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
