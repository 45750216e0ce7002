"""Sources of training texts: the entries of manifests/datasets.yaml.

Local sources need no download: the interpreter's own library, its documentation, and files of the
project or the user. Hub sources are pinned to a revision, files to their content. A domain (code,
math, natural_language, …) is a list of sources in equal shares (docs/SCIENCE.md §9).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from repro.errors import ManifestError
from repro.files import file_digest, is_file
from repro.frozen import Frozen
from repro.manifest.model import Revision, Sha256
from repro.manifest.names import Name


def template_parts(template: str) -> list[tuple[str, str]]:
    """Return (text, name of the field after it) from start to end.

    An empty name where no field follows. Raises ValueError for a template that names no field,
    or contains anything but field names in braces.
    """
    own = "write a brace of the text itself as {{ or }}"
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"expected braces around names of fields alone ({error}); {own}") from None
    for _, name, spec, conversion in parsed:
        if spec or conversion:
            raise ValueError(
                f"expected the name of a field between braces, without a format (`:` or `!`); {own}"
            )
        if name is not None and (not all(path_of(name)) or path_of(name)[0].isdigit()):
            raise ValueError(
                f"expected the name of a field between braces, e.g. {{text}}, not {{{name}}}; {own}"
            )
    if not any(name for _, name, _, _ in parsed):
        raise ValueError(
            "expected one field of the records at least, e.g. {text}; put its name between braces"
        )
    return [(text, name or "") for text, name, _, _ in parsed]


def path_of(name: str) -> list[str]:
    """Return the parts of a field's name.

    A dot enters a field (``labels.domain``), as brackets do (``labels[domain]``).
    """
    return name.replace("]", "").replace("[", ".").split(".")


def _readable(template: str) -> str:
    """Return the template. Raises ValueError for one that cannot be read."""
    template_parts(template)
    return template


Template = Annotated[str, AfterValidator(_readable)]
"""Turns one record into one text: field names in braces."""


class HubDataset(Frozen):
    """A data set on the hub at a pinned revision."""

    kind: Literal["hub"] = "hub"
    repository: str
    revision: Revision
    configurations: tuple[str, ...] = ()
    """Parts of the set (its subjects, dates, languages), one after the other; empty: the set
    has none.
    """
    split: str = "train"
    files: tuple[str, ...] = ()
    """Files inside the repository to read directly, for a set published as a script, or to read
    only the first of many.

    Parquet, JSON lines, or zip archives, from which the JSON lines in the folder of the split
    are read.
    """
    records: int | None = Field(default=None, gt=0, le=1 << 40)
    """Read only this many records from the start, in the publisher's order: a prefix, not a
    random sample. None: all.
    """
    template: Template
    """Turns one record into one text, e.g. ``{question}\\n{answer}``; a dot enters a field."""
    gibibytes: float | None = Field(default=None, gt=0)
    """Most disk that its texts take, for plans only. None: unknown."""
    note: str = ""


class StandardLibrary(Frozen):
    """Functions and classes of the running interpreter's standard library, as code."""

    kind: Literal["standard_library"] = "standard_library"


class PythonTopics(Frozen):
    """Paragraphs of prose from the interpreter's language reference (``pydoc_data.topics``)."""

    kind: Literal["python_topics"] = "python_topics"


class LocalFile(Frozen):
    """Records in a file: JSON lines (``.jsonl``) or Parquet (``.parquet``)."""

    kind: Literal["file"] = "file"
    path: str = Field(pattern=r"\.(jsonl|parquet)$")
    """Relative to the folder of the YAML file that names it.

    The content decides a run's identity, not the place.
    """
    sha256: Sha256 | None = None
    """Digest of the file: filled in when it is read, or given, and then any other content is
    refused.
    """
    template: Template = "{text}"
    """Turns one record into one text; a dot enters a field."""
    only: dict[str, str | int | bool] = Field(default={})
    """Select records whose fields equal these, e.g. ``{labels.domain: legal}``; a dot enters a
    field. Empty: all.
    """

    def found(self, folder: Path, where: str) -> "LocalFile":
        """Return the source with its absolute path and digest.

        Raises ManifestError when the file is absent or another one.
        """
        path = (folder / self.path).absolute()
        if not is_file(path):
            if os.path.isdir(path):
                raise ManifestError(
                    f"{where}: field path: {path} is a folder, expected a file; name one file in it"
                )
            raise ManifestError(
                f"{where}: field path: found no file {path}; correct the path or put the file there"
            )
        try:
            sha256 = file_digest(path)
        except OSError as error:
            raise ManifestError(
                f"{where}: field path: {path} cannot be read ({error.strerror})"
            ) from None
        if self.sha256 not in (None, sha256):
            raise ManifestError(
                f"{where}: field sha256: {path} has {sha256[:12]}, expected "
                f"{str(self.sha256)[:12]}; "
                "restore the file, or state the new digest"
            )
        return self.model_copy(update={"path": str(path), "sha256": sha256})


Data = Annotated[
    HubDataset | StandardLibrary | PythonTopics | LocalFile, Field(discriminator="kind")
]


class Source(Frozen):
    """A named source of training texts."""

    id: Name
    data: Data


def sources_of(named: Mapping[str, Data], folder: Path, where: str) -> dict[str, Source]:
    """Return sources by id, with files located below `folder`. Raises ManifestError."""
    return {
        key: Source(
            id=key,
            data=data.found(folder, f"{where}: {key}") if isinstance(data, LocalFile) else data,
        )
        for key, data in named.items()
    }


def identity(source: dict[str, object]) -> dict[str, object]:
    """Return the part of a dumped source that decides its texts.

    A file's content counts, not its place; a choice of records counts, not its size.
    """
    data = source["data"]
    assert isinstance(data, dict)
    silent = {"file": {"path"}, "hub": {"gibibytes"}}.get(data["kind"], set())
    kept = {
        key: value
        for key, value in data.items()
        if key not in silent and (key, value) != ("records", None)
    }
    return {**source, "data": kept}
