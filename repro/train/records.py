"""Turn records of data sets and files into texts, each through its source's template.

The stored order is kept. Each record comes with its position in words: the line of a file, the row
of a table, the number in a set.
"""

import gzip
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from repro.errors import InputError, SetupError, first_line
from repro.manifest.data import HubDataset, LocalFile, path_of, template_parts
from repro.spelling import no_text

Placed = tuple[str, Mapping[str, Any]]
"""(position in words, record)."""


def hub(data: HubDataset) -> Iterator[str]:
    """Yield the texts of a hub data set at its pinned revision.

    One by one, so that no set is held in memory. Raises SetupError when the set is not
    available here or has fewer records than the source says.
    """
    from datasets.exceptions import DatasetsError

    where, found = f"data set {data.repository}@{data.revision[:12]}", 0
    try:
        records = enumerate(islice(_records(data), data.records), 1)
        for _, text in through(
            data.template, ((f"{where}: record {number}", record) for number, record in records)
        ):
            yield text
            found += 1
    except (OSError, ValueError, RuntimeError, DatasetsError, zipfile.BadZipFile) as error:
        problem = first_line(error)
        raise SetupError(
            f"{where}: cannot be had here ({problem}); fetch it on a connected machine and "
            "copy the cache, name another "
            "source in the manifest (a file of your own: kind: file), or use the manifest's "
            "twin that needs no download"
        ) from error
    if found < (data.records or 1):
        raise SetupError(
            f"{where}: found {found} records, expected {data.records or 'at least 1'}; correct "
            "the source"
        )


def _records(data: HubDataset) -> Iterator[Mapping[str, Any]]:
    """Yield the records part by part or file by file.

    Where only the first ones are needed, the others are not downloaded either.
    """
    import datasets

    streaming = data.records is not None
    if data.files and data.files[0].endswith(".zip"):
        for name in data.files:
            yield from _zipped(data, name)
        return
    if data.files:
        files = [f"hf://datasets/{data.repository}@{data.revision}/{name}" for name in data.files]
        builder = "parquet" if data.files[0].endswith(".parquet") else "json"
        yield from datasets.load_dataset(
            builder, data_files=files, split="train", streaming=streaming
        )
        return
    for configuration in data.configurations or (None,):
        yield from datasets.load_dataset(
            data.repository,
            configuration,
            split=data.split,
            revision=data.revision,
            streaming=streaming,
        )


