"""Hash the content of an image: two builds from the same inputs have the same hash.

An engine's own image id differs between builds, since it covers the times of layers. Hashing an
image takes some seconds, so the result is kept by image id, which is itself a digest: an image
cannot change under its id.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from repro.execute.engine import step_name
from repro.files import canonical_json, write_json

_OWN = ("opt/repro",)
"""This project's source. A run's key names it, so it is not part of the content hash."""
ENGINES_OWN = (
    "dev",
    "proc",
    "sys",
    "run",
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/mtab",
    ".dockerenv",
)
"""Files that a container engine itself writes into a container."""


def content_hash(client: Any, image_id: str, scratch: Path) -> str:
    """Return the content hash of an image, computed once for each image id and kept in
    `scratch`.
    """
    known = scratch / "content.json"
    hashes: dict[str, str] = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    if image_id not in hashes:
        hashes[image_id] = _hash_image(client, image_id)
        write_json(known, hashes)
    return hashes[image_id]


def _hash_image(client: Any, image_id: str) -> str:
    """Export an image's files and return their hash, with the settings that affect the worker."""
    settings = client.images.get(image_id).attrs["Config"]
    container = client.containers.create(image_id, name=step_name())
    try:
        lines = sorted(_lines(_Stream(container.export(chunk_size=1 << 20))))
    finally:
        container.remove(force=True)
    kept = {
        key: settings.get(key)
        for key in ("User", "Env", "Entrypoint", "Cmd", "WorkingDir", "Volumes")
    }
    return hashlib.sha256("\n".join([*lines, canonical_json(kept)]).encode()).hexdigest()


def _lines(stream: "_Stream") -> Iterator[str]:
    """Yield one line per file that counts: path, type, mode, owner, link and content."""
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
        for item in archive:
            path = item.name.removeprefix("./").strip("/")
            if any(path == own or path.startswith(own + "/") for own in (*_OWN, *ENGINES_OWN)):
                continue
            file = archive.extractfile(item) if item.isreg() else None
            content = hashlib.sha256(file.read()).hexdigest() if file else ""
            yield canonical_json(
                [path, item.type.decode(), item.mode, item.uid, item.gid, item.linkname, content]
            )


class _Stream:
    """The chunks of an export as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        while len(self._rest) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
