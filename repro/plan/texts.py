"""Where fetched training texts lie in the cache, and which edition they are.

The interpreter's own library and generated problems differ from one Python or generator to the next, so a run names
the edition it was planned with; the worker reads the texts from the cache and never from the interpreter it runs on,
which in a container is another one.
"""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from repro.files import digest
from repro.manifest.data import HubDataset, LocalFile, Source, identity


def edition() -> str:
    """What texts made on this machine depend on besides their source."""
    try:
        generator = version("reasoning-gym")
    except PackageNotFoundError:
        generator = "absent"
    return f"python {platform.python_version()}, reasoning-gym {generator}"


def texts_file(cache: Path, source: Source, edition: str) -> Path:
    """The file of a source's texts, one JSON string a line; a hub source is named by its revision
    alone, a file by its content."""
    data = identity(source.model_dump(mode="json", exclude={"data": {"note"}}))["data"]
    named = digest([data, None if isinstance(source.data, HubDataset | LocalFile) else edition])
    return cache / "data" / f"{source.id}-{named[:12]}.jsonl"
