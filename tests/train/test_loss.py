"""Chunked cross-entropy against torch's own over whole logits, and passes without a padding mask
against those with one.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

import repro.train.loss as loss_module
from repro.manifest.adapters import Full, Lora
from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.batches import Batch, pad, tokenise
from repro.train.loss import HeadLoss, chunks, step_weight, token_losses, weighted_loss
from repro.train.model import load_base, load_tokenizer, trainable
from repro.train.texts import standard_library

ROWS, WIDTH, WORDS = 23, 16, 31


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows in a chunk: the last one is not full."""
    monkeypatch.setattr(loss_module, "LOGITS", 5 * WORDS)


def problem() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Hidden states, output embedding, targets, weights."""
    torch.manual_seed(0)
    hidden, head = torch.randn(ROWS, WIDTH), torch.randn(WORDS, WIDTH)
    return (
        hidden.requires_grad_(),
        head.requires_grad_(),
        torch.randint(WORDS, (ROWS,)),
        torch.rand(ROWS),
    )


@pytest.mark.usefixtures("small_chunks")
def test_loss_and_gradients_in_chunks_are_those_of_whole_logits() -> None:
    hidden, head, targets, weights = problem()
    expected = (cross_entropy(hidden @ head.T, targets, reduction="none") * weights).sum()
    expected_gradients = torch.autograd.grad(3 * expected, (hidden, head))
    found = HeadLoss.apply(hidden, head, targets, weights, torch.float32)  # type: ignore[no-untyped-call]
    gradients = torch.autograd.grad(3 * found, (hidden, head))
    assert float(found) == pytest.approx(float(expected), rel=1e-6)
    for mine, theirs in zip(gradients, expected_gradients, strict=True):
        assert float((mine - theirs).norm() / theirs.norm()) < 1e-6
    wrong = (cross_entropy(hidden @ head.T, targets, reduction="none")).sum()
    assert float(wrong) != pytest.approx(float(expected), rel=1e-2), (
        "a positive control: the weights count"
    )


@pytest.mark.usefixtures("small_chunks")
def test_no_more_logits_exist_at_once_than_the_bound() -> None:
    hidden, head, _, _ = problem()
    parts = [
        (rows, logits.shape)
        for rows, logits, _ in chunks(hidden.detach(), head.detach(), torch.float32)
    ]
    assert [len(range(ROWS)[rows]) for rows, _ in parts] == [5, 5, 5, 5, 3]
    assert all(shape[0] * shape[1] <= 5 * WORDS for _, shape in parts)


@pytest.mark.usefixtures("small_chunks")
def test_a_frozen_embedding_gets_no_gradient() -> None:
    hidden, head, targets, weights = problem()
    found = HeadLoss.apply(hidden, head.detach(), targets, weights, torch.float32)  # type: ignore[no-untyped-call]
    found.backward()
    assert head.grad is None
    assert hidden.grad is not None


def test_losses_of_huge_logits_stay_finite_and_a_bad_one_shows() -> None:
    hidden, head, targets, weights = problem()
    with torch.no_grad():
        hidden *= 1e4
        expected = (cross_entropy(hidden @ head.T, targets, reduction="none") * weights).sum()
        assert float(
            HeadLoss.apply(hidden, head, targets, weights, torch.float32)
        ) == pytest.approx(float(expected))  # type: ignore[no-untyped-call]
        hidden[3, 2] = float("nan")
        assert torch.isnan(HeadLoss.apply(hidden, head, targets, weights, torch.float32))  # type: ignore[no-untyped-call]


def protocol(**changes: Any) -> Training:
    """Without dropout, in float32."""
    given: dict[str, Any] = {
        "lora": Lora(rank=8, alpha=16, dropout=0.0),
        "compute": "float32",
        "max_length": 30,
    }
    return Training(**{"gradient_checkpointing": False, **given, **changes})


def padded(folder: Path, training: Training) -> Batch:
    """Three texts of different lengths."""
    tokenizer = load_tokenizer(folder)
    texts = zip(standard_library(), (30, 60, 90), strict=False)
    return pad([tokenise(tokenizer, text[:size], training) for text, size in texts])


def by_transformers(model: Any, batch: Batch) -> Tensor:
    """Loss of each predicted token from transformers' own logits, with the padding mask."""
    logits = model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False).logits
    real = batch.mask[:, 1:].bool()
    return cross_entropy(logits[:, :-1][real].float(), batch.ids[:, 1:][real], reduction="none")


def test_losses_without_a_padding_mask_are_transformers_own_with_one(tiny_llama: Path) -> None:
    training = protocol()
    model = adapt(load_base(tiny_llama, training), training, 0)
    batch = padded(tiny_llama, training)
    assert int(batch.mask.sum()) < batch.mask.numel(), "there is padding"
    with torch.no_grad():
        expected = by_transformers(model, batch)
    found = token_losses(model, batch, "float32")
    assert not found.requires_grad
    assert torch.allclose(found, expected, rtol=1e-5)


def test_full_fine_tuning_gets_the_gradient_of_every_parameter(tiny_llama: Path) -> None:
    """The input and the output embedding are one matrix in this model: both its uses count."""
    training = protocol(adapter=Full(), quantisation={"format": "none", "double": False})
    model = adapt(load_base(tiny_llama, training), training, 0)
    assert isinstance(model, PreTrainedModel)
    batch = padded(tiny_llama, training)
    weight_M = step_weight(batch, batch.targets, len(batch.ids), "tokens")
    parameters = trainable(model)
    names = list(parameters)
    expected = torch.autograd.grad(
        (by_transformers(model, batch) * weight_M).sum(), list(parameters.values())
    )
    found = torch.autograd.grad(
        weighted_loss(model, batch, weight_M, "float32"), list(parameters.values())
    )
    assert any("embed" in name for name in names)
    for name, mine, theirs in zip(names, found, expected, strict=True):
        assert float((mine - theirs).norm() / theirs.norm()) < 1e-5, name
