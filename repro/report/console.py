"""Where tables are printed: every text is shown as it is.

Concepts, classes, paths and query results are a user's words. Read as rich's markup, `[v2]` would vanish and `[/x]` stop
the program; `:dog:` would become a picture; an escape sequence would move the cursor and change what was said before.
"""

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from repro.plain import plain


class _Literal(Console):
    """A console on which control characters of a text are spelled out."""

    def render_str(self, text: str, **given: Any) -> Text:
        """As rich's: every plain string that is printed, or stands in a table, comes by here."""
        return super().render_str(plain(text), **given)


def literal(width: int, highlight: bool = True) -> Console:
    """Standard output, `width` columns wide unless it is a terminal; square brackets and colons are only that."""
    return _Literal(width=None if sys.stdout.isatty() else width, markup=False, emoji=False, highlight=highlight)