def _zipped(data: HubDataset, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON lines in the split's folder of an archive.

    The archive may also hold other splits and other kinds of files.
    """
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(data.repository, name, repo_type="dataset", revision=data.revision)
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            if data.split in PurePath(member).parts[:-1] and member.endswith(
                (".jsonl", ".jsonl.gz")
            ):
                with (
                    archive.open(member) as file,
                    gzip.open(file) if member.endswith(".gz") else file as lines,
                ):
                    yield from map(json.loads, lines)


def local(data: LocalFile) -> list[str]:
    """Return the text of every record of a file of JSON lines or Parquet.

    Raises InputError naming the line or row that is wrong, or the file that is not there.
    """
    path = Path(data.path)
    if not path.is_file():
        raise InputError(
            f"{path}: found no file, expected the records that a manifest names; bring it back, or "
            "correct the path"
        )
    records = list(_parquet(path) if path.suffix == ".parquet" else _json_lines(path))
    if not records:
        raise InputError(f"{path}: holds no record; give it at least one")
    chosen = [(where, record) for where, record in records if _matches(record, data, where)]
    if not chosen:
        raise InputError(
            f"{path}: none of its {len(records)} records has {_spelled(data.only)}; correct `only`"
        )
    return [_not_blank(where, text) for where, text in through(data.template, chosen)]


def _not_blank(where: str, text: str) -> str:
    """Return the text unchanged.

    Raises InputError for a blank text or one with unreadable characters. Published data sets
    are not checked like this; the author of a local file can correct it.
    """
    if not text.strip():
        raise InputError(
            f"{where}: found a blank text ({text!r}), expected words to train on; fill it or "
            "remove it"
        )
    if found := no_text(text):
        raise InputError(f"{where}: found {found}, expected text; remove it")
    return text


def _matches(record: Mapping[str, Any], data: LocalFile, where: str) -> bool:
    """Return whether the record has the fields that `only` selects.

    Raises InputError for a field it lacks.
    """
    return all(field(record, name, where, "`only`") == wanted for name, wanted in data.only.items())


def field(record: Mapping[str, Any], name: str, where: str, asking: str) -> Any:
    """Return a record's value under a name; a dot enters a field, a number a list.

    Raises InputError when there is no value.
    """
    try:
        return record[name] if name in record else _entered(record, path_of(name))
    except LookupError:
        raise InputError(
            f"{where}: has no field {name!r}, which {asking} asks for; it has "
            f"{', '.join(record) or 'none'} "
            "(a dot enters a field); correct the name there, or the record"
        ) from None


def _entered(found: Any, parts: list[str]) -> Any:
    """Return the value at the parts of a name.

    Several parts may be one key with dots in it. Raises LookupError.
    """
    if not parts:
        return found
    if isinstance(found, list) and parts[0].isdigit():
        return _entered(found[int(parts[0])], parts[1:])
    for length in range(len(parts), 0, -1) if isinstance(found, Mapping) else ():
        if (key := ".".join(parts[:length])) in found:
            return _entered(found[key], parts[length:])
    raise LookupError


def _spelled(only: Mapping[str, object]) -> str:
    """Return the wanted fields in words."""
    return ", ".join(f"{name} = {wanted!r}" for name, wanted in only.items())


def _json_lines(path: Path) -> Iterator[Placed]:
    """Yield the records of a file of JSON lines. Raises InputError naming the line."""
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line, object_pairs_hook=_once)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{where}: not UTF-8 (byte {line[error.start]:#x}); save the file as UTF-8"
            ) from error
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{where}: not JSON ({error}); write one JSON object a line"
            ) from error
        if not isinstance(record, dict):
            raise InputError(
                f"{where}: found {_kind(record)}, expected an object with fields; write one "
                "JSON object a line"
            )
        yield where, record


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object whose keys are unique. Raises ValueError for a repeated key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object, and only one can be meant")
    return found


def _parquet(path: Path) -> list[Placed]:
    """Return the rows of a Parquet file. Raises InputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        TypeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        problem = first_line(error)
        raise InputError(
            f"{path}: cannot be read as Parquet ({problem}); write it again"
        ) from error
    return [(f"{path}: row {number}", row) for number, row in enumerate(rows, 1)]


def through(template: str, records: Iterable[Placed]) -> Iterator[tuple[str, str]]:
    """Yield (position, text) of each record: the template, filled with the record's fields.

    Raises InputError for a record without the fields the template needs, or without text.
    """
    parts, asking = template_parts(template), f"the template {template!r}"
    for where, record in records:
        filled = (
            (text, _text(field(record, name, where, asking), name, where) if name else "")
            for text, name in parts
        )
        text = "".join(text + value for text, value in filled)
        if found := no_text(text, strict=False):
            raise InputError(
                f"{where}: found {found}, which no tokenizer reads; write the text again, whole"
            )
        yield where, text


def _text(value: Any, name: str, where: str) -> str:
    """Return a field as text.

    Words and numbers are text; missing values, lists, objects and bytes are not.
    """
    # pandas writes a missing value as NaN.
    missing = isinstance(value, float) and not math.isfinite(value)
    if value is None or missing or isinstance(value, list | Mapping | bytes):
        raise InputError(
            f"{where}: found {_kind(value)} in field {name!r}, expected text; name another "
            "field in `template`, or "
            "correct the record where it is yours"
        )
    return str(value)


def _kind(value: Any) -> str:
    """Return the kind of a value, in JSON's words."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value).replace("nan", "NaN").replace("inf", "Infinity")
    kinds = {
        type(None): "null",
        list: "a list",
        dict: "an object",
        str: "a text",
        bool: "true or false",
    }
    return kinds.get(
        type(value), "a number" if isinstance(value, int | float) else type(value).__name__
    )
