"""A model of which one block exists at a time has the bits of the whole one in memory."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from repro.diagnose.capture import TOKENS_PER_BATCH, Reading, capture, full_precision
from repro.diagnose.walk import Walked, passes_over, walk
from repro.errors import SetupError
from repro.files import write_json
from repro.manifest.load import load_models
from repro.manifest.model import Model
from repro.manifest.training import Quantisation, Training
from repro.plan.weight_files import _WEIGHTS, EMBEDDINGS, INDEX, OUTPUT, read_tensors
from repro.train.model import load_base, load_skeleton, load_tokenizer, without_dropout
from repro.train.texts import python_topics, standard_library
from repro.train.weights import materialise

TEXTS = [
    text[: 30 + 333 * index]
    for index, text in enumerate(standard_library()[:6] + python_topics()[:6])
]
ALL = [
    Reading(layer=layer, pooling=pooling)
    for layer in ("post_norm", "pre_norm")
    for pooling in ("mean", "last_token")
]
SMOKE = ("tiny-qwen2", "tiny-llama", "tiny-mistral")
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A model's folder: its architecture, tied or not, its numbers' format, in shards or not."""
    made: dict[tuple[Any, ...], Path] = {}

    def folder(
        name: str, tied: bool = False, stored: torch.dtype = torch.float32, shards: int = 1
    ) -> Path:
        key = (name, tied, stored, shards)
        if key not in made:
            path = tmp_path_factory.mktemp("walk") / "model"
            model = load_models()[name]
            shape = model.architecture.model_copy(update={"tied": tied, "layers": 3})
            materialise(
                Model(id=name, title=name, weights=model.weights, architecture=shape), None, path
            )
            rewrite(path, stored, shards)
            made[key] = path
        return made[key]

    return folder


def rewrite(path: Path, stored: torch.dtype, shards: int) -> None:
    """Store weights in another format, and in shards that cut across blocks.

    Norms and biases, which are drawn as ones and zeros, are given numbers that show.
    """
    drawn = torch.Generator().manual_seed(5)
    weights = {
        name: (value + 0.1 * torch.randn(value.shape, generator=drawn)).to(stored)
        for name, value in load_file(path / _WEIGHTS).items()
    }
    if shards == 1:
        save_file(weights, path / _WEIGHTS, {"format": "pt"})
        return
    (path / _WEIGHTS).unlink()
    named = {name: f"part-{at % shards}.safetensors" for at, name in enumerate(sorted(weights))}
    for file in sorted(set(named.values())):
        inside = {name: value for name, value in weights.items() if named[name] == file}
        save_file(inside, path / file, {"format": "pt"})
    write_json(path / INDEX, {"metadata": {}, "weight_map": named})


def protocol(kind: str, compute: str = "bfloat16") -> Training:
    """A protocol with weights in 4 bits, singly or doubly quantised, or in none."""
    quantised = {
        "none": Quantisation(format="none"),
        "nf4": Quantisation(format="nf4", double=True),
        "nf4 once": Quantisation(format="nf4", double=False),
    }
    return Training(quantisation=quantised[kind], compute=compute, gradient_checkpointing=False)


def walked(path: Path, training: Training, texts: list[str], state: Path) -> Walked:
    """The model after a walk over these texts."""
    passes = passes_over(load_tokenizer(path), texts)
    skeleton = load_skeleton(path, training)
    return walk(skeleton, read_tensors(path, "here"), passes, state, lambda *_: None)


def assert_same(path: Path, training: Training, texts: list[str], state: Path) -> None:
    """Compare a walk with the whole model, in every reading."""
    tokenizer = load_tokenizer(path)
    ours = capture(walked(path, training, texts, state), tokenizer, texts, ALL)
    whole = capture(load_base(path, training), tokenizer, texts, ALL)
    for reading in ALL:
        assert np.array_equal(ours[reading], whole[reading]), reading


@pytest.mark.parametrize("name", SMOKE)
@pytest.mark.parametrize("kind", ["none", "nf4", "nf4 once"])
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
def test_a_walk_has_the_bits_of_the_whole_model(
    make: Make, tmp_path: Path, name: str, kind: str, stored: torch.dtype
) -> None:
    for shards, tied in ((1, False), (3, True)):
        path = make(name, tied, stored, shards)
        assert_same(path, protocol(kind), TEXTS, tmp_path / f"{shards}.safetensors")


@pytest.mark.parametrize("compute", ["bfloat16", "float32"])
@pytest.mark.parametrize(("shards", "tied"), [(1, True), (2, False)])
def test_whatever_the_precision_of_products_the_files_and_the_embeddings(
    make: Make, tmp_path: Path, compute: str, shards: int, tied: bool
) -> None:
    path = make("tiny-qwen2", tied, torch.bfloat16, shards)
    assert_same(path, protocol("nf4", compute), TEXTS, tmp_path / "state.safetensors")


