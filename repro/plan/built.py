"""What the known models are built of, as it comes with the package: `make structures` writes it, a test builds it again.

A record holds for one revision of a model's weights, one architecture and one adapter; any other is not known here.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from repro.files import canonical_json, digest
from repro.manifest.model import HubWeights, Model
from repro.manifest.training import Training
from repro.plan.structure import Structure

FILE = Path(__file__).with_name("structures.json")


def built_key(model: Model, training: Training, sizes: tuple[int, ...]) -> str:
    """Name what a structure is of: weights by repository and revision, shapes, and what is put on them."""
    weights = model.weights
    source = [weights.repository, weights.revision] if isinstance(weights, HubWeights) else []
    adapter = training.trained.model_dump(mode="json", exclude={"alpha", "dropout"})
    groups = sizes if adapter["kind"] == "block_diagonal" else ()
    return digest([model.architecture.model_dump(mode="json"), source, adapter, groups])[:16]


@cache
def packaged() -> dict[str, Structure]:
    """Return the package's records by key."""
    content = json.loads(FILE.read_bytes())
    return {key: Structure.model_validate(record) for models in content.values() for key, record in models.items()}


def write_packaged(records: Iterable[tuple[Model, str, Structure]]) -> None:
    """Write (model, key, record) as the package's own, a record a line, by model and revision."""
    by_model: dict[str, dict[str, str]] = {}
    for model, key, record in records:
        by_model.setdefault(_title(model), {})[key] = canonical_json(record.model_dump(mode="json"))
    parts = [
        f'"{title}": {{\n' + ",\n".join(f'"{key}": {line}' for key, line in sorted(lines.items())) + "\n}"
        for title, lines in sorted(by_model.items())
    ]
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _title(model: Model) -> str:
    weights = model.weights
    return f"{weights.repository}@{weights.revision}" if isinstance(weights, HubWeights) else model.id
