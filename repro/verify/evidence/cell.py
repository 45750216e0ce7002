"""Name the cells of evidence: where a row lies, which part of a measurement it is, a base model's
value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from repro.claims.selector import Scalar
from repro.evidence.part import part_keys, part_name
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.evidence.columns import MeasuredRow
from repro.verify.evidence.trained import planned_levels

CONCEPT_KEYS = ("concept", "class", "companion", "pair", "dataset")
"""Selector keys that the store keeps in its column `concept`."""
PART_KEYS = ("matrix", "module", "scope")
"""Selector keys that together name a part, which the store keeps in the same column
(`repro.evidence.part`).
"""


Family = dict[tuple[str, str], dict[int, MeasuredRow]]
"""(model, condition) → step → row."""
RowKind = tuple[str, str, str]
"""(experiment, quantity, specification)."""
CellPart = tuple[str | None, int | None, str | None]
"""(concept, direction, probe set if it is not the runs' own)."""
AskedCell = tuple[str, str, str, frozenset[tuple[str, Scalar]]]
CellPlace = tuple[str, str, str]
"""(experiment, model, condition)."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base model's value on one probe set, from step 0 of one condition's runs."""

    experiment: str
    model: str
    condition: str
    probe_set: str
    value: float
    """Mean over these runs."""
    runs: int
    kind: str = ""
    """What decides the value besides the probe set (weights, protocol, surroundings); empty if
    unknown.
    """
    lent_by: str | None = None
    """The run of another manifest whose step 0 this is."""


def rows_of_family(family: Family) -> Iterator[MeasuredRow]:
    """Return the rows of a family."""
    return (row for by_step in family.values() for row in by_step.values())


def differs_in(axis: str, concept: str | None, rest: Mapping[str, Scalar]) -> bool:
    """Return whether a row's part is the selected one with a level of `axis` beside."""
    keys = part_keys(concept or "")
    wanted = {key: str(rest[key]) for key in PART_KEYS if key in rest}
    return axis in keys and {key: value for key, value in keys.items() if key != axis} == wanted


def concept_of(selector: Mapping[str, Scalar]) -> str | None:
    """Return the concept a selector names, under whichever key."""
    if part := {key: selector[key] for key in PART_KEYS if key in selector}:
        return part_name(**part)
    return next((str(selector[key]) for key in CONCEPT_KEYS if key in selector), None)


def ambiguous(
    experiment: str,
    fitting: list[tuple[str, str, int, MeasuredRow]],
    wanted: Mapping[str, Scalar],
) -> Undefined | None:
    """Return why a selector without a name means several cells; None where it does not."""
    axes = [("model", 0)] if wanted["step"] == 0 else [("model", 0), ("condition", 1)]
    for axis, place in axes:
        if axis in wanted:
            continue
        measured = {row[place] for row in fitting}
        if len(measured) > 1:
            return Undefined(f"the claim names no {axis}, and several were measured")
        if measured and len(measured | set(map(str, planned_levels(experiment, wanted, axis)))) > 1:
            return NotRun(f"the claim names no {axis}, and {experiment} has several")
    return None
