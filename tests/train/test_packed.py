"""Sequences packed end to end: laid out as said, each attending to itself alone, and with the
losses and gradients of one sequence at a time.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from repro.fetch.models import fetch_models
from repro.manifest.adapters import BlockDiagonal, Full, Lora
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.train.adapters.block_diagonal import Group
from repro.train.adapters.place import adapt
from repro.train.batches import pad
from repro.train.heldout import heldout_losses
from repro.train.loop import accumulate
from repro.train.model import load_base, trainable
from repro.train.packed import attend, by_kernel, pack

LENGTHS = (37, 12, 40, 40, 5, 1, 22, 40, 33, 2)
"""Of one step: some alike, one without a predicted token."""


@pytest.fixture(scope="module")
def tiny(cache: Path) -> dict[str, Path]:
    """Folders of tiny random models, by family."""
    models = {name: load_models()[f"tiny-{name}"] for name in ("llama", "qwen2", "mistral")}
    fetch_models(list(models.values()), cache, print)
    return {name: cache / "models" / model.folder for name, model in models.items()}


def protocol(**changes: Any) -> Training:
    """One sequence at a time, without dropout, in float32."""
    given: dict[str, Any] = {
        "lora": Lora(rank=8, alpha=16, dropout=0.0),
        "compute": "float32",
        "gradient_checkpointing": False,
        "tokens_per_forward": 1,
    }
    return Training(**{**given, **changes})


def packed(training: Training, tokens: int = 128) -> Training:
    """The same protocol, packed."""
    return training.model_copy(update={"packing": "packed", "tokens_per_forward": tokens})


def sequences() -> list[list[int]]:
    """Ids of one step's sequences, each its own."""
    drawn = torch.Generator().manual_seed(3)
    return [torch.randint(5, 300, (n,), generator=drawn).tolist() for n in LENGTHS]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any))
def test_a_row_holds_every_sequence_with_its_own_positions(lengths: list[int]) -> None:
    rows = [[100 * row + place for place in range(n)] for row, n in enumerate(lengths)]
    found, inputs = pack(rows), pack(rows).inputs(torch.device("cpu"))
    assert inputs["input_ids"].tolist() == [[token for row in rows for token in row]]
    assert inputs["position_ids"].tolist() == [[place for n in lengths for place in range(n)]]
    assert found.lengths == tuple(n for n in lengths if n)
    assert inputs["bounds"].tolist() == [
        sum(found.lengths[:n]) for n in range(len(found.lengths) + 1)
    ]
    expected = [token for row in rows for token in row[1:]]
    assert found.ids[:, 1:][found.predicted].tolist() == expected
    assert found.targets == len(expected) == int(found.targets_of_each.sum())


def alone(q: Tensor, k: Tensor, v: Tensor, scale: float, window: int | None) -> Tensor:
    """Attention of one sequence and one head by its definition, in float64."""
    n = len(q)
    scores = q.double() @ k.double().T * scale
    behind = torch.arange(n)[:, None] - torch.arange(n)[None]
    seen = (behind >= 0) & (behind < (window or n))
    return scores.masked_fill(~seen, -math.inf).softmax(-1) @ v.double()


@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=6),
    st.sampled_from([(1, 1), (4, 2), (6, 2)]),
    st.sampled_from([None, 1, 3, 20]),
)
def test_each_sequence_attends_to_itself_alone(
    lengths: list[int], heads: tuple[int, int], window: int | None
) -> None:
    """Queries share keys in groups of heads; a sliding window sees so many tokens, itself too."""
    total, drawn = sum(lengths), torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(1, n, total, 8, generator=drawn) for n in (heads[0], heads[1], heads[1]))
    inputs = pack([[0] * n for n in lengths]).inputs(torch.device("cpu"))
    found, _ = attend(
        nn.Module(), q, k, v, None, scaling=0.3, sliding_window=window,
        lengths=inputs["lengths"], bounds=inputs["bounds"],
    )  # fmt: skip
    assert found.shape == (1, total, heads[0], 8)
    ends = inputs["bounds"].tolist()
    for begin, end in pairwise(ends):
        for head in range(heads[0]):
            shared = head * heads[1] // heads[0]
            cut = q[0, head, begin:end], k[0, shared, begin:end], v[0, shared, begin:end]
            expected = alone(*cut, 0.3, window)
            assert torch.allclose(found[0, begin:end, head].double(), expected, atol=1e-5)


