"""A model with its adapter on the meta device: every shape and count of the real thing, without a byte of weights.

What transformers builds from the architecture and what peft puts on it is counted, not computed from formulas, so it
also shows that every target of a protocol is there (docs/SCIENCE.md §13, structural claims).
"""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn
from transformers import PreTrainedModel

from repro.manifest.model import HubWeights, Model
from repro.manifest.training import BlockDiagonal, Lora, Training
from repro.plan.structure import Adapter, Structure
from repro.train.adapters.block_diagonal import TARGETS, Group
from repro.train.adapters.place import adapt
from repro.train.model import trainable
from repro.train.weights import FAMILIES, configuration

PUBLISHED: dict[str, dict[str, int | None]] = {"mistralai/Mistral-7B-v0.3": {"sliding_window": None}}
"""Repository → what its config.json says where the family's default in transformers says otherwise.

Mistral's 4096-token window is v0.1's alone: the configurations of v0.2 and v0.3 have `"sliding_window": null`. Qwen2's
default is the published `"use_sliding_window": false`.
"""


def structure(model: Model, training: Training, sizes: Sequence[int] = ()) -> Structure:
    """What `model` is built of, with the adapter of `training` on it.

    `sizes`: how many directions each group of a block-diagonal adapter is taken to have, which only the base model's
    activations decide.
    """
    with torch.device("meta"):
        base = bare(model)
        blocks = base.get_decoder().layers
        linear = [module for module in blocks.modules() if isinstance(module, nn.Linear)]
        shape = {
            "parameters": base.num_parameters(),
            "linear_parameters": sum(module.weight.numel() for module in linear),
            "hidden_size": base.get_input_embeddings().weight.shape[1],  # type: ignore[index]  # an embedding's weight is a tensor
            "layers": len(blocks),
            **_attention(base, blocks[0].self_attn),
        }
        return Structure(**shape, adapter=_adapter(base, training, sizes))


def bare(model: Model) -> PreTrainedModel:
    """The architecture as its publisher configures it, on the current device."""
    config, network = FAMILIES[model.architecture.family]
    published = PUBLISHED.get(model.weights.repository, {}) if isinstance(model.weights, HubWeights) else {}
    built: PreTrainedModel = network(config(**configuration(model.architecture), **published))
    return built


def _attention(base: PreTrainedModel, first: nn.Module) -> dict[str, int | None]:
    """Heads as the first block has them."""
    size = int(first.head_dim)  # type: ignore[arg-type]  # an integer of transformers' attention
    rows = {name: getattr(first, name).weight.shape[0] for name in ("q_proj", "k_proj")}
    return {
        "heads": rows["q_proj"] // size,
        "kv_heads": rows["k_proj"] // size,
        "head_size": size,
        "sliding_window": getattr(base.config, "sliding_window", None),
    }


def _adapter(base: PreTrainedModel, training: Training, sizes: Sequence[int]) -> Adapter:
    """The adapter's modules and tensors; where a target is nowhere, what the others are given."""
    adapter = training.trained
    targets = adapter.targets if isinstance(adapter, Lora) else TARGETS if isinstance(adapter, BlockDiagonal) else ()
    names = Counter(name.rsplit(".", 1)[-1] for name, _ in base.get_decoder().layers.named_modules())
    modules = {target: names[target] for target in targets}
    if isinstance(adapter, Lora) and not all(modules.values()):
        there = tuple(target for target in targets if modules[target])
        if not there:
            return Adapter(modules=modules, matrices=0, parameters=0, shapes={})
        training = training.model_copy(update={"lora": adapter.model_copy(update={"targets": there})})
    width = base.get_input_embeddings().weight.shape[1]  # type: ignore[index]  # an embedding's weight is a tensor
    groups = [Group((str(number),), torch.empty(width, size)) for number, size in enumerate(sizes)]  # type: ignore[arg-type]  # width is an integer
    model = adapt(base, training.model_copy(update={"gradient_checkpointing": False}), 0, groups)
    trained = list(trainable(model).values())
    return Adapter(
        modules=modules,
        matrices=sum(value.dim() == 2 for value in trained) if targets else 0,
        parameters=sum(value.numel() for value in trained),
        shapes=dict(sorted(Counter("×".join(map(str, value.shape)) for value in trained).items())),
    )
