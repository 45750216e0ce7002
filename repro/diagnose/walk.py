"""Carry probes through a model of which one block exists at a time (docs/large_models.md).

The weights are read from the model's files block by block, quantised where the protocol says so,
serve every forward pass, and are dropped: memory holds a block, not the model. What a block is
given (masks, positions, rotary embedding) is what the model's own decoder gives it, recorded, so
the activations are those of the whole model in memory, bit for bit. B sequences of a pass, T tokens
of the longest, H width.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from bitsandbytes.nn import Params4bit  # type: ignore[attr-defined]  # re-exported without saying so
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.integrations.bitsandbytes import Bnb4bitQuantize
from transformers.modeling_outputs import BaseModelOutput

from repro.cost.walked import ROWS
from repro.diagnose.capture import batches, full_precision
from repro.files import write_bytes
from repro.plan.safetensors_header import Tensor as Stored
from repro.plan.weight_files import EMBEDDINGS, OUTPUT
from repro.train.model import without_dropout

Pass = tuple[Tensor, Tensor]
"""Ids and mask of one forward pass, each B×T."""
Files = Mapping[str, Stored]
"""Where each weight lies, by its name in the model."""
Waiting = Callable[[Iterable[Path]], AbstractContextManager[None]]
"""What makes sure that files are there while they are read."""


def no_waiting(_: Iterable[Path]) -> AbstractContextManager[None]:
    """Wait for nothing: all of the model is there."""
    return nullcontext()


class Walked(nn.Module):
    """What is left of a model after a walk: its last hidden states, and the norm behind them.

    It answers the very passes that were walked, as the model would.
    """

    def __init__(self, norm: nn.Module, states: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.norm, self._states = norm, states

    def get_decoder(self) -> "Walked":
        """Return what gives hidden states: itself."""
        return self

    def get_output_embeddings(self) -> None:
        """Return nothing: a walk reads no output embedding."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> BaseModelOutput:
        """Return the normed hidden states (B×T×H) of a pass."""
        return BaseModelOutput(self.norm(self._states[_name(input_ids, attention_mask)]))


@torch.no_grad()
def walk(
    skeleton: PreTrainedModel,
    files: Files,
    passes: Sequence[Pass],
    state: Path,
    show: Callable[[int, int], None],
    waiting: Waiting = no_waiting,
) -> Walked:
    """Carry passes through a model whose weights are on the meta device; return what is left.

    `state` is the file that keeps the hidden states after each block; a walk that was killed goes
    on from it. `show` is told how many blocks are behind, and of how many.
    """
    decoder: Any = skeleton.get_decoder()
    blocks = list(decoder.layers)
    prefix = _prefix(skeleton, decoder)
    with without_dropout(skeleton), full_precision(skeleton):
        rows = _rows(state, files, passes, waiting)
        hidden, given = _given(decoder, rows, passes)
        done, hidden = _kept(state, hidden)
        for at, block in enumerate(blocks[done:], done):
            show(at, len(blocks))
            with _weights(skeleton, block, f"{prefix}layers.{at}.", files, waiting):
                hidden = [
                    block(states, **what[at]) for states, what in zip(hidden, given, strict=True)
                ]
            write_bytes(state, save({**_named(at + 1, hidden), **rows.named()}))
    show(len(blocks), len(blocks))
    for name, value in _read(skeleton, decoder.norm, f"{prefix}norm.", files, waiting):
        _put(decoder.norm, name, value)
    return Walked(
        decoder.norm, {_name(*item): states for item, states in zip(passes, hidden, strict=True)}
    )


