"""Decide which fields of a manifest's records are in a run's name.

Every field that decides numbers is. A field that was added after the first names were given is left
out while it has its default, which gives the numbers those names stand for: so adding a field
renames no run.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

SILENT = frozenset(
    ("model.id", "model.title", "model.weights.gated", "model.weights.packages", "model.weights.member",
     "condition.title", "condition.adapter", "condition.learning_rate", "condition.continues", "condition.variant_of",
     "training.csr.probe_set", "domains.*[].id",
     "domains.*[].data.note", "domains.*[].data.path", "domains.*[].data.gibibytes")
)  # fmt: skip
"""Names, comments and places; also what is resolved elsewhere (adapter and rate: training,
continues: parent, a probe set: its texts).
"""
SILENT_OF_CONDITION = {
    field.removeprefix("condition.") for field in SILENT if field.startswith("condition.")
}
"""The fields of a condition that are in no run's name."""
FIRST = frozenset(
    ("model.weights", "model.weights.kind", "model.weights.repository", "model.weights.revision", "model.weights.sha256",
     "model.weights.seed", "model.architecture", "model.architecture.family", "model.architecture.hidden",
     "model.architecture.layers", "model.architecture.heads", "model.architecture.kv_heads",
     "model.architecture.intermediate", "model.architecture.vocabulary", "model.architecture.tied", "condition.phases",
     "condition.phases[].steps", "condition.phases[].mixture", "condition.mixing", "condition.csr",
     "condition.csr.strength", "condition.csr.gradient", "training.quantisation", "training.quantisation.format",
     "training.quantisation.double", "training.lora", "training.lora.kind", "training.lora.rank", "training.lora.alpha",
     "training.lora.dropout", "training.lora.targets", "training.adapter", "training.adapter.kind",
     "training.adapter.grouping", "training.adapter.rank", "training.adapter.alpha", "training.adapter.dropout",
     "training.optimizer", "training.optimizer.learning_rate", "training.optimizer.beta1", "training.optimizer.beta2",
     "training.optimizer.epsilon", "training.optimizer.weight_decay", "training.optimizer.clip_norm",
     "training.optimizer.schedule", "training.optimizer.warmup", "training.csr", "training.csr.target",
     "training.csr.variance", "training.csr.every", "training.batch_size", "training.accumulation",
     "training.tokens_per_forward", "training.dequantise", "training.loss_normalisation", "training.max_length",
     "training.gradient_checkpointing", "training.compute", "training.append_eos", "training.checkpoint_every",
     "training.heldout", "diagnostics.every", "diagnostics.window", "diagnostics.window.start", "diagnostics.window.stop",
     "diagnostics.window.every", "diagnostics.layer", "diagnostics.pooling", "diagnostics.special_tokens",
     "diagnostics.scale", "diagnostics.also", "domains.*[].data", "domains.*[].data.kind", "domains.*[].data.repository",
     "domains.*[].data.revision", "domains.*[].data.configurations", "domains.*[].data.split", "domains.*[].data.files",
     "domains.*[].data.template", "domains.*[].data.sha256", "domains.*[].data.only")
)  # fmt: skip
"""Fields that are always in the name.

The list is closed: a field in neither list was added later.
"""


def inputs(record: BaseModel, path: str) -> dict[str, Any]:
    """Return the part of a record that is in the name.

    `path` is the record's own, such as "training".
    """
    found = {}
    for name, field in type(record).model_fields.items():
        where, value = f"{path}.{name}", getattr(record, name)
        if field.annotation is float:  # A default of 128.0 and a manifest's 128 are one number.
            value = float(value)
        usual = not field.is_required() and value == field.get_default(call_default_factory=True)
        if where not in SILENT and (where in FIRST or not usual):
            found[name] = as_json(value, where)
    return found


def as_json(value: Any, path: str) -> Any:
    """Return a field's value as JSON holds it. `path` is the field's."""
    match value:
        case BaseModel():
            return inputs(value, path)
        case Mapping():
            return {str(key): as_json(part, f"{path}.*") for key, part in value.items()}
        case tuple() | list():
            return [as_json(part, f"{path}[]") for part in value]
        case _:
            return value
