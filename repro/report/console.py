"""Where tables are printed: every text is shown as it is.

Concepts, classes, paths and query results are a user's words. Read as rich's markup, `[v2]` would vanish and `[/x]` stop
the program; `:dog:` would become a picture; an escape sequence would move the cursor and change what was said before.
"""

import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from repro.plain import plain


class _Literal(Console):
    """A console on which control characters of a text are spelled out."""

    def render_str(self, text: str, **given: Any) -> Text:
        """As rich's: every plain string that is printed, or stands in a table, comes by here and is measured after it."""
        return super().render_str(plain(text), **given)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """As rich's: styled texts come by here. Segments that rich itself means as control are let through."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)


def literal(width: int, highlight: bool = True) -> Console:
    """Standard output, `width` columns wide unless it is a terminal; square brackets and colons are only that."""
    return _Literal(width=None if sys.stdout.isatty() else width, markup=False, emoji=False, highlight=highlight)
