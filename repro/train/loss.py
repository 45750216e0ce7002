"""Compute next-token cross-entropy in chunks, so that a pass's logits never exist at once.

Padding has no loss. It is on the right, where causal attention never looks: the passes run without
a padding mask, which lets attention use its causal kernel. B sequences, T tokens, H width, V
vocabulary, M predicted tokens.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn.functional import linear

from repro.train.batches import Batch
from repro.train.packed import Packed

LOGITS = 2**24
"""Most entries of one chunk's logits; a chunk has at least one row."""


def precision(device: torch.device, compute: str) -> AbstractContextManager[None]:
    """Return autocast to the protocol's compute precision."""
    context: AbstractContextManager[None] = torch.autocast(
        device.type, torch.bfloat16, enabled=compute == "bfloat16"
    )
    return context


def decoder_and_head(model: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Return the decoder up to the final norm, and the output embedding."""
    network = model.get_base_model() if isinstance(model, PeftModel) else model
    decoder, head = network.get_decoder(), network.get_output_embeddings()  # type: ignore[operator]  # methods of transformers models
    return decoder, head


def weighted_loss(
    model: nn.Module, batch: Batch | Packed, weight_M: Tensor, compute: str
) -> Tensor:
    """Return Σ weight · loss over the predicted tokens, with its gradient.

    It is on the output embedding's device.
    """
    hidden_MH, targets_M, head_VH = _predictions(model, batch, compute)
    weight_M = weight_M.to(hidden_MH.device)
    loss: Tensor = HeadLoss.apply(hidden_MH, head_VH, targets_M, weight_M, _product_type(compute))  # type: ignore[no-untyped-call]  # torch leaves apply without annotations
    return loss


@torch.no_grad()
def token_losses(model: nn.Module, batch: Batch | Packed, compute: str) -> Tensor:
    """Return the loss of each predicted token (M), sequence by sequence, without a gradient."""
    hidden_MH, targets_M, head_VH = _predictions(model, batch, compute)
    parts = chunks(hidden_MH, head_VH, _product_type(compute))
    return torch.cat(
        [scales - _of_targets(logits, targets_M[rows]) for rows, logits, scales in parts]
    )


def step_weight(
    batch: Batch | Packed, tokens_in_step: int, sequences_in_step: int, normalisation: str
) -> Tensor:
    """Return each predicted token's weight (M) in the loss of a step (docs/SCIENCE.md §9).

    The weighted sum over a step is its loss.
    """
    lengths_B = batch.targets_of_each
    if normalisation == "tokens":
        return torch.full((int(lengths_B.sum()),), 1.0 / tokens_in_step)
    return torch.repeat_interleave(1.0 / (lengths_B * sequences_in_step), lengths_B)


class HeadLoss(torch.autograd.Function):
    """Weighted cross-entropy of the output embedding.

    Its gradient is computed with it, chunk by chunk. The backward pass only scales what the
    forward pass found, so each chunk's logits are gone before the next.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden_MH: Tensor,
        head_VH: Tensor,
        targets_M: Tensor,
        weight_M: Tensor,
        dtype: torch.dtype,
    ) -> Tensor:
        """Return the loss, and keep the gradients of whatever needs one.

        The embedding needs one where it is trained.
        """
        total = torch.zeros((), device=hidden_MH.device)
        grad_hidden = torch.empty_like(hidden_MH) if ctx.needs_input_grad[0] else None
        grad_head = torch.zeros_like(head_VH) if ctx.needs_input_grad[1] else None
        cast_VH = head_VH.to(dtype)
        for rows, logits, scales in chunks(hidden_MH, cast_VH, dtype):
            targets, weight = targets_M[rows, None], weight_M[rows, None]
            total += ((scales[:, None] - logits.gather(1, targets)) * weight).sum()
            # The slope of the loss in the logits is weight · (softmax − one-hot
            # target), in place.
            slope = logits.sub_(scales[:, None]).exp_().mul_(weight)
            slope = slope.scatter_add_(1, targets, -weight).to(dtype)
            if grad_hidden is not None:
                grad_hidden[rows] = (slope @ cast_VH).to(grad_hidden.dtype)
            if grad_head is not None:
                grad_head += slope.T @ hidden_MH[rows].to(dtype)
        ctx.save_for_backward(grad_hidden, grad_head)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the kept gradients times that of the loss."""
        found = [None if kept is None else kept * gradients[0] for kept in ctx.saved_tensors]
        return found[0], found[1], None, None, None


def chunks(
    hidden_MH: Tensor, head_VH: Tensor, dtype: torch.dtype
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield (rows, their float32 logits, the logarithm of each row's Σ exp).

    A chunk has as many rows as `LOGITS` allows.
    """
    size, head_VH = max(1, LOGITS // len(head_VH)), head_VH.to(dtype)
    for start in range(0, len(hidden_MH), size):
        rows = slice(start, start + size)
        logits = linear(hidden_MH[rows].to(dtype), head_VH).float()
        yield rows, logits, logits.logsumexp(dim=1)


def _predictions(
    model: nn.Module, batch: Batch | Packed, compute: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (predicting hidden states M×H, their tokens M, the output embedding V×H).

    All are on the embedding's device. A model may be spread over several devices: its inputs go
    to its input embedding's.
    """
    decoder, head = decoder_and_head(model)
    first, head_VH = next(decoder.parameters()).device, head.get_parameter("weight")
    with precision(first, compute):
        hidden_BTH = decoder(**batch.inputs(first), use_cache=False).last_hidden_state
    next_BT = batch.predicted
    hidden_MH = hidden_BTH[:, :-1][next_BT.to(hidden_BTH.device)]
    return hidden_MH.to(head_VH.device), batch.ids[:, 1:][next_BT].to(head_VH.device), head_VH


def _of_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the logits of the target tokens (M)."""
    return logits.gather(1, targets[:, None])[:, 0]


def _product_type(compute: str) -> torch.dtype:
    """Return the type in which products are computed."""
    return torch.bfloat16 if compute == "bfloat16" else torch.float32
