"""YAML in, validated records out; whatever is wrong becomes one line with file, field, found, expected and fix."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from repro.errors import ManifestError
from repro.manifest.explain import brief, explain

Record = TypeVar("Record", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """The safe C loader, refusing a key that is given twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key: Hashable = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; ManifestError when it is missing or not YAML."""
    try:
        with path.open("rb") as file:
            return yaml.load(file, _Loader)
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ManifestError(f"{where}: not a YAML file repro can read: {problem}; correct it there") from None


def validate(record: type[Record], content: Any, where: str) -> Record:
    """`content` as a `record`; ManifestError naming the first field that is wrong and how many others are."""
    if not isinstance(content, dict):
        raise ManifestError(f"{where}: found {brief(content)}, expected a mapping of fields of {record.__name__}")
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise ManifestError(f"{where}: {explain(error, record)}") from None
