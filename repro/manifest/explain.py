"""Explain pydantic's error for a record in one line of words: field, found, expected, fix."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from repro.names import nearest

FieldPlace = tuple[int | str, ...]

PATTERNS = {
    r"\.(jsonl|parquet)$": "a .jsonl or .parquet file",
    r"^[0-9a-f]{64}$": "64 hexadecimal digits in lower case, as sha256sum prints them",
    r"^[0-9a-f]{40}$": "a commit's 40 hexadecimal digits in lower case",
    r"^[a-z0-9][a-z0-9._-]*$": "lower-case letters, digits, dots, dashes and underlines, a letter or digit first",
}
"""What the patterns of records require, in words."""
KINDS_OF_VALUE = {
    "tuple_type": "a list, such as [one, two]",
    "list_type": "a list, such as [one, two]",
    "dict_type": "a mapping, such as {name: value}",
    "model_type": "a mapping of fields",
    "model_attributes_type": "a mapping of fields",
}
"""YAML's words for the types that pydantic names in Python's."""


def explain(error: ValidationError, record: type[BaseModel]) -> str:
    """Return one line for a pydantic error: field, found, expected, fix, other errors.

    A misspelt field comes first: the field it stands for is missing only because of it.
    """
    places = _by_place(error, record)
    place, problems = min(places.items(), key=lambda item: item[1][0]["type"] != "extra_forbidden")
    field = f"field {'.'.join(_shortened(str(part)) for part in place)}: " if place else ""
    others = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    return f"{field}{_told(problems, record)}{others}"


def _by_place(
    error: ValidationError, record: type[BaseModel]
) -> dict[FieldPlace, list[ErrorDetails]]:
    """Return the problems at each place of the input.

    A list whose items are wrong is not also reported as too short.
    """
    problems = error.errors(include_url=False)
    found: dict[FieldPlace, list[ErrorDetails]] = {}
    for problem in problems:
        place = problem["loc"]
        within = any(
            other["loc"][: len(place)] == place
            for other in problems
            if len(other["loc"]) > len(place)
        )
        if problem["type"] == "too_short" and within:
            continue
        branch = len(place) > 0 and _is_branch(record, place)
        found.setdefault(place[:-1] if branch else place, []).append(problem)
    return found


def _told(problems: list[ErrorDetails], record: type[BaseModel]) -> str:
    """Return what is wrong at one place, in words."""
    first = problems[0]
    where, kind = first["loc"], first["type"]
    if kind == "extra_forbidden":
        known = _fields(record, where[:-1])
        return f"unknown; {_nearest(str(where[-1]), known)}correct the name or remove it"
    if kind == "missing":
        return "missing; add it"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        invalid = kind == "union_tag_invalid"
        found = (
            f"kind {first['ctx']['tag']!r}"
            if invalid
            else f"{brief(first['input'])}, which has no kind"
        )
        return f"found {found}; say kind: one of {', '.join(_kinds(_annotation(record, where)))}"
    whole = kind == "value_error" and isinstance(first["input"], dict | BaseModel)
    # A check of a whole record says itself what it found.
    found = "" if whole else f"found {brief(first['input'])}; "
    first_words, *others = dict.fromkeys(map(_expected, problems))
    return found + " or ".join(
        [first_words, *(words.removeprefix("expected ") for words in others)]
    )


def _expected(problem: ErrorDetails) -> str:
    """Return what one problem expects, in words."""
    context = problem.get("ctx", {})
    if problem["type"] == "string_pattern_mismatch" and context["pattern"] in PATTERNS:
        return f"expected {PATTERNS[context['pattern']]}"
    if problem["type"] == "too_short":
        return f"expected at least {context['min_length']}; add what is missing"
    if problem["type"] in KINDS_OF_VALUE:
        return f"expected {KINDS_OF_VALUE[problem['type']]}"
    words = problem["msg"].removeprefix("Value error, ")
    if words.startswith(("Input should be greater", "Input should be less")):
        return words.replace("Input should be", "expected a number", 1)
    return (
        words.replace("Input should be", "expected", 1)
        if words.startswith("Input should be ")
        else words
    )


def _nearest(name: str, known: list[str]) -> str:
    """Return the field a misspelt name may stand for, and all known ones."""
    return nearest(name, known) + (f"known are {', '.join(known)}; " if known else "")


def brief(value: Any) -> str:
    """Return a value as messages show it."""
    return _shortened("nothing" if value is None else repr(value))


def _shortened(text: str) -> str:
    """Return a text cut to 60 characters."""
    return text if len(text) <= 60 else text[:57] + "…"


def _fields(record: type[BaseModel], where: FieldPlace) -> list[str]:
    """Return the fields known at `where` in `record`.

    Empty where several kinds of record are possible.
    """
    found = _members(_annotation(record, where))
    return list(found[0].model_fields) if len(found) == 1 and _is_record(found[0]) else []


def _is_branch(record: type[BaseModel], where: FieldPlace) -> bool:
    """Return whether a problem's place ends in the name of a plain type, not of a field."""
    members = _members(_annotation(record, where[:-1]))
    return len(members) > 1 and not any(map(_is_record, members))


def _kinds(annotation: Any) -> list[str]:
    """Return the possible values of `kind` where one of several records is expected."""
    return [_tag(member) for member in _members(annotation) if _is_record(member)]


def _annotation(record: type[BaseModel], where: FieldPlace) -> Any:
    """Return the type expected at a problem's place; None where none is."""
    found: Any = record
    for part in where:
        found = _inside(found, part)
    return found


def _inside(annotation: Any, part: int | str) -> Any:
    """Return the type of a part of a record, union or list."""
    members = _members(annotation)
    if len(members) > 1:  # The part names the one that pydantic tried.
        return next(
            (
                member
                for member in members
                if part in (_tag(member), getattr(member, "__name__", None))
            ),
            None,
        )
    if _is_record(members[0]):
        field = members[0].model_fields.get(part)
        return field.annotation if field else None
    return next(reversed([item for item in get_args(members[0]) if item is not Ellipsis]), None)


def _members(annotation: Any) -> list[Any]:
    """Return the types of a union except None; for any other type, that type alone."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [
            member
            for item in get_args(annotation)
            if item is not type(None)
            for member in _members(item)
        ]
    return [annotation]


def _is_record(annotation: Any) -> bool:
    """Return whether a type is a record."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tag(member: Any) -> str:
    """Return a record's `kind`; empty where it has none."""
    kind = member.model_fields.get("kind") if _is_record(member) else None
    return str(kind.default) if kind else ""
