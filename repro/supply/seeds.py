"""Tell which seeds are missing from what authors sent: of the paper's, or of their other rows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from repro.claims.claim import Claim
from repro.supply.units import is_of
from repro.verify.evidence.columns import NO_SEED
from repro.verify.evidence.values import SuppliedValue
from repro.verify.facts.settings import manifest

SUPPLIED_KINDS = ("activations", "adapter")
"""What stands for the quantity of a whole file."""
_ALIKE = 3
"""Values from which two seeds that agree in all of them are told."""
_SHOWN = 6
"""Cells of a line that are named."""
_Run = tuple[str, str, tuple[tuple[str, str], ...]]
"""(model, condition, levels of the paper's own axes)."""


@dataclass
class _Known:
    """The seeds of one kind of run."""

    paper: set[int]
    """That the paper names, or its manifest runs."""
    sent: dict[int, str]
    """That something was sent of → where it stands first."""


def missing_seeds(values: Sequence[SuppliedValue], claims: Sequence[Claim]) -> Iterator[str]:
    """Yield a line for each run of the paper that nothing was sent of, and for each cell that
    lacks a seed which its neighbours have.

    The base model, at step 0, has no seeds.
    """
    trained = [value for value in values if value.step and value.seed != NO_SEED]
    known: dict[_Run, _Known] = {}
    for value in trained:
        run = value.model, value.condition, value.axes
        one = known.setdefault(run, _Known(_seeds_of(run, claims), {}))
        one.sent.setdefault(value.seed, value.place)
    for (model, condition, axes), one in known.items():
        what = ", ".join([model, condition, *(f"{axis} {level}" for axis, level in axes)]).strip(
            ", "
        )
        place = min(one.sent.values(), key=_order)
        if missing := sorted(one.paper - one.sent.keys()):
            yield (
                f"{place}: {what}: found {_listed(one.sent)}, {_listed(missing)} missing; the "
                f"paper has {_listed(one.paper)}; send the missing"
            )
    yield from _fewer_than_printed(trained, claims)
    yield from _holes(trained, known)
    yield from _only_stated(trained)


def _seeds_of(run: _Run, claims: Sequence[Claim]) -> set[int]:
    """Return the seeds that the paper names, and those that its manifests run."""
    model, condition, _ = run
    found: set[int] = set()
    for name in {claim.measured_by for claim in claims if claim.measured_by}:
        experiment = manifest(name)
        for arm in experiment.arms if experiment else ():
            if model in arm.models and condition in arm.conditions:
                found |= {int(seed) for seed in arm.seeds}
    for claim in claims:
        for cell in claim.term.leaves():
            selector = cell.selector
            if (
                isinstance(selector.get("seed"), int)
                and str(selector.get("model", model)) == model
                and str(selector.get("condition")) == condition
            ):
                found.add(int(selector["seed"]))
    return found


def _fewer_than_printed(trained: Sequence[SuppliedValue], claims: Sequence[Claim]) -> Iterator[str]:
    """Yield the cells that the paper prints more seeds of than were sent, without naming them."""
    for claim in claims:
        cell = claim.term.cell
        if (
            claim.statistic != "count"
            or cell is None
            or not claim.is_number
            or claim.term.over != "seed"
        ):
            continue
        mine = [
            value
            for value in trained
            if value.quantity == cell.quantity and is_of(value, cell.selector)
        ]
        seeds = {value.seed for value in mine}
        if seeds and len(seeds) < claim.number:
            first = min(mine, key=lambda value: _order(value.place))
            yield (
                f"{first.place}: {cell.label}: found {_listed(seeds)}; the paper prints "
                f"{claim.number:g} seeds ({claim.locator}): send all"
            )


def _holes(trained: Sequence[SuppliedValue], known: dict[_Run, _Known]) -> Iterator[str]:
    """Yield, for each run and step, what lacks a seed that other values of these runs have."""
    cells: dict[tuple[object, ...], list[SuppliedValue]] = defaultdict(list)
    for value in trained:
        if value.quantity not in SUPPLIED_KINDS:
            cells[value.model, value.condition, *value.cell[3:]].append(value)
    lacking: dict[tuple[object, ...], list[SuppliedValue]] = defaultdict(list)
    for cell in cells.values():
        one = min(cell, key=lambda value: _order(value.place))
        sent = known[one.model, one.condition, one.axes].sent
        if missing := sent.keys() - {value.seed for value in cell}:
            lacking[one.model, one.condition, one.step, tuple(sorted(missing))].append(one)
    for (model, condition, step, seeds), found in lacking.items():
        cells_named = [*dict.fromkeys(map(_named, found))]
        names = ", ".join(cells_named[:_SHOWN]) + (" …" if cells_named[_SHOWN:] else "")
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield (
            f"{found[0].place}{more}: {model}, {condition}, step {step}: {_listed(seeds)} missing "
            f"of {names}, which other values have; send them, or correct the rows"
        )


def _only_stated(trained: Sequence[SuppliedValue]) -> Iterator[str]:
    """Yield the runs of which some seeds came with files and others only with values."""
    for kind in SUPPLIED_KINDS:
        files: dict[_Run, list[SuppliedValue]] = defaultdict(list)
        for value in trained:
            if value.quantity == kind:
                files[value.model, value.condition, value.axes].append(value)
        for run, found in files.items():
            stated = {
                value.seed
                for value in trained
                if (value.model, value.condition, value.axes) == run
                and value.quantity not in SUPPLIED_KINDS
            }
            if alone := stated - {value.seed for value in found}:
                first = min(found, key=lambda value: _order(value.place))
                yield (
                    f"{first.place}: {', '.join(run[:2]).strip(', ')}: no {kind} of "
                    f"{_listed(alone)}, whose values are only stated; send these too"
                )


def same_seeds(values: Sequence[SuppliedValue]) -> Iterator[str]:
    """Yield a line for each seed whose trained values all equal those of another seed."""
    runs: dict[_Run, dict[int, dict[tuple[object, ...], SuppliedValue]]] = defaultdict(dict)
    for value in values:
        if value.step and value.seed != NO_SEED:
            run = value.model, value.condition, value.axes
            runs[run].setdefault(value.seed, {})[value.cell[3:]] = value
    for (model, condition, _), seeds in runs.items():
        for one, other in combinations(sorted(seeds), 2):
            first, second = seeds[one], seeds[other]
            shared = first.keys() & second.keys()
            if len(shared) >= _ALIKE and all(
                first[cell].value == second[cell].value for cell in shared
            ):
                place = min((second[cell].place for cell in shared), key=_order)
                yield (
                    f"{place}: {model}, {condition}: all {len(shared)} values of seed {other} "
                    f"equal those of seed {one}; two runs hardly give the same: send each seed's own"
                )


def _named(value: SuppliedValue) -> str:
    """Return the quantity of a value, and of what concept it is."""
    return f"{value.quantity} ({value.concept})" if value.concept else value.quantity


def _listed(seeds: object) -> str:
    """Return seeds in words."""
    found = sorted(seeds)  # type: ignore[call-overload]  # any collection of them
    return f"seed{'' if len(found) == 1 else 's'} {', '.join(map(str, found))}"


def _order(place: str) -> tuple[str, int]:
    """Return a key that sorts lines of a file by their number."""
    name, _, number = place.rpartition(" ")
    return name, int(number) if number.isdigit() else 0
