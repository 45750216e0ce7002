"""Read YAML into validated records.

Any error is one line with file, field, found, expected and fix. A file is limited before anything
is built from it: its size, its depth, its size with aliases expanded, the length of its numbers.
YAML's dates are read as text, which is what the author of a title means.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from repro.errors import ManifestError, first_line
from repro.manifest.explain import brief, explain
from repro.manifest.yaml_bounds import LARGEST, TAG, check_events, limit, refused

Record = TypeVar("Record", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """The safe C loader, for plain values only.

    It refuses a key that is repeated or not a plain value.
    """

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.characters = stream.decode("utf-8-sig", errors="replace")
        """What the places of nodes count, of a file in UTF-8."""


_Loader.yaml_constructors = {
    tag: construct
    for tag, construct in yaml.CSafeLoader.yaml_constructors.items()
    if tag is None or tag.removeprefix(TAG) in ("null", "bool", "int", "float", "str", "seq")
}
_Loader.yaml_implicit_resolvers = {
    first: [
        pair for pair in pairs if pair[0].removeprefix(TAG) not in ("timestamp", "merge", "value")
    ]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    """Return a mapping.

    Raises yaml.YAMLError for a key that is repeated, or is a list or mapping.
    """
    seen: set[Hashable] = set()
    before = None
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise refused("a key that is a list or a mapping; expected a name", key_node.start_mark)
        key: Hashable = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise refused(f"{key!r} is given twice", key_node.start_mark)
        seen.add(key)
        if node.flow_style and _lacks_colon(loader, key_node, value_node):
            raise refused(_part_of_a_text(key, before), key_node.start_mark)
        before = value_node
    return dict(loader.construct_pairs(node, deep=True))


def _lacks_colon(loader: _Loader, key: yaml.Node, value: yaml.Node) -> bool:
    """Tell whether an entry of {…} is a key alone, which YAML reads as holding nothing."""
    between = loader.characters[key.end_mark.index : value.start_mark.index]
    alone = isinstance(value, yaml.ScalarNode) and value.value == "" and not value.style
    return alone and not between.strip()


def _part_of_a_text(key: Hashable, before: yaml.Node | None) -> str:
    """Say what a key without a colon is: most often what follows a text's comma."""
    if isinstance(before, yaml.ScalarNode) and before.value and not before.style:
        whole = brief(f"{before.value}, {key}")
        return (
            f"inside {{…}} a comma ends the text, so {brief(key)} is a name without a value; "
            f"put the text in quotes: {whole}"
        )
    return f"inside {{…}} {brief(key)} is a name without a value; write name: value"


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    """Return a number within bounds. Raises yaml.YAMLError, also for `!!int abc` and `!!int ""`."""
    limit(node.value, node.start_mark)
    try:
        return (
            loader.construct_yaml_int(node)
            if node.tag == f"{TAG}int"
            else loader.construct_yaml_float(node)
        )
    except (ValueError, OverflowError, IndexError):
        raise refused(f"{brief(node.value)} is no number", node.start_mark) from None


def _truth(loader: _Loader, node: yaml.ScalarNode) -> bool:
    """Return yes or no as a truth. Raises yaml.YAMLError for `!!bool perhaps`."""
    try:
        return bool(loader.construct_yaml_bool(node))
    except KeyError:
        raise refused(f"{brief(node.value)} is neither true nor false", node.start_mark) from None


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor(f"{TAG}int", _number)
_Loader.add_constructor(f"{TAG}float", _number)
_Loader.add_constructor(f"{TAG}bool", _truth)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises ManifestError when it is missing, not YAML, or beyond the bounds.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ManifestError(
                f"{path}: is larger than {LARGEST >> 20} MiB, beyond which no YAML is read; "
                "divide it, or correct the path"
            )
        check_events(content)
        return yaml.load(content, _Loader)
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or first_line(error)
        if problem.startswith("mapping values are not allowed"):
            problem += " (a text that holds a colon and a space needs quotes)"
        raise ManifestError(
            f"{where}: not a YAML file repro can read: {problem}; correct it there"
        ) from None
    except (OSError, ValueError, TypeError, RecursionError, MemoryError) as error:
        problem = first_line(error)
        raise ManifestError(f"{path}: cannot be read ({problem})") from None


def read_catalogue(path: Path) -> dict[str, Any]:
    """Return the entries of a catalogue by id. Raises ManifestError."""
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ManifestError(
            f"{path}: found {brief(content)}, expected a mapping from ids to entries"
        )
    return content


def validate(record: type[Record], content: Any, where: str) -> Record:
    """Return `content` as a `record`.

    Raises ManifestError naming the first field that is wrong and the number of others.
    """
    if not isinstance(content, dict):
        raise ManifestError(
            f"{where}: found {brief(content)}, expected a mapping of fields of {record.__name__}"
        )
    if other := next((key for key in content if not isinstance(key, str)), None):
        raise ManifestError(
            f"{where}: found the field {brief(other)}, expected a name; put it in quotes if it "
            "is one"
        )
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise ManifestError(f"{where}: {explain(error, record)}") from None
    except (ValueError, TypeError, ArithmeticError, OSError, RecursionError, MemoryError) as error:
        problem = first_line(error)
        raise ManifestError(
            f"{where}: is no valid {record.__name__} ({problem}); correct it there"
        ) from None
