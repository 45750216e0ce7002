"""Bring a hub's model shard by shard while it is measured, and drop each shard that was read.

The folder of a streamed model looks whole to the worker: its small files are there, and in the
place of each shard lies an empty file with the shard's header and size, which takes no disk. The
worker says which shards it reads (wanted.json); these and the next one are fetched, each compared
with the digest that the hub publishes before the worker is told of it (arrived.json), all others
are emptied again. So the disk holds two shards, the one being read and the one being fetched.
"""

import json
import os
import re
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.cache import ARRIVED_FILE, IDENTITY, WANTED_FILE, record_as_ours, streamed_folder
from repro.errors import SetupError, first_line
from repro.fetch.hub import check_free, listed, said_plainly, verified
from repro.files import write_json
from repro.manifest.model import HubWeights, Model
from repro.plan.safetensors_header import read_header
from repro.plan.weight_files import EMBEDDINGS, OUTPUT, check_weights, read_tensors

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

_POLL = 0.1  # seconds
_BLOCK = re.compile(r"model\.layers\.(\d+)\.")
_INCOMING = ".incoming"


@dataclass
class Stream:
    """The shards of one model on their way through this disk."""

    model: Model
    weights: HubWeights
    folder: Path
    shards: dict[str, "RepoSibling"]
    """By name, in the order in which a walk reads them, without those that it never reads."""
    here: dict[str, int] = field(default_factory=dict)
    """Those that are whole, each with the number of its arrival."""
    arrivals: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    problem: str = ""
    """What keeps the next shard from coming. The worker would wait for it for ever."""

    def feed(self) -> None:
        """Keep bringing what is read and what comes next, until told to end or something fails."""
        try:
            while not self.ended.wait(_POLL):
                wanted = self._wanted()
                for name in [*wanted, *self._next(wanted)]:
                    if name not in self.here:
                        self._keep({*wanted, name})
                        self._bring(name)
                        break  # what is wanted may have changed meanwhile
        except SetupError as error:
            self.problem = str(error)
        except Exception as error:  # whatever it is, nothing comes any more
            self.problem = f"{self.where}: could not be streamed ({first_line(error)})"

    def close(self, finished: bool) -> None:
        """End feeding; remove the folder of a model that was measured to its end."""
        self.ended.set()
        if finished:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def where(self) -> str:
        """Return what messages begin with."""
        return _where(self.model, self.weights)

    def _wanted(self) -> list[str]:
        """Return the shards that the worker reads or waits for; none before it has asked."""
        try:
            names: Any = json.loads((self.folder / WANTED_FILE).read_bytes())
        except (OSError, ValueError):
            return []
        return [name for name in names if name in self.shards]

    def _next(self, wanted: list[str]) -> list[str]:
        """Return the shard behind those."""
        order = list(self.shards)
        last = max((order.index(name) for name in wanted), default=len(order))
        return order[last + 1 : last + 2]

    def _bring(self, name: str) -> None:
        """Fetch a shard, compare its digest, and put it in the place of the empty file."""
        from huggingface_hub import hf_hub_download

        incoming = self.folder / _INCOMING
        check_free([self.shards[name]], incoming, self.where)
        with said_plainly(self.where):
            hf_hub_download(
                self.weights.repository, name, revision=self.weights.revision, local_dir=incoming
            )
        verified(incoming, self.shards[name], self.where)
        said = {at: (one.dtype, one.shape) for at, one in self._header(self.folder / name).items()}
        came = {at: (one.dtype, one.shape) for at, one in self._header(incoming / name).items()}
        if said != came:
            raise SetupError(f"{self.where}: {name} has other tensors than the hub said before")
        os.replace(incoming / name, self.folder / name)
        self.arrivals += 1
        self.here[name] = self.arrivals
        self.tell()

    def _header(self, path: Path) -> dict[str, Any]:
        return {**read_header(path, self.where)}

    def _keep(self, names: set[str]) -> None:
        """Empty the shards that are whole and not among these; the worker is told before."""
        gone = [name for name in self.here if name not in names]
        for name in gone:
            del self.here[name]
        self.tell()
        for name in gone:
            empty(self.folder / name)

    def tell(self) -> None:
        """Tell the worker what is whole."""
        write_json(self.folder / ARRIVED_FILE, self.here)


