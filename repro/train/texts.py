"""Return training texts by source: a list of strings in an order that depends on the source alone.

The interpreter's standard library is code, its language reference is prose, and a file of generated
problems comes with the project: texts for a machine that cannot download anything.
"""

import ast
import json
import os
import re
import sysconfig
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from repro.errors import SetupError
from repro.files import file_digest, sync_folder, way_out, write_bytes
from repro.manifest.data import HubDataset, LocalFile, PythonTopics, Source, StandardLibrary
from repro.plan.texts import texts_file
from repro.train.records import hub, local

SHORTEST, _LONGEST = 200, 4000  # characters of a function or class that makes a useful example
SKIPPED = {
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "site-packages",
    "turtledemo",
    "__pycache__",
    "pydoc_data",
}


def texts(source: Source, edition: str, cache: Path) -> list[str]:
    """Return all texts of a source from the cache.

    Raises SetupError when they are missing or were changed.
    """
    path = texts_file(cache, source, edition)
    try:
        found = file_digest(path)
        expected = path.with_suffix(".sha256").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(
            f"data {source.id} ({edition}): not in the cache {cache}; bring it there: repro "
            "fetch NAME"
        ) from error
    if found != expected:
        raise SetupError(
            f"{path}: found sha256 {found[:12]}, expected {expected[:12]}; remove it and fetch "
            "again"
        )
    try:
        with path.open("rb") as lines:
            found_texts = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        found_texts = [None]
    if not all(isinstance(text, str) for text in found_texts):
        raise SetupError(
            f"{path}: holds something else than a text a line; remove it and fetch again"
        )
    return found_texts


def materialise_texts(source: Source, destination: Path) -> None:
    """Write a source's texts to `destination`, with their digest beside it.

    The file has one JSON string a line. One text at a time, whatever the size of the set; the
    file appears when it is complete and its digest is written. Raises SetupError when the
    source is not available here or the disk is full.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        _write(original(source), destination)
        sync_folder(destination.parent)
    except OSError as error:
        raise SetupError(
            f"{destination}: could not be written ({error.strerror}); {way_out(error)}"
        ) from error


def _write(written: Iterable[str], destination: Path) -> None:
    """Write texts to a temporary file, then its digest, then rename it."""
    handle, name = tempfile.mkstemp(
        prefix=f".{destination.name}.", suffix=".tmp", dir=destination.parent
    )
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for text in written:
                file.write(json.dumps(text).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        write_bytes(destination.with_suffix(".sha256"), file_digest(beside).encode())
        os.replace(beside, destination)
    finally:
        beside.unlink(missing_ok=True)


def original(source: Source) -> Iterable[str]:
    """Return all texts of a source from its origin.

    Raises SetupError when it is not available here.
    """
    match source.data:
        case StandardLibrary():
            return standard_library()
        case PythonTopics():
            return python_topics()
        case HubDataset():
            return hub(source.data)
        case LocalFile():
            return local(source.data)


@cache
def standard_library() -> list[str]:
    """Return the standard library's top-level functions and classes, by file name and line."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(
        path for path in root.rglob("*.py") if not SKIPPED & set(path.relative_to(root).parts)
    )
    return [text for path in files for text in _definitions(path)]


def _definitions(path: Path) -> list[str]:
    """Return the functions and classes of a file that have a useful length."""
    try:
        content = path.read_text(encoding="utf-8")
        tree = ast.parse(content)
    except (UnicodeDecodeError, SyntaxError):
        return []  # a few library files are deliberately broken or in another encoding
    lines = content.splitlines()
    kept = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if SHORTEST <= len(text) <= _LONGEST:
                kept.append(text)
    return kept


@cache
def python_topics() -> list[str]:
    """Return paragraphs of prose from the language reference.

    Sentences count, not listings, tables or grammar.
    """
    from pydoc_data.topics import topics

    paragraphs = [part for key in sorted(topics) for part in topics[key].split("\n\n")]
    prose = [re.sub(r"\s+", " ", part).strip() for part in paragraphs if _is_prose(part)]
    return list(dict.fromkeys(prose))


def _is_prose(paragraph: str) -> bool:
    """Return whether a paragraph is prose."""
    text = paragraph.strip()
    letters = sum(character.isalpha() or character.isspace() for character in text)
    listing = ">>>" in text or "::=" in text or text.startswith(("|", "+", "*", "-", "="))
    return (
        len(text) >= SHORTEST
        and not listing
        and text[0].isupper()
        and text[-1] in ".!?:"
        and letters > 0.88 * len(text)
    )
