"""Records of data sets and files as texts: each through the template of its source, in the order they are stored."""

import gzip
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from repro.errors import InputError, SetupError
from repro.manifest.data import HubDataset, LocalFile


def hub(data: HubDataset) -> Iterator[str]:
    """The texts of a hub data set at its pinned revision, one after the other, so that no set is held in memory.

    Raises SetupError when it cannot be had here or has fewer records than the source says.
    """
    from datasets.exceptions import DatasetsError

    where, found = f"data set {data.repository}@{data.revision[:12]}", 0
    try:
        for text in through(data.template, islice(_records(data), data.records), where):
            yield text
            found += 1
    except (OSError, ValueError, RuntimeError, DatasetsError, zipfile.BadZipFile) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        raise SetupError(
            f"{where}: cannot be had here ({problem}); fetch it on a connected machine and copy the cache, name another "
            "source in the manifest (a file of your own: kind: file), or use the manifest's twin that needs no download"
        ) from error
    if found < (data.records or 1):
        raise SetupError(f"{where}: found {found} records, expected {data.records or 'at least 1'}; correct the source")


def _records(data: HubDataset) -> Iterator[Mapping[str, Any]]:
    """Part by part or file by file. Where only the first are asked for, the others are not downloaded either."""
    import datasets

    streaming = data.records is not None
    if data.files and data.files[0].endswith(".zip"):
        for name in data.files:
            yield from _zipped(data, name)
        return
    if data.files:
        files = [f"hf://datasets/{data.repository}@{data.revision}/{name}" for name in data.files]
        builder = "parquet" if data.files[0].endswith(".parquet") else "json"
        yield from datasets.load_dataset(builder, data_files=files, split="train", streaming=streaming)
        return
    for configuration in data.configurations or (None,):
        yield from datasets.load_dataset(
            data.repository, configuration, split=data.split, revision=data.revision, streaming=streaming
        )


def _zipped(data: HubDataset, name: str) -> Iterator[Mapping[str, Any]]:
    """JSON lines in the split's folder of an archive, which holds the other splits and files of other kinds besides."""
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(data.repository, name, repo_type="dataset", revision=data.revision)
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            if data.split in PurePath(member).parts[:-1] and member.endswith((".jsonl", ".jsonl.gz")):
                with archive.open(member) as file, gzip.open(file) if member.endswith(".gz") else file as lines:
                    yield from map(json.loads, lines)


def local(data: LocalFile) -> list[str]:
    """Every record of a file of JSON lines or Parquet. Raises InputError naming the line that is wrong."""
    path = Path(data.path)
    records = _parquet(path) if path.suffix == ".parquet" else list(_json_lines(path))
    if not records:
        raise InputError(f"{path}: holds no record; give it at least one")
    chosen = [record for number, record in enumerate(records, 1) if _matches(record, data, f"{path}: record {number}")]
    if not chosen:
        raise InputError(f"{path}: none of its {len(records)} records has {_spelled(data.only)}; correct `only`")
    return list(through(data.template, chosen, str(path)))


def _matches(record: Mapping[str, Any], data: LocalFile, where: str) -> bool:
    """Whether the record's fields are those `only` names. Raises InputError for a field it does not have."""
    return all(_field(record, name, where) == wanted for name, wanted in data.only.items())


def _field(record: Mapping[str, Any], name: str, where: str) -> Any:
    found: Any = record
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise InputError(
                f"{where} has no field {name!r}, which `only` asks for; it has {', '.join(record)} (a dot enters a field)"
            )
        found = found[part]
    return found


def _spelled(only: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {wanted!r}" for name, wanted in only.items())


def _json_lines(path: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}:{number}: not JSON ({error}); write one JSON object a line") from error
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: found {type(record).__name__}, expected an object with fields")
        yield record


def _parquet(path: Path) -> list[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_table(path).to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]}); write it again") from error


def through(template: str, records: Iterable[Mapping[str, Any]], where: str) -> Iterator[str]:
    """Each record through the template. Raises InputError for a record without the fields it asks for."""
    for number, record in enumerate(records, 1):
        try:
            yield template.format_map(record)
        except KeyError as error:
            raise InputError(
                f"{where}: record {number} has no field {error.args[0]!r}, which the template {template!r} asks for; "
                f"it has {', '.join(record)}"
            ) from error
