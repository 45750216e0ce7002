"""YAML in, validated records out; whatever is wrong becomes one line with file, field, found, expected and fix."""

from collections.abc import Hashable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from repro.errors import ManifestError

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
        raise ManifestError(f"{where}: found {_brief(content)}, expected a mapping of fields of {record.__name__}")
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise ManifestError(f"{where}: {explain(error, record)}") from None


def explain(error: ValidationError, record: type[BaseModel]) -> str:
    """One line for a pydantic error: field, what was found, what was expected, what to do.

    A misspelt field comes first: the field it stands for is only missing because of it.
    """
    problems = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    first = problems[0]
    field = f"field {'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _fields(record, first["loc"][:-1])
        return f"{field}unknown; {_nearest(str(first['loc'][-1]), known)}correct the name or remove it{others}"
    if first["type"] == "missing":
        return f"{field}missing; add it{others}"
    message = first["msg"].removeprefix("Value error, ")
    whole = first["type"] == "value_error" and isinstance(first["input"], dict | BaseModel)
    found = "" if whole else f"found {_brief(first['input'])}; "  # a check of a whole record says itself what it found
    return f"{field}{found}{message}{others}"


def _nearest(name: str, known: list[str]) -> str:
    """What a misspelt field may stand for, and all that could."""
    near = get_close_matches(name, known, 1)
    return (f"nearest is {near[0]}; " if near else "") + (f"known are {', '.join(known)}; " if known else "")


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _fields(record: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The fields known at `path` below `record`; none where several kinds of record could stand."""
    for part in path:
        if isinstance(part, int) or part not in record.model_fields:
            continue  # a place in a list, or a key of a mapping: the record inside is already found
        inside = _records(record.model_fields[part].annotation)
        if len(inside) != 1:
            return []
        record = inside[0]
    return list(record.model_fields)


def _records(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _records(argument)]
