"""Wait for the files of a model that is streamed, and make sure that what was read was there.

The host fetches a model's shards one after another, compares each with its published digest, and
removes those that are no longer asked for (`repro.fetch.stream`); in their place lies an empty file
of the same size. wanted.json says what the worker reads, arrived.json what is whole.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from repro.cache import ARRIVED_FILE, WANTED_FILE
from repro.errors import SetupError
from repro.files import write_json

_POLL = 0.1  # seconds


def arrivals(
    folder: Path, show: Callable[[str], None]
) -> Callable[[Iterable[Path]], AbstractContextManager[None]]:
    """Return what waits for files of a streamed model's folder; `show` is told what for.

    A file that cannot be had is waited for until the host, which knows why, ends the worker. Raises
    SetupError for one that went while it was read.
    """

    @contextmanager
    def waiting(paths: Iterable[Path]) -> Iterator[None]:
        names = sorted(path.name for path in paths)
        write_json(folder / WANTED_FILE, names)
        while not (there := _there(folder)).keys() >= set(names):
            show(f"waiting for {', '.join(names)}")
            time.sleep(_POLL)
        yield
        after = _there(folder)
        # an empty file read in the place of a shard would pass for weights that are all zero
        if any(after.get(name) != there[name] for name in names):
            raise SetupError(
                f"{folder}: {', '.join(names)} went while it was read; run the same command again"
            )

    return waiting


def _there(folder: Path) -> dict[str, int]:
    """Return the shards that are whole, each with the number of its arrival."""
    try:
        content: dict[str, int] = json.loads((folder / ARRIVED_FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return content
