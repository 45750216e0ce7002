"""Say which supplied values no claim of their paper speaks of, and why, line by line."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from repro.claims.claim import Claim
from repro.errors import InputError
from repro.names import nearest
from repro.verify.evidence.axes import level_text
from repro.verify.evidence.cell import CONCEPT_KEYS
from repro.verify.evidence.values import SuppliedValue
from repro.verify.facts.settings import manifest
from repro.verify.verdict import Verdict

NAMES = ("model", "quantity", "condition", "concept")
"""The columns whose levels are names, the most telling first."""
_LISTED = 12
KnownLevels = Mapping[str, frozenset[str]]
"""Column → every level of it that some claim names."""


def named_levels(claims: Iterable[Claim]) -> KnownLevels:
    """Return the levels that measured claims name, and those their manifests plan."""
    found: dict[str, set[str]] = defaultdict(set)
    measured = [claim for claim in claims if claim.basis == "measured"]
    for claim in measured:
        for path in claim.term.paths():
            found["quantity"].add(path[-1].quantity)
            for axis, level in path[-1].selector.items():
                found[_column(axis)].add(level_text(level))
            for term in path:
                if term.over is not None:
                    found[_column(term.over)] |= {level_text(level) for level in term.among}
    for name in {claim.measured_by for claim in measured if claim.measured_by}:
        experiment = manifest(name)
        for arm in experiment.arms if experiment else ():
            found["model"] |= set(arm.models)
            found["condition"] |= set(arm.conditions)
    return {axis: frozenset(levels) for axis, levels in found.items()}


def unspoken(
    values: Sequence[SuppliedValue], levels: KnownLevels, paper: str, columns: Sequence[str] = NAMES
) -> Iterator[tuple[SuppliedValue, str]]:
    """Yield (value, line) for each name that no claim of the paper has, where it first stands."""
    seen: set[tuple[str, str]] = set()
    for value in values:
        for axis, level in _levels(value):
            known = levels.get(axis, frozenset())
            if (axis in columns or (axis, level) in value.axes) and known and level not in known:
                if (axis, level) not in seen:
                    seen.add((axis, level))
                    yield value, _line(value, axis, level, known, paper)
                break


def refuse_unmatched(
    verdicts: Iterable[Verdict], values: Sequence[SuppliedValue], levels: KnownLevels, paper: str
) -> None:
    """Raise InputError where no measured claim has a value at all: none is of its cells."""
    if any(verdict.grade is not None for verdict in verdicts):
        return
    for _, line in unspoken(values, levels, paper):
        raise InputError(line)
    one = values[0]
    cell = ", ".join(f"{axis} {level}" for axis, level in _levels(one))
    known = "; ".join(
        f"{axis} {_some(levels[axis])}"
        for axis in ("condition", "step", "seed")
        if levels.get(axis)
    )
    raise InputError(
        f"{one.place}: no claim of {paper} speaks of this cell ({cell}), nor of any other here; "
        f"its claims name {known or _some(levels.get('quantity', frozenset()))}"
    )


def _levels(value: SuppliedValue) -> list[tuple[str, str]]:
    """Return (column, level) of what a value names; what is empty is left out."""
    condition = value.condition if value.step else ""
    named = [
        ("model", value.model),
        ("quantity", value.quantity),
        ("condition", condition),
        ("step", str(value.step)),
        ("concept", value.concept or ""),
        *value.axes,
    ]
    return [(axis, level) for axis, level in named if level]


def _column(axis: str) -> str:
    """Return the column of an axis: the names of a part share one."""
    return "concept" if axis in CONCEPT_KEYS else axis


def _line(value: SuppliedValue, axis: str, level: str, known: Iterable[str], paper: str) -> str:
    known = sorted(known)
    return (
        f"{value.place}: {axis} {level!r}: no claim of {paper} speaks of it; "
        f"{nearest(level, known)}expected {_some(known)}"
    )


def _some(levels: Iterable[str]) -> str:
    """List levels, the first of many."""
    every = sorted(
        levels, key=lambda level: (0, int(level), "") if level.isdigit() else (1, 0, level)
    )
    return ", ".join(every[:_LISTED]) + (" …" if len(every) > _LISTED else "")
