"""Locate fetched training texts in the cache, by source and edition, and state their size on disk.

The interpreter's own library differs between Python versions, so a run names the edition it was
planned with. The worker reads the texts from the cache and never from its own interpreter, which in
a container is a different one.
"""

import platform
from collections.abc import Iterable
from pathlib import Path

from repro.cache import TEXTS
from repro.errors import InputError
from repro.files import GIB, digest
from repro.manifest.data import (
    HubDataset,
    LocalFile,
    PythonTopics,
    Source,
    StandardLibrary,
    identity,
)

_LIBRARY = 5_000_000
"""Most bytes of the texts of an interpreter's library (Python 3.11's: 3.2 million), or of its
topics.
"""


def edition() -> str:
    """Return what the texts made on this machine depend on besides their source."""
    return f"python {platform.python_version()}"


def texts_file(cache: Path, source: Source, edition: str) -> Path:
    """Return the file of a source's texts, one JSON string a line.

    A hub source is named by its revision alone, a file by its content; others also by the
    edition.
    """
    data = identity(source.model_dump(mode="json", exclude={"data": {"note"}}))["data"]
    named = digest([data, None if isinstance(source.data, HubDataset | LocalFile) else edition])
    return cache / TEXTS / f"{source.id}-{named[:12]}.jsonl"


def shared(heldout: int, sources: int) -> list[int]:
    """Return how many held-out texts each source of a domain gives.

    The numbers are equal, or the first ones one more.
    """
    each, rest = divmod(heldout, sources)
    return [each + (number < rest) for number in range(sources)]


def require_heldout(source: str, texts: int, heldout: int) -> None:
    """Raise InputError when a source has too few texts: at most every second one is held out."""
    most = (texts + 1) // 2
    if most < heldout:
        raise InputError(
            f"data {source}: found {texts} texts, of which every second is held out at "
            f"the most ({most}), "
            f"expected {heldout} held out; lower `heldout` or bring more texts"
        )


def texts_gibibytes(sources: Iterable[Source]) -> tuple[float, list[str]]:
    """Return (most disk of the sources' texts, ids of sources whose size is unknown).

    Sources that occur more than once count once. An unknown size is not part of the sum.
    """
    sizes = {source.id: _gibibytes(source) for source in sources}
    unknown = [name for name, size in sizes.items() if size is None]
    return sum(size for size in sizes.values() if size is not None), unknown


def _gibibytes(source: Source) -> float | None:
    """Return the size of a source's texts; None where nothing states it."""
    match source.data:
        case HubDataset(gibibytes=stated):
            return stated
        case LocalFile(path=path):
            # As stored; a compressed file does not tell the size of its texts.
            return Path(path).stat().st_size / GIB if path.endswith(".jsonl") else None
        case StandardLibrary() | PythonTopics():
            return _LIBRARY / GIB
