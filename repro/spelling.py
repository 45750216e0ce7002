"""How labels and texts may be spelt: what stands for a label that is missing, which labels look alike, what is no text."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

MISSING = frozenset(
    (
        *("", "na", "n/a", "n.a.", "<na>", "nan", "-nan", "nat", "none", "null"),
        *("#n/a", "#n/a n/a", "#na", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    )
)
"""What R, pandas, NumPy, spreadsheets and SQL write where there is no label, in small letters: all that pandas reads so."""


def is_missing(label: str) -> bool:
    """Whether a label is what some program writes where there is none."""
    return label.strip().casefold() in MISSING


def look_alike(labels: Iterable[str]) -> list[list[str]]:
    """Return groups of different labels that a reader takes for one.

    They differ in Unicode form (NFC, NFD), in characters without width, in spaces, or in how a number is written.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        groups[_seen(label)].append(label)
    return [group for group in groups.values() if len(group) > 1]


def _seen(label: str) -> str:
    """Return a label as it looks: compatible characters as one, nothing without width, numbers by value."""
    plain = unicodedata.normalize("NFKC", label)
    visible = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Mn", "Cc") or _accent(c))
    words = " ".join(visible.split())
    try:
        return repr(float(words))
    except ValueError:
        return words


def _accent(character: str) -> bool:
    """Whether a mark is one that is seen: a combining accent, not a variation selector or joiner."""
    return unicodedata.combining(character) != 0


def no_text(text: str, strict: bool = True) -> str | None:
    """Return what a text holds that no tokenizer can read; None for a proper one.

    `strict`: a NUL too, which is text to Unicode and the end of one to much software.
    """
    for place, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            return f"half a character ({character!r}, a lone surrogate) at character {place + 1}"
        if strict and character == "\0":
            return f"a NUL (byte 0) at character {place + 1}"
    return None
