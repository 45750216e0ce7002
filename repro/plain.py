"""Make text safe to show.

Characters that move a cursor, ring a bell or reverse words are spelled out. Names, titles, paths,
logs and query results come from others. A terminal obeys the control characters in them, XML does
not allow them, and a line break would make two lines of one.
"""

import re
from collections.abc import Callable

Say = Callable[[str], None]
"""Takes one line for whoever waits."""

_CONTROL = re.compile(
    # C0 but tab and line feed, DEL, C1
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    # without width, and those that reverse the reading direction
    "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    # surrogates and code points that are no characters
    "\ud800-\udfff\ufffe\uffff]"
)


def plain(text: str) -> str:
    """Return the text with control characters spelled out as in Python: ESC is \\x1b.

    Tabs and line breaks stay.
    """
    return _CONTROL.sub(_spelled, text)


def one_line(text: str) -> str:
    """Return the text on one line: line breaks and tabs are spelled out too, those at the end
    are dropped.
    """
    return plain(text.strip()).replace("\n", "\\n").replace("\t", "\\t")


def _spelled(match: re.Match[str]) -> str:
    """Return the escape of a control character."""
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
