"""The shape of a block of claims in a paper's YAML: what lists and mappings hold, before any claim is read from them.

The fields of a claim itself are read by `claim_build` (format: manifests/papers/README.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from repro.errors import ManifestError, ReproError
from repro.manifest.yaml import validate

Fields = dict[str, Any]


class Statement(BaseModel):
    """A sentence, fields that its claims inherit, and the claims."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    claims: list[Fields] = Field(default=[])


class Block(BaseModel):
    """One place of a paper: statements, a table, and fields that their claims inherit."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    locator: str = Field(min_length=1)
    """Where it stands: Abstract, §4.1, Table 3."""
    statements: list[Statement] = Field(default=[])
    table: str | None = None
    keys: dict[str, str] = Field(default={})
    columns: dict[str, Fields] = Field(default={})
    rows: dict[str, Fields] = Field(default={})
    ignore: dict[str, str] | list[str] = Field(default={})
    nothing: list[str] = Field(default=[])


def read_block(content: Any, where: str) -> Fields:
    """The fields of a block whose lists and mappings are what they should be. Raises ManifestError."""
    validate(Block, content, where)
    return dict(content)


@contextmanager
def one_line(where: str) -> Iterator[None]:
    """Turn what a field of another kind than expected leads to, wherever it is read, into one line with its place."""
    try:
        yield
    except ReproError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        RecursionError,
    ) as error:
        problem = (str(error).splitlines() or [""])[0]
        raise ManifestError(
            f"{where}: a claim cannot be read ({type(error).__name__}: {problem}); a field has another form than "
            "manifests/papers/README.md describes"
        ) from error
