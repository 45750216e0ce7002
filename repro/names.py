"""Say which known name a misspelt one may stand for."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "nearest is X; ", to stand before the list of names; empty where none is like it."""
    near = get_close_matches(name, list(known), 1)
    return f"nearest is {near[0]}; " if near else ""
