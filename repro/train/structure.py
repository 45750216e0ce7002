"""Build a model with its adapter on the meta device, without any weights.

It has every shape and count of the real one. What transformers builds from the architecture and
what peft adds is counted, not computed from formulas, so it also shows that every target of a
protocol exists (docs/SCIENCE.md §13, structural claims).
"""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn
from transformers import PreTrainedModel

from repro.manifest.adapters import Lora, Mps
from repro.manifest.model import HubWeights, Model
from repro.manifest.training import Training
from repro.plan.structure import BuiltAdapter, Structure
from repro.train.adapters.block_diagonal import Group
from repro.train.adapters.place import adapt
from repro.train.model import trainable
from repro.train.weights import MODEL_FAMILIES, configuration

PUBLISHED: dict[str, dict[str, int | None]] = {
    "mistralai/Mistral-7B-v0.3": {"sliding_window": None}
}
"""Repository → values of its config.json that differ from the family's default in transformers.

Only Mistral v0.1 has a 4096-token window: the configurations of v0.2 and v0.3 have
`"sliding_window": null`. Qwen2's default is the published `"use_sliding_window": false`.
"""


def structure(model: Model, training: Training, sizes: Sequence[int] = ()) -> Structure:
    """Return the architecture of `model` with the adapter of `training` on it.

    `sizes`: assumed number of directions in each group of a block-diagonal adapter, which only
    the base model's activations decide.
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
    """Return the architecture as its publisher configures it, on the current device."""
    config, network = MODEL_FAMILIES[model.architecture.family]
    published = (
        PUBLISHED.get(model.weights.repository, {}) if isinstance(model.weights, HubWeights) else {}
    )
    built: PreTrainedModel = network(config(**configuration(model.architecture), **published))
    return built


def _attention(base: PreTrainedModel, first: nn.Module) -> dict[str, int | None]:
    """Return the heads of the first block."""
    size = int(first.head_dim)  # type: ignore[arg-type]  # an integer of transformers' attention
    rows = {name: getattr(first, name).weight.shape[0] for name in ("q_proj", "k_proj")}
    return {
        "heads": rows["q_proj"] // size,
        "kv_heads": rows["k_proj"] // size,
        "head_size": size,
        "sliding_window": getattr(base.config, "sliding_window", None),
    }


def _adapter(base: PreTrainedModel, training: Training, sizes: Sequence[int]) -> BuiltAdapter:
    """Return the adapter's modules and tensors.

    Where a target does not exist, only the others get an adapter.
    """
    adapter = training.trained
    names = Counter(
        name.rsplit(".", 1)[-1] for name, _ in base.get_decoder().layers.named_modules()
    )
    modules = {target: names[target] for target in adapter.ranks}
    if isinstance(adapter, Lora | Mps) and not all(modules.values()):
        there = tuple(target for target in modules if modules[target])
        if not there:
            return BuiltAdapter(modules=modules, matrices=0, parameters=0, shapes={})
        field = "lora" if isinstance(adapter, Lora) else "adapter"
        training = training.model_copy(
            update={field: adapter.model_copy(update={"targets": there})}
        )
    width = base.get_input_embeddings().weight.shape[1]  # type: ignore[index]  # an embedding's weight is a tensor
    groups = [Group((str(number),), torch.empty(width, size)) for number, size in enumerate(sizes)]  # type: ignore[arg-type]  # width is an integer
    model = adapt(base, training.model_copy(update={"gradient_checkpointing": False}), 0, groups)
    trained = list(trainable(model).values())
    return BuiltAdapter(
        modules=modules,
        matrices=sum(value.dim() == 2 for value in trained) if modules else 0,
        parameters=sum(value.numel() for value in trained),
        shapes=dict(sorted(Counter("×".join(map(str, value.shape)) for value in trained).items())),
    )
