"""Tables as they are found in a source: rows of cells, some of which span others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from repro.errors import ManifestError

MOST_CELLS, _WIDEST = 20_000, 300
"""Cells and columns of one table; the largest that papers print have some hundreds and some dozens.
"""


@dataclass(frozen=True)
class GridCell:
    """A cell's exact characters, with spaces and line ends as one space, and how far it reaches."""

    text: str
    columns: int = 1
    rows: int = 1
    """Below its own; of LaTeX's \\multirow negative where it reaches up."""
    reserves: bool = True
    """Whether the rows it reaches leave its place out (HTML), rather than leave it empty (LaTeX).
    """


@dataclass(frozen=True)
class GridPlace:
    """What stands at one row and column: a cell's text, and whether only because the cell spans."""

    text: str
    copied: bool = False


@dataclass(frozen=True)
class DraftTable:
    """One table of a source."""

    rows: tuple[tuple[GridPlace, ...], ...]
    """Every row as wide as the widest."""
    headers: int
    """How many rows are headers."""
    line: int
    """Line of the source where it begins."""
    caption: str = ""
    notes: tuple[str, ...] = ()
    """What was odd about it, as questions."""


@dataclass
class Found:
    """The tables of a source, and a line for each that cannot be read."""

    tables: list[DraftTable] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(
        self,
        rows: Sequence[Sequence[GridCell]],
        headers: int,
        line: int,
        caption: str = "",
        *notes: str,
    ) -> None:
        """Add a table whose cells are given as they stand, row by row; a single row is none."""
        kept = [row for row in rows if any(cell.text for cell in row)]
        if len(kept) < 2:
            return
        dropped = sum(1 for row in rows[:headers] if row not in kept)
        try:
            placed = _place(kept)
        except ManifestError as error:
            self.problems.append(f"line {line}: {error}")
            return
        self.tables.append(
            DraftTable(placed, _headers(placed, headers - dropped), line, caption, notes)
        )


def _headers(rows: Sequence[Sequence[GridPlace]], known: int) -> int:
    """Count the rows that are headers: those known, and those into which a header reaches down."""
    count = max(1, known)
    while count < len(rows) and any(
        here.copied and here.text and here.text == above.text
        for here, above in zip(rows[count], rows[count - 1], strict=True)
    ):
        count += 1
    return count


def _place(rows: Sequence[Sequence[GridCell]]) -> tuple[tuple[GridPlace, ...], ...]:
    """Put every cell at its rows and columns, as browsers do.

    A row that has as many cells as the first is whole: what reaches down into it, by a span that
    says too much, does not. Raises ManifestError for a table beyond the bound.
    """
    taken: dict[tuple[int, int], GridPlace] = {}
    first = sum(cell.columns for cell in rows[0])
    for i, row in enumerate(rows):
        j = 0
        if i and sum(cell.columns for cell in row) >= first:
            taken = {at: there for at, there in taken.items() if at[0] != i}
        for cell in row:
            while (i, j) in taken:
                j += 1
            _span(taken, cell, i, j, len(rows))
            j += cell.columns
    _fill(taken, rows)
    width = 1 + max(j for _, j in taken)
    if width > _WIDEST or width * len(rows) > MOST_CELLS:
        raise ManifestError(
            f"a table of more than {_WIDEST} columns or {MOST_CELLS:,} cells; give a file "
            "with smaller ones"
        )
    return tuple(
        tuple(taken.get((i, j), GridPlace("")) for j in range(width)) for i in range(len(rows))
    )


def _span(
    taken: dict[tuple[int, int], GridPlace], cell: GridCell, i: int, j: int, height: int
) -> None:
    below = min(cell.rows, height - i) if cell.reserves and cell.rows > 1 else 1
    if len(taken) + below * cell.columns > MOST_CELLS:
        raise ManifestError(
            f"a table of more than {MOST_CELLS:,} cells; give a file with smaller ones"
        )
    for down in range(below):
        for right in range(cell.columns):
            taken.setdefault((i + down, j + right), GridPlace(cell.text, copied=down + right > 0))


def _fill(taken: dict[tuple[int, int], GridPlace], rows: Sequence[Sequence[GridCell]]) -> None:
    """Let cells that reach over rows which leave their place empty stand in those rows too."""
    for i, row in enumerate(rows):
        j = 0
        for cell in row:
            reached = range(i + cell.rows + 1, i) if cell.rows < 0 else range(i + 1, i + cell.rows)
            for other in () if cell.reserves else reached:
                for right in range(cell.columns):
                    if (
                        (there := taken.get((other, j + right))) is not None
                        and not there.text
                        and 0 <= other < len(rows)
                    ):
                        taken[other, j + right] = GridPlace(cell.text, copied=True)
            j += cell.columns


def one_space(text: str) -> str:
    """Return a cell's characters with every stretch of white space as one space."""
    return " ".join(text.split())
