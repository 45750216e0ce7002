"""Take values from outside this project as evidence of a paper's claims, in place of runs.

The values replace the runs of every manifest that the claims name, and have the grade `supplied`.
Claims that no manifest measures are asked of them too: the paper's author may have the runs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from repro.claims.claim import Claim
from repro.claims.selector import Scalar
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.evidence.axes import level_text
from repro.verify.evidence.cell import Base
from repro.verify.evidence.columns import Column, MeasuredRow
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.grade import weakest
from repro.verify.evidence.trained import USUAL, planned_conditions
from repro.verify.evidence.values import SuppliedValue
from repro.verify.facts.settings import manifest
from repro.verify.verdict import Graded, Verdict

OWN_PROBES = "own"
"""The probe set of values that name none."""
_VALUES = "the values given"
"""What measures a claim that no manifest does."""
SUPPLIED = Graded(grade="supplied")
_Levels = tuple[tuple[str, str], ...]
"""(axis, level) of the paper's own axes."""
_Grading = Callable[[SuppliedValue], Graded]


@dataclass
class SuppliedEvidence(Evidence):
    """Values of cells that may have axes of the paper's own.

    Such a level is kept in the name of the quantity, where no run's evidence has any.
    """

    levels_of: dict[str, set[_Levels]] = field(default_factory=lambda: defaultdict(set))
    """Quantity → the levels of own axes that it was given at."""
    claimed: dict[str, list[Mapping[str, Scalar]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Quantity → the cells that claims name."""

    def column(
        self,
        experiment: str,
        quantity: str,
        selector: Mapping[str, Scalar],
        specification: str = "default",
    ) -> Column | Undefined:
        """Return the cell's values by seed, or the reason why there are none."""
        own = self._own(quantity, selector)
        return (
            own if isinstance(own, Undefined) else super().column(experiment, *own, specification)
        )

    def trajectory(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], what: str
    ) -> Column | Undefined:
        """Return per seed the collapse step, or whether it recovered.

        Not where a checkpoint of the manifest is missing, or of some seed: the first step of a few
        is not the first step.
        """
        own = self._own(quantity, selector)
        if isinstance(own, Undefined):
            return own
        if why_not := self._gap(experiment, *own):
            return NotRun(why_not)
        return super().trajectory(experiment, *own, what)

    def _gap(self, experiment: str, quantity: str, selector: Mapping[str, Scalar]) -> str:
        """Return which checkpoints of a trajectory nobody gave; empty where all are there."""
        steps = [int(step) for step in self.levels(experiment, quantity, selector, "step")]
        found = manifest(experiment)
        if not steps or found is None:
            return ""
        planned = range(0, max(steps) + 1, found.diagnostics.every)
        read = {
            step: self.column(experiment, quantity, {**selector, "step": step}) for step in steps
        }
        seeds = {
            step: frozenset(column.seeds.tolist())
            for step, column in read.items()
            if step and isinstance(column, Column)
        }
        every = frozenset[int]().union(*seeds.values())
        few = [step for step in planned if step and seeds.get(step) != every]
        missing = sorted({*few, *(step for step in planned[:1] if step not in read)})
        return (
            f"the course of {quantity} needs every checkpoint of every seed; steps "
            f"{', '.join(map(str, missing[:8]))}{' …' if len(missing) > 8 else ''} are missing"
            if missing
            else ""
        )

    def levels(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], axis: str
    ) -> tuple[Scalar, ...]:
        """Return the levels of an axis at which the cell was given.

        Of an axis of the paper's own also those that its claims name: an average over four domains
        is not that of the one that was given.
        """
        if any(axis == name for levels in self.levels_of[quantity] for name, _ in levels):
            given = (
                dict(levels).get(axis) for levels in self._fitting_levels(quantity, selector, axis)
            )
            found = {level for level in given if level is not None}
            found |= self._named(quantity, selector, axis) if found else set()
            return tuple(sorted(map(_scalar, found), key=_order))
        own = self._own(quantity, selector)
        return () if isinstance(own, Undefined) else super().levels(experiment, *own, axis)

    def _named(self, quantity: str, selector: Mapping[str, Scalar], axis: str) -> set[str]:
        """Return the levels of an axis that claims name of the cells that a selector means."""
        wanted = {key: level_text(level) for key, level in selector.items() if key != axis}
        return {
            level_text(cell[axis])
            for cell in self.claimed[quantity]
            if axis in cell
            and all(level_text(cell.get(key, level)) == level for key, level in wanted.items())
        }

    def base_models(
        self, quantity: str, selector: Mapping[str, Scalar], experiment: str | None = None
    ) -> list[Base]:
        """Return the base model's values."""
        own = self._own(quantity, selector)
        return [] if isinstance(own, Undefined) else super().base_models(*own, experiment)

    def _own(
        self, quantity: str, selector: Mapping[str, Scalar]
    ) -> tuple[str, Mapping[str, Scalar]] | Undefined:
        """Return under which name the levels that a selector means are kept, and its other keys."""
        given = self.levels_of.get(quantity)
        if not given or given == {()}:
            return quantity, selector
        axes = {axis for levels in given for axis, _ in levels}
        named = axes & selector.keys()
        rest = {key: level for key, level in selector.items() if key not in axes}
        fitting = self._fitting_levels(quantity, selector)
        exact = [levels for levels in fitting if dict(levels).keys() == named]
        chosen = exact or fitting
        if not chosen:
            said = ", ".join(f"{axis} {selector[axis]}" for axis in sorted(named))
            return NotRun(f"no value of {quantity} was given for {said or 'this cell'}")
        if len(chosen) > 1:
            unnamed = ", ".join(sorted(axes - named))
            return Undefined(f"the claim names no {unnamed}, and several were given")
        return kept_name(quantity, chosen[0]), rest

    def _fitting_levels(
        self, quantity: str, selector: Mapping[str, Scalar], but: str = ""
    ) -> list[_Levels]:
        """Return the given levels that agree with a selector, whatever that says of axis `but`."""
        return [
            levels
            for levels in sorted(self.levels_of[quantity])
            if all(
                axis not in selector or axis == but or level == level_text(selector[axis])
                for axis, level in levels
            )
        ]


