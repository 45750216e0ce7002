"""JSON Schema of every kind of YAML file that is read, made from the records that validate it.

An editor completes and checks with it: a file's first line names one (`# yaml-language-server:
$schema=…`). A schema knows fields, types and bounds. What relates fields to one another is checked
when the file is read.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Union

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from repro.claims.papers import Paper, folder_of, paper_header
from repro.claims.written import block_record
from repro.errors import InputError, ManifestError
from repro.execute.cluster import Cluster
from repro.manifest.benchmark import Benchmark
from repro.manifest.data import Data
from repro.manifest.experiment import Experiment
from repro.manifest.model import Model
from repro.manifest.probes import ProbeSet
from repro.manifest.recipe import Recipe
from repro.names import nearest
from repro.verify.policy import Policy

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Described(GenerateJsonSchema):
    """Takes the text below a field, in its record's sources, for what the field is.

    pydantic can do so whenever a record is made, which takes every command a tenth of its start.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return a record's schema with its fields' texts."""
        found = super().model_schema(schema)
        properties = found.get("properties", {})
        for name, text in field_texts(schema["cls"]).items():
            if name in properties:
                properties[name].setdefault("description", text)
        return found


def field_texts(record: type) -> dict[str, str]:
    """Return the text below each field in the sources of a record and of those it is made from."""
    found: dict[str, str] = {}
    for parent in reversed(record.__mro__):
        try:
            source = textwrap.dedent(inspect.getsource(parent))
        except (OSError, TypeError):  # made at run time, or a builtin
            continue
        body = ast.parse(source).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in pairwise(body.body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[field.target.id] = inspect.cleandoc(below.value.value)
    return found


@dataclass(frozen=True)
class FileKind:
    """A kind of YAML file."""

    says: str
    """Which files are of it."""
    content: Any
    """The type of what such a file holds."""
    without: tuple[str, ...] = ()
    """A record, and its fields that the file does not hold: they are said by places, or made."""


FILE_KINDS: Mapping[str, FileKind] = {
    "manifest": FileKind("an experiment: manifests/NAME.yaml, or anywhere", Experiment),
    "models": FileKind("manifests/models.yaml", dict[str, Model], ("Model", "id")),
    "datasets": FileKind("manifests/datasets.yaml", dict[str, Data]),
    "benchmarks": FileKind("manifests/benchmarks.yaml", dict[str, Benchmark], ("Benchmark", "id")),
    "planned": FileKind("manifests/planned.yaml", list[str] | None),
    "paper": FileKind("a paper's paper.yaml", Paper, ("Paper", "claims", "tables")),
    "claims": FileKind("every other YAML file of a paper", block_record()),
    "probe_set": FileKind("a probe set's concepts.yaml", ProbeSet, ("ProbeSet", "probes")),
    "recipe": FileKind("recipe.yaml of a probe set without texts", Recipe),
    "cluster": FileKind("how jobs are submitted: the file that REPRO_SLURM names", Cluster),
    "policy": FileKind("a gate: `repro verify --policy FILE`", Policy),
}
"""Kind → its files and record, in the order of the documents."""


def schema_of(kind: str) -> Schema:
    """Return the schema of a kind of file; given a paper, of its claims with its own axes.

    Raises InputError for what is neither.
    """
    if kind in FILE_KINDS:
        return _of_kind(kind, FILE_KINDS[kind])
    try:
        folder, *more = folder_of(kind)
    except ManifestError:
        more = [Path()]
    if more:
        raise InputError(
            f"{kind}: found neither a kind of file nor one paper, expected one of "
            f"{', '.join(FILE_KINDS)}; {nearest(kind, FILE_KINDS)}"
            "or a paper's id or folder, for its claims with its own axes"
        )
    return claims_schema(paper_header(folder).axes, f"claims of {folder.name}")


def claims_schema(axes: tuple[str, ...], title: str) -> Schema:
    """Return the schema of a file of claims whose paper has these axes beside the common ones."""
    block = block_record(axes)
    either: Any = Union[block, list[block]]  # type: ignore[valid-type]  # noqa: UP007 (a value)
    return _finished(TypeAdapter(either).json_schema(schema_generator=_Described), title)


def _of_kind(name: str, kind: FileKind) -> Schema:
    if name == "claims":
        return claims_schema((), name)
    schema = TypeAdapter(kind.content).json_schema(schema_generator=_Described)
    if kind.without:
        record, *fields = kind.without
        part = schema if schema.get("title") == record else schema["$defs"][record]
        for field in fields:
            _leave_out(part, field)
    return _finished(schema, name)


def _leave_out(record: Schema, field: str) -> None:
    """Take a field out of a record's schema."""
    del record["properties"][field]
    record["required"] = [name for name in record.get("required", ()) if name != field]


def _finished(schema: Schema, title: str) -> Schema:
    """Return the schema with its dialect and title, without definitions that nothing names, and
    without the titles that only repeat a field's name.
    """
    _drop_titles(schema)
    schema = {"$schema": DIALECT, **schema, "title": f"repro: {title}"}
    if "$defs" in schema:
        schema["$defs"] = _used(schema)
    return schema


def _drop_titles(node: Any) -> None:
    """Take the titles of properties away, at any depth."""
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _drop_titles(part)
    if isinstance(node, dict) and isinstance(properties := node.get("properties"), dict):
        for part in properties.values():
            part.pop("title", None)


def _used(schema: Schema) -> Schema:
    """Return the definitions that are reached from the top."""
    definitions, used = schema["$defs"], set[str]()
    waiting = [{key: value for key, value in schema.items() if key != "$defs"}]
    while waiting:
        for name in _references(waiting.pop()) - used:
            used.add(name)
            waiting.append(definitions[name])
    return {name: value for name, value in definitions.items() if name in used}


def _references(node: Any) -> set[str]:
    """Return the names of the definitions that a part of a schema points at."""
    if isinstance(node, dict):
        own = (
            {node["$ref"].removeprefix("#/$defs/")} if isinstance(node.get("$ref"), str) else set()
        )
        return own.union(*map(_references, node.values()))
    return set().union(*map(_references, node)) if isinstance(node, list) else set()
