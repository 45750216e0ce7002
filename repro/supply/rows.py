"""Lay what authors state beside what their own files give, cell by cell.

A stated value has to be the measured one, rounded to the digits it is written with. Step 0 is the
base model, whatever condition and seed it is filed under.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from repro.evidence.measurement import Measurement
from repro.evidence.supplied import SuppliedRow
from repro.supply.measured import MeasuredFile
from repro.verify.estimate.counts import PERCENT
from repro.verify.evidence.columns import NO_SEED
from repro.verify.evidence.kept import read_levels, write_levels
from repro.verify.evidence.values import SuppliedValue

_ROUNDING = 1e-6
"""Share of a value that other machines' rounding may move it by."""
_HALF = 0.02
"""The same where activations were kept with half the digits."""
_Cell = tuple[object, ...]


@dataclass(frozen=True)
class Disagreement:
    """A stated value that the sender's own file does not give."""

    stated: SuppliedValue
    measured: float | None
    """None: the file gives no value at all."""
    reason: str
    file: str

    @property
    def percent(self) -> bool:
        """Return whether the two are the same number in other units."""
        return self.measured is not None and any(
            abs(self.stated.value * factor - self.measured) <= 0.01 * abs(self.measured)
            for factor in (1 / PERCENT, PERCENT)
        )

    @property
    def line(self) -> str:
        """Say it in one line, with both numbers."""
        one = self.stated
        where = [
            one.model,
            one.condition if one.step else "",
            f"step {one.step}",
            one.concept or "",
        ]
        seed = "" if one.seed == NO_SEED else f"seed {one.seed}"
        cell = ", ".join(part for part in (*where[:2], seed, *where[2:]) if part)
        gives = f"{self.measured:.6g}" if self.measured is not None else f"none ({self.reason})"
        return (
            f"{one.place}: {one.quantity} ({cell}): stated {one.value:.6g}, but {self.file} gives "
            f"{gives}"
        )


@dataclass(frozen=True)
class Laid:
    """All rows, and where the two sources disagree."""

    rows: tuple[SuppliedRow, ...]
    disagreements: tuple[Disagreement, ...]
    compared: int
    """Stated values that some file gives too."""


def lay(
    stated: Sequence[SuppliedValue],
    files: Iterable[MeasuredFile],
    percent: Collection[str] = (),
) -> Laid:
    """Return a row for each stated value, with the measured one where there is one, and for each
    other measured value.

    `percent`: fractions that the paper prints in percent, and that are given so here.
    """
    given: dict[_Cell, list[tuple[MeasuredFile, Measurement]]] = defaultdict(list)
    for file in files:
        for row in (_in_unit(row, percent) for row in file.rows):
            given[_measured_cell(file, row)].append((file, row))
    rows: list[SuppliedRow] = []
    wrong: list[Disagreement] = []
    compared = 0
    for value in stated:
        found = next((pair for pair in given.get(_cell(value), ()) if _same_set(value, pair)), None)
        compared += found is not None
        rows.append(_row(value, found))
        if found is not None and not _agrees(value, *found):
            file, row = found
            wrong.append(Disagreement(value, row.value, row.reason or "", file.file.name))
    said = {(row.measured_from, _cell_of(row)) for row in rows if row.measured_from}
    for pairs in given.values():
        for file, row in pairs:
            only = _only_measured(file, row)
            if (only.measured_from, _cell_of(only)) not in said:
                rows.append(only)
    return Laid(tuple(rows), tuple(wrong), compared)


def _in_unit(row: Measurement, percent: Collection[str]) -> Measurement:
    """Return a measured value in the unit of the paper's print."""
    if row.quantity not in percent or row.value is None:
        return row
    return row.model_copy(update={"value": PERCENT * row.value})


def values_of(rows: Sequence[SuppliedRow]) -> list[SuppliedValue]:
    """Return the values that count: the measured one before the stated one."""
    return [
        SuppliedValue(
            model=row.model,
            condition=row.condition,
            seed=NO_SEED if row.seed is None else row.seed,
            step=row.step,
            quantity=row.quantity,
            value=value,
            concept=row.concept,
            direction=row.direction,
            probe_set=row.probe_set,
            adapter=row.adapter,
            observations=row.n,
            axes=read_levels(row.axes),
            specification=row.specification,
            place=row.stated_in or row.measured_from or "",
        )
        for row in rows
        if row.undefined is None
        if (value := row.stated if row.measured is None else row.measured) is not None
    ]


def _agrees(value: SuppliedValue, file: MeasuredFile, row: Measurement) -> bool:
    """Return whether a stated value is the measured one, as far as it is written."""
    if row.value is None:
        return False
    share = _HALF if file.half else _ROUNDING
    probes = 1 / row.n if file.half and row.n else 0.0
    allowed = value.digit / 2 * (1 + 1e-9) + share * abs(row.value) + probes + 1e-12
    return abs(value.value - row.value) <= allowed


def _same_set(value: SuppliedValue, pair: tuple[MeasuredFile, Measurement]) -> bool:
    """Return whether both are of one probe set; one that is not named may be any."""
    return value.probe_set is None or pair[1].probe_set in (None, value.probe_set)


def _key(run: tuple[str, str, int], step: int, rest: _Cell) -> _Cell:
    return (run[0] if step == 0 else run, step, *rest)


def _cell(value: SuppliedValue) -> _Cell:
    """Return the cell of a stated value, for comparing."""
    rest = value.quantity, value.concept, value.direction, value.axes, value.specification
    return _key(value.run, value.step, rest)


def _measured_cell(file: MeasuredFile, row: Measurement) -> _Cell:
    """Return the cell of a measured value, for comparing."""
    run = file.file.run
    rest = row.quantity, row.concept, row.direction, run.axes, row.specification
    return _key((run.model, run.condition, run.seed), row.step, rest)


def _cell_of(row: SuppliedRow) -> _Cell:
    """Return the cell of a row, as it is filed."""
    run = row.model, row.condition, row.seed, row.step
    return (*run, row.quantity, row.specification, row.concept, row.direction, row.axes)


def _row(value: SuppliedValue, found: tuple[MeasuredFile, Measurement] | None) -> SuppliedRow:
    """Return the row of a stated value."""
    measured = found[1] if found else None
    return SuppliedRow(
        model=value.model,
        condition=value.condition,
        seed=None if value.seed == NO_SEED else value.seed,
        step=value.step,
        quantity=value.quantity,
        specification=value.specification,
        concept=value.concept,
        direction=value.direction,
        probe_set=value.probe_set,
        adapter=value.adapter,
        axes=write_levels(value.axes),
        stated=value.value,
        stated_in=value.place,
        measured=measured.value if measured else None,
        measured_from=found[0].file.name if found else None,
        undefined=measured.reason if measured else None,
        n=measured.n if measured else value.observations,
    )


def _only_measured(file: MeasuredFile, row: Measurement) -> SuppliedRow:
    """Return the row of a value that nobody stated."""
    run = file.file.run
    return SuppliedRow(
        model=run.model,
        condition=run.condition,
        seed=None if run.seed == NO_SEED else run.seed,
        step=row.step,
        quantity=row.quantity,
        specification=row.specification,
        concept=row.concept,
        direction=row.direction,
        probe_set=row.probe_set,
        adapter=run.adapter,
        axes=write_levels(run.axes),
        measured=row.value,
        measured_from=file.file.name,
        undefined=row.reason,
        n=row.n,
    )