def kept_name(quantity: str, levels: _Levels) -> str:
    """Return under which name a quantity is kept at levels of the paper's own axes."""
    return f"{quantity}[{','.join('='.join(pair) for pair in levels)}]" if levels else quantity


def _scalar(level: str) -> Scalar:
    """Return a level as claims have it: a whole number as such."""
    return int(level) if level.lstrip("-").isdigit() else level


def _order(level: Scalar) -> tuple[bool, Scalar]:
    """Return a key that sorts numbers before words."""
    return isinstance(level, str), level


def supplied_evidence(
    values: Iterable[SuppliedValue], claims: Iterable[Claim], grading: _Grading = lambda _: SUPPLIED
) -> SuppliedEvidence:
    """Return the values as evidence, in place of the runs of every manifest the claims name.

    `grading`: whose each value is; by default nobody's in particular.
    """
    evidence, claims = SuppliedEvidence(), [*claims]
    for claim in claims:
        for cell in claim.term.leaves() if claim.basis == "measured" else ():
            evidence.claimed[cell.quantity].append(cell.selector)
    groups: dict[tuple[object, ...], list[SuppliedValue]] = defaultdict(list)
    for value in values:
        groups[
            value.quantity,
            value.concept,
            value.direction,
            value.probe_set,
            value.model,
            value.condition,
            value.step,
            value.axes,
            value.specification,
        ].append(value)
        evidence.levels_of[value.quantity].add(value.axes)
    names = sorted(
        {claim.measured_by for claim in claims if claim.measured_by and claim.basis == "measured"}
    )
    for name in names:
        experiment = manifest(name)
        evidence.sets[name] = experiment.probe_set if experiment else OWN_PROBES
        for group in groups.values():
            _add(evidence, name, group, grading)
    return evidence


def judged_on_values(claims: Sequence[Claim], values: Iterable[SuppliedValue]) -> list[Claim]:
    """Return the claims as values judge them, which need no manifest.

    A claim that no run of this project could measure is judged where its quantities were given.
    """
    given = {value.quantity for value in values}
    return [
        claim.model_copy(
            update={"unverifiable": None, "measured_by": claim.measured_by or claim.source}
        )
        if claim.basis == "measured" and claim.term.quantities() <= given
        else claim
        for claim in claims
    ]


def without_values(
    written: Sequence[Claim], judged: Sequence[Claim], verdicts: Iterable[Verdict]
) -> list[Claim]:
    """Return the claims, those that no value was found for as they are written.

    Empty where that changes none.
    """
    found = {verdict.id for verdict in verdicts if verdict.grade is not None}
    if all(new.id in found or new == old for old, new in zip(written, judged, strict=True)):
        return []
    return [new if new.id in found else old for old, new in zip(written, judged, strict=True)]


def _add(
    evidence: SuppliedEvidence, name: str, group: Sequence[SuppliedValue], grading: _Grading
) -> None:
    """Add the values of one cell, seed by seed, to one manifest's evidence."""
    one = group[0]
    ordered = sorted(group, key=lambda value: value.seed)
    place = name, one.model, one.condition
    further = None if one.probe_set in (None, evidence.sets[name]) else one.probe_set
    numbers = np.array([value.value for value in ordered])
    graded = weakest(grading(value) for value in ordered) or SUPPLIED
    row = MeasuredRow(
        np.array([value.seed for value in ordered], dtype=np.int64), numbers, None,
        min(value.observations for value in ordered), graded,
    )  # fmt: skip
    quantity = kept_name(one.quantity, one.axes)
    family = evidence.rows[name, quantity, one.specification][one.concept, one.direction, further]
    family.setdefault((one.model, one.condition), {})[one.step] = row
    planned = planned_conditions(name)
    like = planned.get(one.condition) or planned.get(
        one.condition.removesuffix(f"-{one.adapter}"), USUAL
    )
    evidence.trained[place] = replace(like, adapter=one.adapter or like.adapter)
    evidence.graded[place] = graded
    evidence.last[place] = max(evidence.last.get(place, 0), one.step)
    if one.step == 0 and not like.continued and one.specification == "default":
        evidence.bases[quantity, one.model, one.concept, one.direction].append(
            Base(*place, one.probe_set or evidence.sets[name], float(numbers.mean()), len(ordered))
        )
