"""Read a table of per-seed values, one a line, as its user wrote it.

Lines that cannot be read are refused with their number; what the values mean for a paper's claims
is said elsewhere.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from repro.errors import InputError
from repro.evidence.part import part_name
from repro.names import nearest
from repro.verify.evidence.axes import PaperAxes, level_text
from repro.verify.evidence.cell import CONCEPT_KEYS, PART_KEYS
from repro.verify.evidence.columns import NO_SEED

_HEADER = 200
"""Characters of a header that are shown."""
_LARGEST = 64 << 20  # bytes of a table of values


@dataclass(frozen=True, slots=True)
class SuppliedRun:
    """A run at a step, as a line names it."""

    model: str
    condition: str
    seed: int
    step: int
    probe_set: str | None
    adapter: str | None
    axes: tuple[tuple[str, str], ...]
    """(axis, level) of the paper's own axes, sorted."""


@dataclass(frozen=True, slots=True)
class SuppliedValue:
    """One value of one cell: a line of a table, or what was measured in its place."""

    model: str
    condition: str
    seed: int
    step: int
    quantity: str
    value: float
    concept: str | None = None
    direction: int | None = None
    probe_set: str | None = None
    adapter: str | None = None
    observations: int = 0
    """Probes or problems behind the value; 0 if not given."""
    axes: tuple[tuple[str, str], ...] = ()
    """(axis, level) of the paper's own axes, sorted."""
    specification: str = "default"
    """Reading of the definition."""
    digit: float = 0.0
    """Weight of the last digit that was written; 0 where it is not known."""
    place: str = ""
    """File and line."""

    @property
    def run(self) -> tuple[str, str, int]:
        """Return what tells its run from others."""
        return self.model, self.condition, self.seed

    @property
    def cell(self) -> tuple[object, ...]:
        """Return the fields that no two lines may share."""
        part = self.concept, self.direction, self.probe_set
        return (*self.run, self.step, self.quantity, *part, self.axes)


def read_values(
    path: Path, axes: PaperAxes | None = None, name: str | None = None
) -> list[SuppliedValue]:
    """Read a table of values. Raises InputError, naming the line and what was expected.

    `axes`: the columns of a paper's tables; `name`: what the file is called in messages.
    """
    axes, said = axes or PaperAxes(), name or str(path)
    header, rows = read_csv_lines(path, said, axes.required)
    _check_header(said, header, axes)
    found: dict[tuple[object, ...], SuppliedValue] = {}
    values = []
    for number, cells in rows:
        value = _read_line(cells, f"{said}: line {number}", axes)
        if (first := found.setdefault(value.cell, value)) is not value:
            line = first.place.rpartition(": ")[2]
            raise InputError(same_cell(value, first, line))
        values.append(value)
    if not values:
        raise InputError(f"{said}: a header and no value; expected a line a seed")
    return values


def same_cell(value: SuppliedValue, first: SuppliedValue, place: str) -> str:
    """Return that two lines give one cell, and what each gives."""
    return (
        f"{value.place}: the same cell as {place}; found {value.value:.6g}, and {first.value:.6g} "
        "there; give one value a seed"
    )