def passes_over(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[Pass]:
    """Return the passes in which texts are captured."""
    return [(ids, mask) for _, ids, mask, _ in batches(tokenizer, texts, torch.device("cpu"))]


class _Rows(nn.Module):
    """The rows of an embedding that some tokens need."""

    def __init__(self, ids: Tensor, rows: Tensor) -> None:
        super().__init__()
        self.ids, self.weight = ids, nn.Parameter(rows, requires_grad=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the embeddings (B×T×H) of B×T ids."""
        return nn.functional.embedding(torch.searchsorted(self.ids, ids.contiguous()), self.weight)

    def named(self) -> dict[str, Tensor]:
        """Return it as the file keeps it: a walk that goes on needs no embedding's file."""
        return {"ids": self.ids, "rows": self.weight}


def _rows(state: Path, files: Files, passes: Sequence[Pass], waiting: Waiting) -> _Rows:
    """Return the rows of the input embedding that the passes read: those kept, else the file's."""
    ids = torch.cat([ids.flatten() for ids, _ in passes]).unique()
    found = _found(state)
    if "rows" in found and torch.equal(found.get("ids", ids[:0]), ids):
        return _Rows(ids, found["rows"])
    return _embedding(files, ids, waiting)


def _embedding(files: Files, ids: Tensor, waiting: Waiting) -> _Rows:
    """Return the rows of some tokens, found slice by slice."""
    name = EMBEDDINGS if EMBEDDINGS in files else OUTPUT  # a tied one may lie under either name
    found = []
    path = files[name].file
    with waiting([path]), safe_open(path, framework="pt") as file:
        matrix = file.get_slice(name)
        for start in range(0, int(ids.max()) + 1, ROWS):
            wanted = ids[(ids >= start) & (ids < start + ROWS)]
            if len(wanted):
                found.append(matrix[start : start + ROWS][wanted - start].float())
    return _Rows(ids, torch.cat(found))


def _given(
    decoder: Any, embedding: nn.Module, passes: Sequence[Pass]
) -> tuple[list[Tensor], list[list[dict[str, Any]]]]:
    """Return what enters the first block (B×T×H) in each pass, and what else each block is given.

    The decoder itself says so: it runs with blocks that only write down what they get.
    """
    entering, given = [], []
    before, decoder.embed_tokens = decoder.embed_tokens, embedding
    try:
        for ids, mask in passes:
            notes: list[dict[str, Any]] = []
            first: list[Tensor] = []

            def note(
                hidden_BTH: Tensor, _notes: Any = notes, _first: Any = first, **what: Any
            ) -> Tensor:
                _first.append(hidden_BTH)
                _notes.append(what)
                return hidden_BTH

            with _forwards(decoder.layers, note), _forwards([decoder.norm], _same):
                decoder(input_ids=ids, attention_mask=mask, use_cache=False)
            entering.append(first[0])
            given.append(notes)
    finally:
        decoder.embed_tokens = before
    return entering, given


def _same(hidden_BTH: Tensor) -> Tensor:
    return hidden_BTH


@contextmanager
def _forwards(blocks: Sequence[nn.Module], forward: Callable[..., Tensor]) -> Iterator[None]:
    """Let blocks do something else when they are called."""
    with ExitStack() as stack:
        for block in blocks:
            block.forward = forward
            stack.callback(delattr, block, "forward")
        yield


@contextmanager
def _weights(
    skeleton: PreTrainedModel, block: nn.Module, prefix: str, files: Files, waiting: Waiting
) -> Iterator[None]:
    """Give a block its weights, and take them away again."""
    places = {name: block.get_parameter(name) for name, _ in block.named_parameters()}
    try:
        for name, value in _read(skeleton, block, prefix, files, waiting):
            _put(block, name, value)
        yield
    finally:
        for name, empty in places.items():
            _put(block, name, empty)


def _read(
    skeleton: PreTrainedModel, part: nn.Module, prefix: str, files: Files, waiting: Waiting
) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the parameters of a part from the files: in float32, or in 4 bits where it says so.

    The files are mapped while they are read, and no longer.
    """
    names = [name for name, _ in part.named_parameters()]
    paths = sorted({files[prefix + name].file for name in names})
    with waiting(paths), ExitStack() as stack:
        opened = {path: stack.enter_context(safe_open(path, framework="pt")) for path in paths}
        for name in names:
            where = files[prefix + name].file
            value = opened[where].get_tensor(prefix + name).to(torch.float32)
            if isinstance(part.get_parameter(name), Params4bit):
                yield name, _quantised(skeleton, prefix + name, value)
            else:
                yield name, nn.Parameter(value, requires_grad=False)


def _quantised(skeleton: PreTrainedModel, name: str, value: Tensor) -> nn.Parameter:
    """Return a weight in 4 bits, by the operation with which transformers loads one."""
    made: dict[str, Any] = Bnb4bitQuantize(None).convert({name: [value]}, model=skeleton)
    parameter: nn.Parameter = made[name]
    return parameter


def _put(block: nn.Module, name: str, value: nn.Parameter) -> None:
    """Set a parameter by its dotted name."""
    path, _, last = name.rpartition(".")
    setattr(block.get_submodule(path), last, value)


def _prefix(skeleton: nn.Module, decoder: nn.Module) -> str:
    """Return what the names of a decoder's weights begin with in the whole model."""
    return next(f"{name}." for name, module in skeleton.named_modules() if module is decoder)


def _kept(state: Path, entering: list[Tensor]) -> tuple[int, list[Tensor]]:
    """Return how many blocks are behind, and the hidden states after them.

    A file that a killed walk did not leave whole, or of other passes, counts for nothing.
    """
    found = {name: value for name, value in _found(state).items() if name not in ("ids", "rows")}
    names = _named(0, entering)
    if {name: value.shape for name, value in found.items()} != {
        name: value.shape for name, value in names.items()
    }:
        return 0, entering
    done = int(found.pop("blocks"))
    return done, [found[name] for name in names if name != "blocks"]


def _found(state: Path) -> dict[str, Tensor]:
    """Return what a killed walk left; nothing where it left no whole file."""
    try:
        return load_file(state)
    except (OSError, SafetensorError):
        return {}


def _named(blocks: int, hidden: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return hidden states as the file keeps them."""
    named = {f"{number:06d}": states for number, states in enumerate(hidden)}
    return {**named, "blocks": torch.tensor(blocks)}


def _name(ids: Tensor, mask: Tensor) -> str:
    """Return the name of a pass: a digest of its ids and its mask."""
    content = torch.stack([ids, mask]).contiguous().cpu().numpy()
    return hashlib.sha256(str(content.shape).encode() + content.tobytes()).hexdigest()