def test_a_tied_embedding_may_lie_under_the_outputs_name(make: Make, tmp_path: Path) -> None:
    path = shutil.copytree(make("tiny-qwen2", True), tmp_path / "model")
    weights = load_file(path / _WEIGHTS)
    weights[OUTPUT] = weights.pop(EMBEDDINGS)
    save_file(weights, path / _WEIGHTS, {"format": "pt"})
    assert_same(path, protocol("nf4"), TEXTS[:4], tmp_path / "state.safetensors")


@pytest.mark.parametrize("name", SMOKE)
@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_padding_on_any_side(make: Make, tmp_path: Path, name: str, side: str) -> None:
    """Hidden states of every token, also where a model slides its attention's window."""
    path, training = make(name), protocol("nf4")
    ids = torch.randint(1, 1000, (3, 40), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    if side in ("left", "both"):
        mask[0, :11] = 0
    if side in ("right", "both"):
        mask[1, 29:] = 0
    passes = [(ids, mask), (ids[:, :7], torch.ones(3, 7, dtype=torch.long))]
    files, state = read_tensors(path, "here"), tmp_path / "state.safetensors"
    ours = walk(load_skeleton(path, training), files, passes, state, lambda *_: None)
    whole = load_base(path, training)
    for each in passes:
        assert torch.equal(last(ours, *each), last(whole.get_decoder(), *each))
    assert not torch.equal(
        last(whole.get_decoder(), ids, mask), last(whole.get_decoder(), ids, torch.ones_like(ids))
    )


@torch.no_grad()
def last(decoder: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """The last hidden states of a decoder."""
    with without_dropout(decoder), full_precision(decoder):
        found: Tensor = decoder(
            input_ids=ids, attention_mask=mask, use_cache=False
        ).last_hidden_state
    return found


def test_a_walk_that_was_stopped_goes_on_at_the_next_block(make: Make, tmp_path: Path) -> None:
    """After every block; what it kept is of these passes alone, and a torn file counts for
    nothing.
    """
    path, training, state = make("tiny-llama"), protocol("nf4"), tmp_path / "state.safetensors"
    tokenizer = load_tokenizer(path)
    passes = passes_over(tokenizer, TEXTS)
    files = read_tensors(path, "here")
    for stop in (1, 2):
        seen: list[int] = []

        def show(done: int, _: int, seen: list[int] = seen, stop: int = stop) -> None:
            seen.append(done)
            if done == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            walk(load_skeleton(path, training), files, passes, state, show)
        assert int(load_file(state)["blocks"]) == stop
    begun: list[int] = []
    ours = walk(
        load_skeleton(path, training), files, passes, state, lambda done, _: begun.append(done)
    )
    assert begun == [2, 3]
    whole = load_base(path, training).get_decoder()
    assert all(torch.equal(last(ours, *each), last(whole, *each)) for each in passes)
    for spoil in (lambda: state.write_bytes(state.read_bytes()[:-9]), lambda: None):
        spoil()
        other = passes_over(tokenizer, TEXTS[:3])
        again = walk(load_skeleton(path, training), files, other, state, lambda *_: None)
        assert all(torch.equal(last(again, *each), last(whole, *each)) for each in other)


def test_weights_are_there_one_block_at_a_time(make: Make, tmp_path: Path) -> None:
    """While a block works every other is empty, and afterwards all are."""
    path = make("tiny-qwen2")
    skeleton = load_skeleton(path, protocol("none"))
    blocks: Any = skeleton.get_decoder().layers
    there: list[list[int]] = []

    def note(*_: Any) -> None:
        there.append(
            [at for at, block in enumerate(blocks) if not next(block.parameters()).is_meta]
        )

    for block in blocks:
        block.self_attn.register_forward_pre_hook(note)
    passes = passes_over(load_tokenizer(path), TEXTS[:2])
    files = read_tensors(path, "here")
    walk(skeleton, files, passes, tmp_path / "state.safetensors", lambda *_: None)
    assert [*dict.fromkeys(map(tuple, there))] == [(0,), (1,), (2,)]
    assert all(value.is_meta for value in blocks.parameters())


def test_a_folder_without_all_weights_is_refused_before_the_walk(
    make: Make, tmp_path: Path
) -> None:
    path = shutil.copytree(make("tiny-llama"), tmp_path / "model")
    weights = load_file(path / _WEIGHTS)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, path / _WEIGHTS, {"format": "pt"})
    with pytest.raises(SetupError, match="drawn at random"):
        load_skeleton(path, protocol("nf4"))


def test_plans_count_the_passes_and_slices_that_are_made() -> None:
    from repro.cost import walked as planned

    assert planned.PASS == TOKENS_PER_BATCH
