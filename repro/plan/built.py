"""Read the architecture records that come with the package.

`make structures` writes them; a test builds them again. A record holds for one revision of a
model's weights, one architecture and one adapter; there is none for anything else.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from repro.files import canonical_json, digest
from repro.manifest.model import HubWeights, Model
from repro.manifest.training import Training
from repro.plan.structure import Structure

BUILT_FILE = Path(__file__).with_name("structures.json")


def built_key(model: Model, training: Training, sizes: tuple[int, ...]) -> str:
    """Return the key of a structure: its weights' source, its shapes, and the adapter.

    Weights are named by repository and revision.
    """
    weights = model.weights
    source = [weights.repository, weights.revision] if isinstance(weights, HubWeights) else []
    adapter = training.trained.model_dump(mode="json", exclude={"alpha", "dropout"})
    groups = sizes if adapter["kind"] == "block_diagonal" else ()
    return digest([model.architecture.model_dump(mode="json"), source, adapter, groups])[:16]


@cache
def read_packaged() -> dict[str, Structure]:
    """Return the package's records by key."""
    content = json.loads(BUILT_FILE.read_bytes())
    return {
        key: Structure.model_validate(record)
        for models in content.values()
        for key, record in models.items()
    }


def write_packaged(records: Iterable[tuple[Model, str, Structure]]) -> None:
    """Write (model, key, record) as the package's records, one a line, by model and revision."""
    by_model: dict[str, dict[str, str]] = {}
    for model, key, record in records:
        by_model.setdefault(_title(model), {})[key] = canonical_json(record.model_dump(mode="json"))
    parts = [
        f'"{title}": {{\n'
        + ",\n".join(f'"{key}": {line}' for key, line in sorted(lines.items()))
        + "\n}"
        for title, lines in sorted(by_model.items())
    ]
    BUILT_FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _title(model: Model) -> str:
    """Return the heading a model's records are filed under: repository and revision, or its id."""
    weights = model.weights
    return (
        f"{weights.repository}@{weights.revision}" if isinstance(weights, HubWeights) else model.id
    )
