"""Where fetched training texts lie in the cache, which edition they are, and what disk they take.

The interpreter's own library differs from one Python to the next, so a run names the edition it was planned with; the
worker reads the texts from the cache and never from the interpreter it runs on, which in a container is another one.
"""

import platform
from collections.abc import Iterable
from pathlib import Path

from repro.files import digest
from repro.manifest.data import HubDataset, LocalFile, PythonTopics, Source, StandardLibrary, identity

GIB = 2**30
LIBRARY = 5_000_000
"""Bytes of the texts of an interpreter's library at the most (Python 3.11's: 3.2 million), or of its topics."""


def edition() -> str:
    """What texts made on this machine depend on besides their source."""
    return f"python {platform.python_version()}"


def texts_file(cache: Path, source: Source, edition: str) -> Path:
    """The file of a source's texts, one JSON string a line; a hub source is named by its revision
    alone, a file by its content."""
    data = identity(source.model_dump(mode="json", exclude={"data": {"note"}}))["data"]
    named = digest([data, None if isinstance(source.data, HubDataset | LocalFile) else edition])
    return cache / "data" / f"{source.id}-{named[:12]}.jsonl"


def texts_gibibytes(sources: Iterable[Source]) -> tuple[float, list[str]]:
    """(disk of the sources' texts in the cache at the most, ids of the sources whose size nobody states).

    Sources that stand there more than once count once. What is unknown is no part of the sum and is named instead.
    """
    sizes = {source.id: _gibibytes(source) for source in sources}
    unknown = [name for name, size in sizes.items() if size is None]
    return sum(size for size in sizes.values() if size is not None), unknown


def _gibibytes(source: Source) -> float | None:
    match source.data:
        case HubDataset(gibibytes=stated):
            return stated
        case LocalFile(path=path):  # as it lies here; a packed one says nothing about its texts
            return Path(path).stat().st_size / GIB if path.endswith(".jsonl") else None
        case StandardLibrary() | PythonTopics():
            return LIBRARY / GIB
