"""Capture pooled activations of the terminal layer, one row per probe (docs/SCIENCE.md §2).

A plain forward pass of the decoder, without the output embedding, in float32 and without dropout.
Texts of similar length share a batch; the result is that of one text at a time. N probes, B probes
of a batch, T tokens, H width.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from repro.errors import InputError
from repro.frozen import Frozen
from repro.manifest.experiment import Diagnostics
from repro.train.batches import tokenise_probe
from repro.train.loss import decoder_and_head
from repro.train.model import without_dropout

TOKENS_PER_BATCH = 2048
COMPUTE = "compute_dtype"  # of a 4-bit layer: the precision it computes in


class Reading(Frozen):
    """Which activations to read: one combination of the settings of §2."""

    layer: str = "post_norm"
    pooling: str = "mean"
    special_tokens: str = "exclude"

    @classmethod
    def of(cls, diagnostics: Diagnostics) -> "Reading":
        """Return the reading that a manifest asks for."""
        return cls(
            layer=diagnostics.layer,
            pooling=diagnostics.pooling,
            special_tokens=diagnostics.special_tokens,
        )


@torch.no_grad()
def capture(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    readings: Sequence[Reading],
) -> dict[Reading, npt.NDArray[np.float32]]:
    """Return activations (N×H float32) of every reading, from one pass over the texts.

    Rows are in the order of `texts`. Raises InputError for a text without any token to pool
    over.
    """
    decoder, _ = decoder_and_head(model)
    rows: dict[Reading, list[Tensor]] = {
        reading: [torch.empty(0)] * len(texts) for reading in readings
    }
    with (
        without_dropout(model),
        full_precision(model),
        _inputs_of(decoder.get_submodule("norm")) as before_norm,
    ):
        device = next(model.parameters()).device
        for indices, ids_BT, mask_BT, special_BT in batches(tokenizer, texts, device):
            after_BTH = decoder(
                input_ids=ids_BT, attention_mask=mask_BT, use_cache=False
            ).last_hidden_state
            for reading in readings:
                hidden_BTH = after_BTH if reading.layer == "post_norm" else before_norm[-1]
                kept_BT = (
                    mask_BT * (1 - special_BT) if reading.special_tokens == "exclude" else mask_BT
                )
                for index, pooled_H in zip(
                    indices, pool(hidden_BTH, kept_BT, reading.pooling), strict=True
                ):
                    rows[reading][index] = pooled_H
    return {reading: torch.stack(parts).cpu().numpy() for reading, parts in rows.items()}


def batches(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], device: torch.device
) -> Iterator[tuple[list[int], Tensor, Tensor, Tensor]]:
    """Yield the forward passes over texts: which texts, and their ids, mask and special-token mask,
    each B×T.
    """
    encoded = [tokenise_probe(tokenizer, text) for text in texts]
    for indices in by_length([len(ids) for ids, _ in encoded]):
        yield indices, *padded_tensors([encoded[i] for i in indices], device)


@contextmanager
def full_precision(model: nn.Module) -> Iterator[None]:
    """Let 4-bit layers compute in float32.

    A batch then gives the same activations as one text at a time.
    """
    layers = [
        module for module in model.modules() if getattr(module, COMPUTE, None) is torch.bfloat16
    ]
    for layer in layers:
        setattr(layer, COMPUTE, torch.float32)
    try:
        yield
    finally:
        for layer in layers:
            setattr(layer, COMPUTE, torch.bfloat16)


@contextmanager
def _inputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """Yield a list that always holds the latest input of `module`."""
    latest: list[Tensor] = []

    def keep(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        latest[:] = [arguments[0]]

    with ExitStack() as stack:
        stack.callback(module.register_forward_pre_hook(keep).remove)
        yield latest


def by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices in batches of texts of similar length.

    The padded tokens of a batch are limited.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if batch and (len(batch) + 1) * lengths[index] > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def padded_tensors(
    items: Sequence[tuple[list[int], list[int]]], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (ids, mask, special-token mask), each B×T, padded on the right.

    `items`: (ids, special-token mask) of each text.
    """
    longest = max(len(ids) for ids, _ in items)

    def padded(rows: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)

    ids, special = zip(*items, strict=True)
    return padded(ids), padded([[1] * len(row) for row in ids]), padded(special)


def pool(hidden_BTH: Tensor, kept_BT: Tensor, pooling: str) -> Tensor:
    """Return B×H: the mean over kept tokens, or the last of them.

    Raises InputError for a text without any.
    """
    if not kept_BT.any(dim=1).all():
        raise InputError("a probe has no token left to pool over; give it some text")
    kept_BT = kept_BT.to(hidden_BTH.device)  # The last layer's device, for a model on several.
    if pooling == "last_token":
        positions_T = torch.arange(kept_BT.shape[1], device=kept_BT.device)
        last_B = (kept_BT * positions_T).argmax(dim=1)
        return hidden_BTH[torch.arange(len(last_B)), last_B].float()
    weight_BT1 = kept_BT[..., None].float()
    return (hidden_BTH.float() * weight_BT1).sum(dim=1) / weight_BT1.sum(dim=1)
