"""Where tables are printed: every text is shown as it is.

Concepts, classes, paths and query results are a user's words. Read as rich's markup, `[v2]` would
vanish and `[/x]` stop the program; `:dog:` would become a picture; an escape sequence would move
the cursor and change what was said before.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from repro.plain import plain


class _Literal(Console):
    """A console on which control characters of a text are spelled out."""

    def render_str(self, text: str, **given: Any) -> Text:
        """Render as rich does, control characters spelled out.

        Every plain string that is printed, or stands in a table, comes by here and is measured
        after it.
        """
        return super().render_str(plain(text), **given)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render as rich does; styled texts come by here.

        Segments that rich itself means as control are let through.
        """
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)


def literal(width: int, highlight: bool = True) -> Console:
    """Open standard output as wide as the terminal, or as COLUMNS says, else `width` columns wide.

    Square brackets and colons are only that.
    """
    asked = os.environ.get("COLUMNS", "")
    known = sys.stdout.isatty() or (asked.isdecimal() and int(asked) > 0)
    return _Literal(width=None if known else width, markup=False, emoji=False, highlight=highlight)


def print_whole(
    console: Console,
    build: Callable[[Sequence[str]], Table],
    columns: Sequence[str],
    dispensable: Sequence[str],
) -> None:
    """Print a table whose words stand whole; what a narrow console has no room for is named below.

    `build` makes the table of the columns it is given; those of `dispensable` go one by one, in
    that order, until the rest fits or all of them are gone.
    """
    for gone in range(len(dispensable) + 1):
        table = build([name for name in columns if name not in dispensable[:gone]])
        if (
            console.measure(table, options=console.options.update(width=1000)).maximum
            <= console.width
        ):
            break
    console.print(table)
    if gone:
        named = ", ".join(name for name in columns if name in dispensable[:gone])
        console.print(f"no room in {console.width} columns for: {named}", style="dim")
