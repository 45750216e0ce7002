"""YAML in, validated records out; whatever is wrong becomes one line with file, field, found, expected and fix.

A file is bounded before anything is built from it: its size, how deep it nests, what its aliases would expand to, how
long its numbers are. What YAML calls a date is text here, as it is for whoever reads a title.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from repro.errors import ManifestError
from repro.manifest.explain import brief, explain
from repro.manifest.yaml_bounds import LARGEST, TAG, check_events, limit, refused

Record = TypeVar("Record", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """The safe C loader for plain values alone, refusing a key that is given twice or is no plain value."""


_Loader.yaml_constructors = {
    tag: construct
    for tag, construct in yaml.CSafeLoader.yaml_constructors.items()
    if tag is None or tag.removeprefix(TAG) in ("null", "bool", "int", "float", "str", "seq")
}
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].removeprefix(TAG) not in ("timestamp", "merge", "value")]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise refused("a key that is a list or a mapping; expected a name", key_node.start_mark)
        key: Hashable = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise refused(f"{key!r} is given twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    """A number that is written within bounds; `!!int abc` is none."""
    limit(node.value, node.start_mark)
    try:
        return loader.construct_yaml_int(node) if node.tag == f"{TAG}int" else loader.construct_yaml_float(node)
    except (ValueError, OverflowError):
        raise refused(f"{brief(node.value)} is no number", node.start_mark) from None


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor(f"{TAG}int", _number)
_Loader.add_constructor(f"{TAG}float", _number)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; ManifestError when it is missing, not YAML, or beyond any file of this project."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ManifestError(
                f"{path}: is larger than {LARGEST >> 20} MiB, beyond which no YAML is read; divide it, or correct the path"
            )
        check_events(content)
        return yaml.load(content, _Loader)
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or (str(error).splitlines() or [""])[0]
        raise ManifestError(f"{where}: not a YAML file repro can read: {problem}; correct it there") from None
    except (OSError, ValueError, TypeError, RecursionError, MemoryError) as error:
        problem = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise ManifestError(f"{path}: cannot be read ({problem})") from None


def read_catalogue(path: Path) -> dict[str, Any]:
    """Entries by id of a file that holds nothing else. Raises ManifestError."""
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ManifestError(f"{path}: found {brief(content)}, expected a mapping from ids to entries")
    return content


def validate(record: type[Record], content: Any, where: str) -> Record:
    """`content` as a `record`; ManifestError naming the first field that is wrong and how many others are."""
    if not isinstance(content, dict):
        raise ManifestError(f"{where}: found {brief(content)}, expected a mapping of fields of {record.__name__}")
    if other := next((key for key in content if not isinstance(key, str)), None):
        raise ManifestError(f"{where}: found the field {brief(other)}, expected a name; put it in quotes if it is one")
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise ManifestError(f"{where}: {explain(error, record)}") from None
    except (ValueError, TypeError, ArithmeticError, OSError, RecursionError, MemoryError) as error:
        problem = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise ManifestError(f"{where}: cannot be a {record.__name__} ({problem}); correct it there") from None
