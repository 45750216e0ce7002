"""Check how labels and texts are spelt: missing labels, look-alikes, what is not text."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

MISSING = frozenset(
    (
        *("", "na", "n/a", "n.a.", "<na>", "nan", "-nan", "nat", "none", "null"),
        *("#n/a", "#n/a n/a", "#na", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    )
)
"""What R, pandas, NumPy, spreadsheets and SQL write for a missing label, in lower case: all that
pandas reads as missing.
"""
_HALF = re.compile("[\ud800-\udfff]")
_NO_TEXT = re.compile("[\ud800-\udfff\0]")


def is_missing(label: str) -> bool:
    """Return whether a label is what some program writes for a missing one."""
    return label.strip().casefold() in MISSING


def look_alike(labels: Iterable[str]) -> list[list[str]]:
    """Return groups of different labels that look the same to a reader.

    They differ in Unicode form (NFC, NFD), in characters without width, in spaces, or in how a
    number is written.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        groups[_seen(label)].append(label)
    return [group for group in groups.values() if len(group) > 1]


def _seen(label: str) -> str:
    """Return a label as it looks: compatible characters unified, those without width dropped,
    numbers by value.
    """
    plain = unicodedata.normalize("NFKC", label)
    visible = "".join(
        c for c in plain if unicodedata.category(c) not in ("Cf", "Mn", "Cc") or _accent(c)
    )
    words = " ".join(visible.split())
    try:
        return repr(float(words))
    except ValueError:
        return words


def _accent(character: str) -> bool:
    """Return whether a mark is visible: a combining accent, not a variation selector or joiner."""
    return unicodedata.combining(character) != 0


def no_text(text: str, strict: bool = True) -> str | None:
    """Return what a text holds that no tokenizer can read; None for a proper text.

    `strict`: also a NUL, which is text to Unicode but ends a text for much software.
    """
    found = (_NO_TEXT if strict else _HALF).search(text)
    if found is None:
        return None
    character, place = found[0], found.start() + 1
    if character == "\0":
        return f"a NUL (byte 0) at character {place}"
    return f"half a character ({character!r}, a lone surrogate) at character {place}"
