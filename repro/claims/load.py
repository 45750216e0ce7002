"""The claims of one paper's files: blocks are checked, built, given ids, held to their text."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repro.claims.build import build_claims, finish
from repro.claims.claim import Claim
from repro.claims.manifests import is_manifest_path, manifest_beside, manifest_near
from repro.claims.parts import inherit, rename_levels
from repro.claims.printed import Decimals, read
from repro.claims.selector import SELECTOR_KEYS, Scalar
from repro.claims.sentence import PaperText, stands_in
from repro.claims.table import PrintedTable, Table, TableCell
from repro.claims.term import Term
from repro.claims.written import read_block
from repro.errors import ManifestError, ReproError, first_line
from repro.manifest.load import find_manifest, place_manifest
from repro.manifest.yaml import read_yaml
from repro.names import nearest

BLOCK_FIELDS = (
    "locator",
    "statements",
    "table",
    "keys",
    "columns",
    "rows",
    "cells",
    "ignore",
    "nothing",
)
EmptyCell = tuple[str, dict[str, Scalar]]
"""A quantity and its selector."""


class Loader:
    """Reads the files of one paper; what they have in common is collected here."""

    def __init__(
        self,
        folder: Path,
        axes: tuple[str, ...],
        aliases: Mapping[str, Mapping[str, Scalar]],
        defaults: Mapping[str, Any],
        manifests: Mapping[str, Path | None],
        text: PaperText | None,
        checked: bool = True,
    ) -> None:
        self.paper, self.folder, self.axes, self.aliases, self.defaults = (
            folder.name,
            folder,
            axes,
            aliases,
            defaults,
        )
        self.manifests, self.text, self.checked = manifests, text, checked
        self.empty: list[EmptyCell] = []
        """Cells of tables that are there and hold nothing."""
        self.tables: list[PrintedTable] = []
        """Its tables, with the claims of their cells."""
        self._seen = Counter[str]()
        self._marks: dict[str, tuple[str, str]] = {}

    def claims(self, file: Path) -> Iterator[Claim]:
        """Yield the claims of one file. Raises ManifestError with the place of what is wrong."""
        content = read_yaml(file)
        for number, given in enumerate(content if isinstance(content, list) else [content], 1):
            locator = given.get("locator") if isinstance(given, dict) else None
            where = (
                f"{file}, {locator}"
                if isinstance(locator, str) and locator
                else f"{file}: block {number}"
            )
            if isinstance(given, dict) and "draft" in given:
                raise ManifestError(f"{where}: field draft: {_asks(given['draft'])}")
            block = read_block(given, where, self.axes)
            with errors_with_place(where):
                yield from self._claims(block, where)

    def _claims(self, block: Mapping[str, Any], where: str) -> Iterator[Claim]:
        """Yield a block's claims with ids; a second claim of one id gets ~2."""
        self._check_axes((block.get("keys") or {}).values(), f"{where}: field keys")
        own = {key: value for key, value in block.items() if key not in BLOCK_FIELDS}
        defaults = inherit(self.defaults, own)
        table = (
            Table(block, defaults, self.aliases, where) if block.get("table") is not None else None
        )
        placed: dict[TableCell, list[str]] = {}
        for cell, name, fields in self._written(block, table, defaults):
            place = f"{where}, {name}"
            fields = self._with_manifest(fields, place)
            self._check_fields(fields, place)
            for parts in build_claims(rename_levels(fields, self.aliases), place):
                self._check_axes(
                    (term.over for term in parts["term"].walk() if term.over),
                    f"{place}: field over",
                )
                label = f"{parts['term'].statistic}-{name}" if "±" in parts["printed"] else name
                identity = f"{self.paper}/{_slug(block['locator'])}/{_slug(label)}"
                self._seen[identity] += 1
                numbered = (
                    identity if self._seen[identity] == 1 else f"{identity}~{self._seen[identity]}"
                )
                if cell is not None:
                    placed.setdefault(cell, []).append(numbered)
                yield finish(parts, numbered, self.paper, block["locator"])
        if table is not None:
            self.tables.append(table.printed(block["locator"], placed))

    def _with_manifest(self, fields: dict[str, Any], where: str) -> dict[str, Any]:
        """Return the fields, a manifest's path replaced by its name; note where it lies."""
        named = fields.get("measured_by")
        if not isinstance(named, str):
            return fields
        by_path = is_manifest_path(named)
        if by_path:
            file: Path | None = manifest_beside(named, self.folder, where)
        else:
            file = (
                self.manifests[named]
                if named in self.manifests
                else manifest_near(named, self.folder)
            )
        if file is not None:
            place_manifest(file, where)
        return {**fields, "measured_by": Path(named).stem} if by_path else fields

    def _written(
        self, block: Mapping[str, Any], table: Table | None, defaults: Mapping[str, Any]
    ) -> Iterator[tuple[TableCell | None, str, dict[str, Any]]]:
        """Yield (its cell, a name for the id, the fields with all inherited) for each claim of a
        block; a statement has no cell.
        """
        if table is not None:
            yield from table.claims()
            for fields in table.empty():
                cell = rename_levels(fields, self.aliases)
                known = {key: cell[key] for key in (*SELECTOR_KEYS, *self.axes) if key in cell}
                self.empty.append((str(cell.get("quantity")), known))
        for statement in block.get("statements") or ():
            shared = inherit(
                defaults, {key: value for key, value in statement.items() if key != "claims"}
            )
            for claim in statement["claims"]:
                yield None, claim["printed"], inherit(shared, claim)

    def _check_fields(self, fields: Mapping[str, Any], where: str) -> None:
        """Refuse a claim that nothing measures, and one whose words do not fit."""
        manifest, printed, says = (
            fields.get("measured_by"),
            fields["printed"],
            fields.get("says", ""),
        )
        if not manifest and not fields.get("unverifiable"):
            raise ManifestError(
                f"{where}: neither measured_by nor unverifiable is given; name the manifest "
                "that measures it, or say why none can"
            )
        decimals: Decimals | None = fields.get("decimal")
        if self.checked:
            self._check_told(manifest, printed, says, decimals, where)
        if decimals is None and "value" not in fields:
            self._check_marks(printed, where)

    def _check_told(
        self, manifest: str | None, printed: str, says: str, decimals: Decimals | None, where: str
    ) -> None:
        """Refuse a manifest nobody has, and characters that are not where they are said."""
        known = sorted(self.manifests)
        if (
            manifest
            and manifest not in self.manifests
            and ("/" in manifest or find_manifest(manifest) is None)
        ):
            raise ManifestError(
                f"{where}: field measured_by: no manifest is called {manifest!r}; "
                f"{nearest(manifest, known)}known are {', '.join(known)}; "
                "one of your own lies beside the paper's folder, in manifests/ of the "
                "working folder, or is named by its path"
            )
        if not stands_in(printed, says, decimals):
            raise ManifestError(
                f"{where}: field printed: {printed!r} is not in says, {_shortened(says)!r}; "
                "correct one of them"
            )
        if self.text is not None and not self.text.has(says, decimals):
            raise ManifestError(
                f"{where}: field says: {_shortened(says)!r} is not in the paper's text; correct it"
            )

    def _check_marks(self, printed: str, where: str) -> None:
        """Refuse a number whose comma may be decimal, since the paper has such commas elsewhere."""
        try:
            marks = {part.mark for part in read(printed)}
        except ManifestError:
            return
        for mark in marks - {""}:
            self._marks.setdefault(mark, (printed, where))
        if "comma" in self._marks and (
            other := self._marks.get("grouped") or self._marks.get("point")
        ):
            raise ManifestError(
                f"{other[1]}: {other[0]!r} may be read in two ways, since "
                f"{self._marks['comma'][0]!r} has a decimal comma; "
                "say `decimal: comma` or `decimal: point` in paper.yaml or the block"
            )

    def _check_axes(self, axes: Any, where: str) -> None:
        """Refuse an axis that nobody declared."""
        known = sorted({*SELECTOR_KEYS, *self.axes})
        for axis in axes:
            if axis not in known:
                raise ManifestError(
                    f"{where}: no axis is called {axis!r}; "
                    f"{nearest(str(axis), known)}known are "
                    f"{', '.join(known)}; declare a new axis in paper.yaml (axes)"
                )


