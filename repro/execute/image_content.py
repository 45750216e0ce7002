"""The content hash of an image: what two builds from the same inputs agree on.

An engine's own image id is not, since it covers the times of layers. Hashing an image takes some seconds, so the result
is kept by image id, which is itself a digest: an image cannot change under its id.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from repro.files import canonical_json, write_json

OWN = ("opt/repro",)
"""This project's source: named by the run's key, so not part of the content hash."""
ENGINES_OWN = ("dev", "proc", "sys", "run", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", ".dockerenv")
"""What a container engine writes into a container by itself."""


def content_hash(client: Any, image_id: str, scratch: Path) -> str:
    """Return the content hash of an image, computed once for each image id and kept in `scratch`."""
    known = scratch / "content.json"
    hashes: dict[str, str] = json.loads(known.read_text()) if known.exists() else {}
    if image_id not in hashes:
        hashes[image_id] = _hash_image(client, image_id)
        write_json(known, hashes)
    return hashes[image_id]


def _hash_image(client: Any, image_id: str) -> str:
    settings = client.images.get(image_id).attrs["Config"]
    container = client.containers.create(image_id)
    try:
        lines = sorted(_lines(_Stream(container.export(chunk_size=1 << 20))))
    finally:
        container.remove(force=True)
    kept = {key: settings.get(key) for key in ("User", "Env", "Entrypoint", "Cmd", "WorkingDir", "Volumes")}
    return hashlib.sha256("\n".join([*lines, canonical_json(kept)]).encode()).hexdigest()


def _lines(stream: "_Stream") -> Iterator[str]:
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
        for item in archive:
            path = item.name.removeprefix("./").strip("/")
            if any(path == own or path.startswith(own + "/") for own in (*OWN, *ENGINES_OWN)):
                continue
            file = archive.extractfile(item) if item.isreg() else None
            content = hashlib.sha256(file.read()).hexdigest() if file else ""
            yield canonical_json([path, item.type.decode(), item.mode, item.uid, item.gid, item.linkname, content])


class _Stream:
    """The chunks of an export as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        while len(self._rest) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