def open_stream(model: Model, cache: Path) -> Stream:
    """Bring a model's small files and its shards' headers; return what feeds the shards.

    One that was killed goes on: a shard that came before is compared again and kept. Raises
    SetupError.
    """
    from huggingface_hub.utils.tqdm import disable_progress_bars

    assert isinstance(model.weights, HubWeights)
    disable_progress_bars()  # the run's own progress is on the screen
    weights, folder = model.weights, streamed_folder(cache, model.folder)
    where = _where(model, weights)
    record_as_ours(cache, [folder])
    with said_plainly(where):
        files = {file.rfilename: file for file in listed(weights, where)}
        shards = {name: file for name, file in files.items() if name.endswith(".safetensors")}
        if unknown := sorted(name for name, file in shards.items() if not file.lfs):
            raise SetupError(
                f"{where}: the hub publishes no sha256 of {unknown[0]}; fetch it whole"
            )
        _bring_small(weights, folder, [name for name in files if name not in shards])
        digests = {
            name: verified(folder, file, where)
            for name, file in files.items()
            if name not in shards
        }
        for name in shards:
            _place(weights, folder / name)
    published = {name: str(file.lfs.sha256) for name, file in shards.items() if file.lfs}
    write_json(
        folder / IDENTITY,
        {"model": model.model_dump(mode="json"), "files": {**digests, **published}},
    )
    _check(model, folder, where)
    stream = Stream(model, weights, folder, {name: shards[name] for name in _order(folder, where)})
    for name in _came_before(folder):
        if name in stream.shards:
            verified(folder, shards[name], where)
            stream.arrivals += 1
            stream.here[name] = stream.arrivals
    for name in shards.keys() - stream.here.keys():
        empty(folder / name)
    (folder / WANTED_FILE).unlink(missing_ok=True)
    stream.tell()
    return stream


def empty(path: Path) -> None:
    """Let a shard keep its header and its size, and give the disk of its numbers back."""
    beside, size = path.with_name(f".{path.name}.empty"), path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        file.seek(0)
        head = file.read(8 + length)
    _sparse(beside, head, size)
    os.replace(beside, path)


def _sparse(path: Path, head: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def _place(weights: HubWeights, path: Path) -> None:
    """Put an empty file in the place of a shard, with its header as the hub says it."""
    from huggingface_hub import HfApi

    if path.exists():
        return
    said = HfApi().parse_safetensors_file_metadata(
        weights.repository, path.name, revision=weights.revision
    )
    header = {
        name: {"dtype": one.dtype, "shape": one.shape, "data_offsets": list(one.data_offsets)}
        for name, one in said.tensors.items()
    }
    head = json.dumps(header).encode()
    end = max((one.data_offsets[1] for one in said.tensors.values()), default=0)
    _sparse(path, len(head).to_bytes(8, "little") + head, 8 + len(head) + end)


def _bring_small(weights: HubWeights, folder: Path, names: list[str]) -> None:
    """Fetch the files beside the shards."""
    from huggingface_hub import snapshot_download

    snapshot_download(
        weights.repository, revision=weights.revision, local_dir=folder, allow_patterns=names
    )
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _check(model: Model, folder: Path, where: str) -> None:
    """Compare the headers with the architecture. Raises SetupError."""
    tensors = read_tensors(folder, where)
    if model.architecture.tied and {EMBEDDINGS, OUTPUT} <= tensors.keys():
        raise SetupError(
            f"{where}: holds two matrices of embeddings though models.yaml says tied: true; whether "
            "they are equal shows only in the whole model: fetch it without --stream"
        )
    check_weights(folder, model)


def _order(folder: Path, where: str) -> list[str]:
    """Return the shards that a walk reads, in the order in which it first needs each."""
    first: dict[str, int] = {}
    tensors = read_tensors(folder, where)
    embeddings = EMBEDDINGS if EMBEDDINGS in tensors else OUTPUT
    for name, tensor in tensors.items():
        if (at := _place_in_walk(name, embeddings)) is not None:
            shard = tensor.file.name
            first[shard] = min(at, first.get(shard, at))
    return sorted(first, key=lambda shard: first[shard])


def _place_in_walk(name: str, embeddings: str) -> int | None:
    """Return when a walk reads a tensor: embeddings, blocks, norm; None for one it never reads."""
    if name == embeddings:
        return -1
    if found := _BLOCK.match(name):
        return int(found[1])
    return 1 << 30 if name == "model.norm.weight" else None


def _came_before(folder: Path) -> list[str]:
    """Return the shards that an earlier attempt said were whole."""
    try:
        return list(json.loads((folder / ARRIVED_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return []


def _where(model: Model, weights: HubWeights) -> str:
    return f"model {model.id} ({weights.repository}@{weights.revision[:12]})"