def with_gaps(claim: Claim, empty: list[EmptyCell]) -> Claim:
    """Return the claim with the levels of its own axes whose cells are printed as empty."""
    found = tuple(dict.fromkeys(_gaps(claim.term, empty)))
    return claim.model_copy(update={"unprinted": found}) if found else claim


def _gaps(term: Term, empty: list[EmptyCell]) -> Iterator[tuple[str, Scalar]]:
    """Yield (axis, level) of printed but empty cells that a term's own axes run over."""
    for inner in term.operands:
        yield from _gaps(inner, empty)
    if term.over is None or term.among:
        return
    cell = term.first_cell
    fixed = {key: value for key, value in cell.selector.items() if key != term.over}
    for quantity, selector in empty:
        rest = {key: value for key, value in selector.items() if key != term.over}
        if quantity == cell.quantity and term.over in selector and rest == fixed:
            yield term.over, selector[term.over]


def _asks(questions: Any) -> str:
    """Say what a draft still needs."""
    count = len(questions) if isinstance(questions, list) else 0
    asks = f" with {count} {'question' if count == 1 else 'questions'}" if count else ""
    return (
        f"found a draft{asks}, expected claims that a person stands by; answer it and remove the "
        "field"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "…"


def _slug(text: str) -> str:
    """Write a text short, readable, stable: letters, digits, signs that tell numbers apart."""
    text = (
        text.replace("§", "s")
        .replace("−", "-")
        .replace("–", "-")
        .replace("%", "pct")
        .replace("±", "+-")
    )
    return re.sub(r"[^\w.+-]+", "-", text.lower()).strip("-")[:60]


@contextmanager
def errors_with_place(where: str) -> Iterator[None]:
    """Turn any error of a badly formed field, wherever it is read, into one line with its place."""
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
        problem = first_line(error)
        raise ManifestError(
            f"{where}: a claim cannot be read ({type(error).__name__}: {problem}); a field "
            "has another form than "
            "manifests/papers/README.md describes"
        ) from error