def test_the_kernel_of_cards_takes_what_it_is_given() -> None:
    """By its declaration, on the meta device: no processor computes it."""
    lengths = (5, 3, 3)
    row = [
        torch.empty(1, 11, heads, 16, dtype=torch.bfloat16, device="meta") for heads in (4, 2, 2)
    ]
    bounds = torch.empty(4, dtype=torch.int32, device="meta")
    assert by_kernel(row, lengths, bounds, 0.25, 4).shape == (1, 11, 4, 16)


def perturbed(model: nn.Module) -> nn.Module:
    """B starts at zero, which would hide A's gradient."""
    drawn = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in trainable(model).values():
            value += 0.02 * torch.randn(value.shape, generator=drawn)
    return model


def gradients(
    model: nn.Module, rows: Sequence[Sequence[int]], training: Training
) -> dict[str, Tensor]:
    """The loss of one step, and every gradient."""
    model.zero_grad(set_to_none=True)
    loss, _ = accumulate(model, rows, training)
    found = {name: value.grad for name, value in trainable(model).items()}
    return {"loss": torch.tensor(loss), **{n: g.clone() for n, g in found.items() if g is not None}}


def apart(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Largest relative difference in norm."""
    assert found.keys() == expected.keys()
    return max(
        float((found[name] - value).norm() / value.norm()) for name, value in expected.items()
    )


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral"])
@pytest.mark.parametrize("tokens", [64, 4096])
def test_the_gradient_is_that_of_one_sequence_at_a_time(
    family: str, tokens: int, tiny: dict[str, Path]
) -> None:
    """In every family of models; Mistral's with a sliding window shorter than most sequences."""
    training = protocol(loss_normalisation="sequences" if tokens == 64 else "tokens")
    base = load_base(tiny[family], training)
    if family == "mistral":
        base.config.sliding_window = 9
    model, rows = perturbed(adapt(base, training, 0)), sequences()
    expected = gradients(model, rows, training)
    found = gradients(model, rows, packed(training, tokens))
    assert len(found) > 14
    assert apart(found, expected) < 1e-5
    joined = gradients(model, [[token for row in rows for token in row]], packed(training, tokens))
    assert apart(joined, expected) > 1e-2, "a control: sequences that see each other differ"


def test_so_it_is_with_checkpointing_and_whatever_is_trained(tiny_llama: Path) -> None:
    rows = sequences()
    group = Group(("all",), torch.eye(64)[:, :4])
    plain = {"quantisation": {"format": "none", "double": False}}
    for changes, groups in (
        ({"gradient_checkpointing": True}, ()),
        ({"gradient_checkpointing": True, "adapter": Full(), **plain}, ()),
        ({"adapter": BlockDiagonal(grouping="aligned", rank=4, dropout=0.0)}, (group,)),
    ):
        training = protocol(**changes)
        model = perturbed(adapt(load_base(tiny_llama, training), training, 0, groups))
        found = gradients(model, rows, packed(training))
        assert apart(found, gradients(model, rows, training)) < 1e-5, changes


def test_in_bfloat16_it_is_as_near_to_one_at_a_time_as_a_padded_pass(tiny_llama: Path) -> None:
    """Within 1 % here, and the same bits twice."""
    half, rows = protocol(compute="bfloat16"), sequences()
    wide = half.model_copy(update={"tokens_per_forward": 128})
    model = perturbed(adapt(load_base(tiny_llama, half), half, 0))
    single, padded, found = (gradients(model, rows, way) for way in (half, wide, packed(half)))
    assert apart(found, single) < min(0.01, 2 * apart(padded, single))
    again = gradients(model, rows, packed(half))
    assert all(torch.equal(again[name], value) for name, value in found.items())


def test_held_out_losses_are_those_of_padded_texts(tiny_llama: Path) -> None:
    training = protocol()
    model = load_base(tiny_llama, training)
    held = {"code": sequences(), "math": sequences()[:3]}
    expected, found = (
        [row.value for row in heldout_losses(model, held, way, 0)]
        for way in (training, packed(training))
    )
    assert found == pytest.approx(expected, rel=1e-6)
    assert model.config._attn_implementation == "sdpa", "as captures need it"
    one = pad(sequences()[:1])
    assert one.targets == pack(sequences()[:1]).targets
