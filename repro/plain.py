"""Text as it may be shown: what would move a cursor, ring a bell or turn words round is spelled out.

Names, titles, paths, logs and query results are other people's words. A terminal obeys the control characters in them,
XML does not allow them, and a line break would make two lines of one.
"""

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # without width, and those that turn the direction of reading
    "\ud800-\udfff\ufffe\uffff]"  # halves of characters, and none
)


def plain(text: str) -> str:
    """The text with its control characters spelled out, as Python does: ESC is \\x1b. Tabs and line breaks stay."""
    return _CONTROL.sub(_spelled, text)


def one_line(text: str) -> str:
    """The same in one line: line breaks and tabs are spelled out too, those at the end are dropped."""
    return plain(text.strip()).replace("\n", "\\n").replace("\t", "\\t")


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
