"""Which entries of a cache repro itself wrote: a list that grows with each, and the only thing `clean` goes by.

REPRO_CACHE may point at any folder, one with models and data of somebody else's among them.
"""

import re
from collections.abc import Iterable
from pathlib import Path

LIST = "written-by-repro.txt"
_ENTRY = re.compile(r"(models|data|structure)/[A-Za-z0-9_+-][A-Za-z0-9._+-]*")


def note_own(cache: Path, paths: Iterable[Path]) -> None:
    """Note entries of a cache as repro's own, before they are written: what a killed process left is known too."""
    names = {str(path.relative_to(cache)) for path in paths} - read_own(cache)
    if names:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / LIST).open("a") as file:  # short lines, appended in one write each: two processes cannot mix them
            file.write("".join(f"{name}\n" for name in sorted(names)))


def read_own(cache: Path) -> frozenset[str]:
    """The entries that repro wrote, relative to the cache; other lines of the list are none."""
    try:
        lines = (cache / LIST).read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(line for line in lines if _ENTRY.fullmatch(line))
