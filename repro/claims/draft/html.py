"""Tables of an HTML page, by the standard library's tolerant parser; cells keep their signs."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import accumulate

from repro.claims.draft.grid import Found, GridCell, one_space

_WIDEST, TALLEST = 1000, 65_534
"""What browsers take of colspan and rowspan at most."""
CELLS = ("td", "th")


@dataclass
class _Open:
    """A table that has begun and not ended."""

    line: int
    rows: list[list[GridCell]] = field(default_factory=list)
    heads: list[bool] = field(default_factory=list)
    """Of each row, whether it holds headers alone."""
    cell: tuple[str, int, int, int] | None = None
    """Of a cell that has begun: its tag, where its characters start, columns, rows."""
    in_head: bool = False
    caption: str = ""
    caption_from: int | None = None


def html_tables(text: str) -> Found:
    """Return the tables of a page, in the order in which they end.

    Unclosed rows and cells end where the next begin.
    """
    reader = _Reader(text)
    # a section of XML is a comment to browsers, and an error to the parser
    reader.feed(text.replace("<![", "<!+"))
    reader.close()
    reader.finish()
    return reader.found


class _Reader(HTMLParser):
    """Notes where cells begin and end; a table inside a cell is a table of its own."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found = Found()
        self._text = text
        self._starts = _line_starts(text)
        self._open: list[_Open] = []

    def _here(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._open.append(_Open(self.getpos()[0]))
        if not self._open:
            return
        table = self._open[-1]
        if tag in (*CELLS, "tr", "thead", "tbody", "tfoot"):
            self._end_cell(table)
        if tag == "caption":
            table.caption_from = self._here() + len(self.get_starttag_text() or "")
        if tag in ("thead", "tbody", "tfoot"):
            table.in_head = tag == "thead"
        if tag == "tr" or (tag in CELLS and not table.rows):
            table.rows.append([])
            table.heads.append(True)
        if tag in CELLS:
            given = dict(attrs)
            start = self._here() + len(self.get_starttag_text() or "")
            table.heads[-1] = table.heads[-1] and (tag == "th" or table.in_head)
            columns, rows = (
                _count(given.get("colspan"), _WIDEST),
                _count(given.get("rowspan"), TALLEST),
            )
            table.cell = (tag, start, columns, rows)

    def handle_endtag(self, tag: str) -> None:
        if not self._open:
            return
        table = self._open[-1]
        if tag == "caption" and table.caption_from is not None:
            table.caption = one_space(self._text[table.caption_from : self._here()])
        if tag in (*CELLS, "tr", "thead", "tbody", "tfoot", "table"):
            self._end_cell(table)
        if tag == "thead":
            table.in_head = False
        if tag == "table":
            self._end_table()

    def finish(self) -> None:
        """End what the page leaves open."""
        while self._open:
            self._end_cell(self._open[-1], len(self._text))
            self._end_table()

    def _end_cell(self, table: _Open, end: int | None = None) -> None:
        if table.cell is None:
            return
        _, start, columns, rows = table.cell
        table.cell = None
        text = self._text[start : self._here() if end is None else end]
        table.rows[-1].append(GridCell(one_space(text), columns, rows))

    def _end_table(self) -> None:
        table = self._open.pop()
        headers = next((i for i, head in enumerate(table.heads) if not head), len(table.heads))
        self.found.add(table.rows, max(1, headers), table.line, table.caption)


def _count(given: str | None, most: int) -> int:
    """Return a span as browsers read it: a number from 1, else 1."""
    digits = (given or "").strip()
    return min(max(1, int(digits)), most) if digits.isdecimal() and len(digits) < 9 else 1


def _line_starts(text: str) -> list[int]:
    """Return where each line begins; the parser counts lines by \\n alone."""
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
