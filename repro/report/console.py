"""Where tables are printed: every text is shown as it is.

Concepts, classes, paths and query results are a user's words. Read as rich's markup, `[v2]` would vanish and `[/x]` stop
the program; `:dog:` would become a picture.
"""

import sys

from rich.console import Console


def literal(width: int, highlight: bool = True) -> Console:
    """Standard output, `width` columns wide unless it is a terminal; square brackets and colons are only that."""
    return Console(width=None if sys.stdout.isatty() else width, markup=False, emoji=False, highlight=highlight)