def read_csv_lines(
    path: Path, said: str, expected: Sequence[str]
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return a CSV file's header, and (number, cells by column) of each line that is not empty.

    Raises InputError for a file that is none or is too large, and a line with more or fewer cells.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise InputError(
                f"{said}: is larger than {_LARGEST >> 20} MiB, more than any table of values; divide "
                "it, or correct the path"
            )
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InputError(f"{said}: {problem}; expected a CSV file of values") from error
    try:
        lines = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise InputError(f"{said}: not a CSV file ({error})") from error
    if not lines:
        raise InputError(f"{said}: empty; expected a header with {', '.join(expected)}")
    header = [name.strip() for name in lines[0]]
    rows = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InputError(
                f"{said}: line {number}: found {len(cells)} cells, expected {len(header)}, as "
                "the header"
            )
        rows.append((number, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    if twice := [name for name in header if header.count(name) > 1]:
        raise InputError(f"{said}: column {twice[0]}: found twice; name it once")
    return header, rows


def missing_column(said: str, column: str, header: Sequence[str], expected: Sequence[str]) -> str:
    """Return that a table lacks a column, and which it has."""
    found = ", ".join(header)
    commas = "; separate cells by commas" if ";" in found or "\t" in found else ""
    return (
        f"{said}: column {column}: missing; found {found[:_HEADER]}; expected "
        f"{', '.join(expected)}{commas}"
    )


def _check_header(said: str, header: Sequence[str], axes: PaperAxes) -> None:
    """Raise InputError for a missing or unknown column."""
    if missing := [name for name in axes.required if name not in header]:
        raise InputError(missing_column(said, missing[0], header, axes.required))
    if strange := [name for name in header if name not in axes.known]:
        raise InputError(
            f"{said}: column {strange[0]!r}: unknown; {nearest(strange[0], axes.known)}known are "
            f"{', '.join(axes.known)}; an axis of the paper's own stands under `axes:` in its paper.yaml"
        )


def _read_line(cells: Mapping[str, str], where: str, axes: PaperAxes) -> SuppliedValue:
    """Read one line of the table.

    Raises InputError, naming the column, for a cell that cannot be read.
    """
    run = read_run(cells, where, axes)
    if not cells["quantity"]:
        raise InputError(f"{where}: column quantity: empty; expected a name")
    direction = cells.get("direction")
    return SuppliedValue(
        model=run.model,
        condition=run.condition,
        seed=run.seed,
        step=run.step,
        quantity=cells["quantity"],
        value=_number(cells["value"], "value", where),
        concept=_concept(cells, where),
        direction=_whole(direction, "direction", where, least=0) if direction else None,
        probe_set=run.probe_set,
        adapter=run.adapter,
        observations=_whole(cells["n"], "n", where, least=1) if cells.get("n") else 0,
        axes=run.axes,
        digit=_digit(cells["value"]),
        place=where,
    )


def read_run(cells: Mapping[str, str], where: str, axes: PaperAxes) -> SuppliedRun:
    """Read of a line which run, step, probe set and level of the paper's own axes it is of.

    Raises InputError, naming the column.
    """
    if "model" in axes.required and not cells.get("model"):
        raise InputError(f"{where}: column model: empty; expected a name")
    if cells.get("step") == "":
        raise InputError(
            f"{where}: column step: empty; expected 0 for a base model, else its step, any number "
            "above 0 where the paper names none"
        )
    step = _whole(cells["step"], "step", where, least=0) if "step" in cells else 0
    condition = axes.level("condition", cells.get("condition", ""))
    if not condition and step and "condition" in axes.required:
        raise InputError(
            f"{where}: column condition: empty at a step above 0; expected a name such as B3"
        )
    if cells.get("lambda"):
        condition = (
            f"{condition}-{_number(cells['lambda'], 'lambda', where):g}" if step else condition
        )
    adapter = cells.get("adapter") or None
    if adapter not in (None, "lora") and step and not condition.endswith(f"-{adapter}"):
        condition = f"{condition}-{adapter}"
    seed = cells.get("seed")
    own = (
        (axis, level_text(axes.level(axis, cells[axis])))
        for axis in sorted(axes.own)
        if cells.get(axis)
    )
    return SuppliedRun(
        model=axes.level("model", cells.get("model", "")),
        condition=condition,
        seed=_whole(seed, "seed", where, least=0) if seed else NO_SEED,
        step=step,
        probe_set=cells.get("probe_set") or None,
        adapter=adapter,
        axes=tuple(own),
    )


def _concept(cells: Mapping[str, str], where: str) -> str | None:
    """Return the concept, or the part of a matrix, that a line names."""
    concepts = [cells[key] for key in CONCEPT_KEYS if cells.get(key)]
    if part := {key: cells[key] for key in PART_KEYS if cells.get(key)}:
        concepts.append(part_name(**part))
    if len(concepts) > 1:
        raise InputError(
            f"{where}: found {' and '.join(concepts)}; only one of "
            f"{', '.join((*CONCEPT_KEYS, *PART_KEYS))} can name a part"
        )
    return concepts[0] if concepts else None


def _whole(text: str, column: str, where: str, least: int) -> int:
    """Return a whole number of at least `least`, or raise InputError."""
    if not text.isascii() or not text.isdigit() or len(text) > 15 or int(text) < least:
        raise InputError(
            f"{where}: column {column}: found {text[:40]!r}, expected a whole number from {least}"
        )
    return int(text)


def _number(text: str, column: str, where: str) -> float:
    """Return a finite number, or raise InputError."""
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"{where}: column {column}: found {text[:40]!r}, expected a finite number; leave "
            "undefined runs out"
        )
    return number


def _digit(text: str) -> float:
    """Return the weight of the last digit of a number as it is written: 0.01 of 0.32."""
    exponent = Decimal(text).as_tuple().exponent
    return float(Decimal(1).scaleb(exponent)) if isinstance(exponent, int) else 0.0
