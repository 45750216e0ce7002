"""Next-token cross-entropy of one forward pass, without logits at padding.

B sequences, T tokens, H width, V vocabulary, M predicted tokens.
"""

from contextlib import AbstractContextManager

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from repro.train.batches import Batch


def precision(device: torch.device, compute: str) -> AbstractContextManager[None]:
    """Autocast to the protocol's compute precision."""
    context: AbstractContextManager[None] = torch.autocast(device.type, torch.bfloat16, enabled=compute == "bfloat16")
    return context


def decoder_and_head(model: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The stack that ends in the final norm, and the output embedding."""
    network = model.get_base_model() if isinstance(model, PeftModel) else model
    decoder, head = network.get_decoder(), network.get_output_embeddings()  # type: ignore[operator]  # methods of transformers models
    return decoder, head


def token_losses(model: nn.Module, batch: Batch, compute: str) -> tuple[Tensor, Tensor]:
    """(loss of each predicted token [M], index of the sequence it belongs to [M]), both on the model's device."""
    decoder, head = decoder_and_head(model)
    device = next(model.parameters()).device
    ids_BT, mask_BT = batch.ids.to(device), batch.mask.to(device)
    with precision(device, compute):
        hidden_BTH = decoder(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False).last_hidden_state
        real_BT = mask_BT[:, 1:].bool()
        logits_MV = head(hidden_BTH[:, :-1][real_BT])
    losses_M = cross_entropy(logits_MV.float(), ids_BT[:, 1:][real_BT], reduction="none")
    return losses_M, real_BT.nonzero()[:, 0]


def step_weight(batch: Batch, tokens_in_step: int, sequences_in_step: int, normalisation: str) -> Tensor:
    """Weight of each predicted token [M], such that the weighted sum over a step is its loss (docs/SCIENCE.md §9)."""
    lengths_B = batch.mask[:, 1:].sum(dim=1)
    if normalisation == "tokens":
        return torch.full((int(lengths_B.sum()),), 1.0 / tokens_in_step)
    return torch.repeat_interleave(1.0 / (lengths_B * sequences_in_step), lengths_B)
