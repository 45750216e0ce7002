"""What a paper's YAML may say of its claims, as records: fields, blocks, statements, tables.

Their description: manifests/papers/README.md. A paper's own axes are fields beside the common ones,
so the records are made for them. What is read here is only checked; claims are built from the
fields themselves, after inheritance (`build`).
"""

import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from repro.claims.printed import Decimals
from repro.claims.selector import SELECTOR_KEYS, Scalar
from repro.claims.term import Statistic, Where
from repro.claims.tolerance import ClaimKind, Tolerance
from repro.errors import ManifestError
from repro.manifest.yaml import validate

_STRICT = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    protected_namespaces=(),
)


def _characters(given: Any) -> Any:
    if isinstance(given, (int, float, bool)):
        raise ValueError(
            "expected the paper's characters in quotes; YAML reads 1.50 without them as 1.5"
        )
    return given


_ALSO_CALLED: dict[str, str] = {
    "average": "mean", "avg": "mean", "std": "sd", "stdev": "sd", "standard_deviation": "sd", "sem": "se",
    "standard_error": "se", "maximum": "max", "minimum": "min", "percent": "percentage", "delta": "difference",
    "factor": "ratio", "total": "sum", "increase": "relative_change", "number": "count", "range": "span", "p": "p_two",
}  # fmt: skip
"""What other fields call the statistics, for the hint."""


def _one_of(known: tuple[str, ...], what: str) -> BeforeValidator:
    def check(given: Any) -> Any:
        if isinstance(given, str) and given not in known:
            near = get_close_matches(given.lower(), (*known, *_ALSO_CALLED), 1)
            hint = f"nearest is {_ALSO_CALLED.get(near[0], near[0])}; " if near else ""
            raise ValueError(f"expected a {what}; {hint}known are {', '.join(known)}")
        return given

    return BeforeValidator(check)


RESERVED = frozenset(dir(BaseModel)) | {
    "printed", "says", "statistic", "quantity", "over", "among", "of", "against", "which", "order", "where", "formula",
    "kind", "unit", "value", "sign", "precision", "about", "decimal", "spread", "parts", "total", "measured_by",
    "unverifiable", "tolerance", "note", "reads", "headline", "locator", "statements", "claims", "table", "keys", "columns",
    "rows", "cells", "ignore", "nothing", "draft",
}  # fmt: skip
"""Names that no axis of a paper may have."""
Characters = Annotated[str, BeforeValidator(_characters)]
KNOWN = _one_of(get_args(Statistic), "statistic")
KnownStatistic = Annotated[Statistic, KNOWN]
SpreadKind = Literal["sd", "se", "ci", "range", "iqr"]


class WrittenSpread(BaseModel):
    """What the ± or the brackets of a cell are."""

    model_config = _STRICT

    kind: SpreadKind
    """Standard deviation or error, IQR; half-width or ends of a confidence interval or range."""
    level: float | None = Field(None, gt=0, lt=100)
    """Of a confidence interval, in percent; 95 when left out."""
    around: Literal["mean", "median"] | None = None
    """What it stands beside; a median beside an IQR, else a mean."""
    shared: Literal["row"] | None = None
    """`row`: printed once in a table's row, it belongs to every number of the row."""


class WrittenFields(BaseModel):
    """Fields of a claim without its selector keys; all may be given higher up, or taken by null."""

    model_config = _STRICT

    says: Characters | None = None
    quantity: str | None = None
    statistic: KnownStatistic | None = None
    over: str | None = None
    among: list[Scalar] | None = None
    which: Scalar | None = None
    order: Literal["increasing", "decreasing"] | None = None
    where: Where | None = None
    formula: str | None = None
    kind: Annotated[ClaimKind, _one_of(get_args(ClaimKind), "kind of claim")] | None = None
    unit: str | None = None
    value: bool | float | str | list[Scalar] | None = None
    sign: Literal[-1, 1] | None = None
    precision: float | None = Field(None, ge=0)
    about: float | None = Field(None, gt=0, lt=100)
    """Percent either way that "about" and its kin allow."""
    decimal: Decimals | None = None
    """The decimal mark of the paper, where digits alone do not tell."""
    spread: WrittenSpread | SpreadKind | None = None
    """What the ± or the brackets of the cell are."""
    total: int | None = Field(None, ge=1)
    measured_by: str | None = None
    unverifiable: str | None = None
    tolerance: Tolerance | None = None
    note: str | None = None
    reads: Literal["text"] | None = None
    headline: bool | None = None
    """Whether it is one of the paper's headline claims, which are one family of tests."""


class WrittenClaim(BaseModel):
    """One claim: its printed characters and fields of its own."""

    printed: Characters = Field(min_length=1)


class WrittenBlock(BaseModel):
    """One place of a paper: statements, a table, and fields that their claims inherit."""

    locator: str = Field(min_length=1)
    """Where it stands: Abstract, §4.1, Table 3."""
    table: str | None = None
    keys: dict[str, str] = {}
    """Column → the selector key that its cells are levels of."""
    ignore: dict[str, str] | list[str] = {}
    """Column → why it holds no claims."""
    nothing: list[str] = []
    """Cells that hold nothing, beside an empty one, — and N/A."""


@cache
def block_record(axes: tuple[str, ...] = ()) -> type[BaseModel]:
    """Return the record of a block of claims whose paper has these axes beside the common ones."""
    inner: dict[str, Any] = dict.fromkeys(sorted({*SELECTOR_KEYS, *axes}), (Scalar | None, None))
    inner |= {
        "of": (
            "Annotated[Fields | str | None, KNOWN]",
            Field(None, description="What is compared, or computed at each level of over."),
        ),
        "against": (
            "Fields | None",
            Field(None, description="What it is compared with; inherits from `of`."),
        ),
        "parts": (
            "list[Fields | str] | None",
            Field(
                None,
                description="The numbers of a cell, each with its fields; a text: why one is no claim.",
            ),
        ),
    }
    with warnings.catch_warnings():
        # an axis may be called as a method of the record is
        warnings.simplefilter("ignore", UserWarning)
        fields: Any = create_model("Fields", __base__=WrittenFields, __module__=__name__, **inner)
        claim: Any = create_model("Claim", __base__=(WrittenClaim, fields))
        statement: Any = create_model(
            "Statement", __base__=fields, claims=(list[claim], Field(min_length=1))
        )
        block: type[BaseModel] = create_model(
            "Block",
            __base__=(WrittenBlock, fields),
            statements=(list[statement], []),
            columns=(dict[str, fields], {}),
            rows=(dict[str, fields], {}),
            cells=(dict[str, dict[str, fields]], {}),
        )
    return block


def read_block(content: Any, where: str, axes: Iterable[str] = ()) -> dict[str, Any]:
    """Return the fields of a block once they are checked. Raises ManifestError for what is none."""
    try:
        validate(block_record(tuple(axes)), content, where)
    except ManifestError as error:
        if ": unknown; " not in str(error):
            raise
        raise ManifestError(f"{error}; or declare a new axis in paper.yaml (axes)") from None
    if not content.get("statements") and "table" not in content:
        raise ManifestError(
            f"{where}: holds neither statements nor a table, so no claim; add them or remove the "
            "block"
        )
    return dict(content)
