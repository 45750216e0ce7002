"""Hold the measured cells of all claims, and find the cells that a claim's selector means.

A cell is a quantity with a selector; its column has one value per finished run
(`repro.verify.evidence.gather` fetches them).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from repro.claims.selector import BASE, CSR, Scalar
from repro.evidence.part import part_keys
from repro.geometry.trajectory import collapse_steps, recoveries
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.evidence.cell import (
    CONCEPT_KEYS,
    PART_KEYS,
    AskedCell,
    Base,
    CellPart,
    CellPlace,
    Family,
    RowKind,
    ambiguous,
    concept_of,
    differs_in,
    rows_of_family,
)
from repro.verify.evidence.columns import Column, MeasuredRow, follow_steps, merge_rows
from repro.verify.evidence.distances import DISTANCE, by_rank, profile_distances
from repro.verify.evidence.grade import weakest
from repro.verify.evidence.trained import (
    USUAL,
    Trained,
    name_condition,
    planned_conditions,
    planned_variants,
    speaks_of,
)
from repro.verify.verdict import Graded


@dataclass
class Evidence:
    """Every measured cell that some claim needs."""

    rows: dict[RowKind, dict[CellPart, Family]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    lent: dict[RowKind, dict[CellPart, Family]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    """Step 0 of other manifests' runs, for base models that a manifest has not measured itself."""
    borrowed: set[str] = field(default_factory=set)
    """Lenders among the runs read since this set was last emptied."""
    bases: dict[tuple[str, str, str | None, int | None], list[Base]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """(quantity, model, concept, direction) → values of the base model."""
    sets: dict[str, str] = field(default_factory=dict)
    """experiment → its runs' own probe set."""
    runs: dict[str, dict[tuple[str, str, str], int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """experiment → (model, condition, status) → runs."""
    trained: dict[CellPlace, Trained] = field(default_factory=dict)
    """Properties of a place's runs beyond their condition's name."""
    graded: dict[CellPlace, Graded] = field(default_factory=dict)
    set_aside: dict[CellPlace, int] = field(default_factory=dict)
    """Finished runs of a place that do not count because they were set up differently."""
    last: dict[CellPlace, int] = field(default_factory=dict)
    """The last step at which anything was measured."""
    _columns: dict[AskedCell, Column | Undefined] = field(default_factory=dict)
    _lenders: dict[AskedCell, set[str]] = field(default_factory=dict)

    def column(
        self,
        experiment: str,
        quantity: str,
        selector: Mapping[str, Scalar],
        specification: str = "default",
    ) -> Column | Undefined:
        """Return the cell's values by run, or the reason why there are none."""
        key = experiment, quantity, specification, frozenset(selector.items())
        if key not in self._columns:
            self._columns[key] = self._read((experiment, quantity, specification), selector, key)
        # Also for a cached answer: every claim must name all lenders it rests on.
        self.borrowed |= self._lenders.get(key, set())
        return self._columns[key]

    def _read(
        self, kind: RowKind, selector: Mapping[str, Scalar], key: AskedCell
    ) -> Column | Undefined:
        """Find the rows a selector means and merge them into one column."""
        by_conditions = "scope" in selector or kind[1] == DISTANCE
        conditions = self._conditions(kind[0]) if by_conditions else {}
        scoped = by_rank(name_condition(kind[0], selector), conditions)
        if isinstance(scoped, Undefined):
            return scoped
        selector = scoped
        if kind[1] == DISTANCE:
            return profile_distances(self, kind[0], selector, conditions)
        found = self._matching(kind, selector)
        if not found:
            return self._absent(kind[0], kind[1], selector)
        if isinstance(found, Undefined):
            return found
        self._lenders[key] = {row.lent_by for row in found if row.lent_by is not None}
        seed = selector.get("seed")
        return merge_rows(found, None if seed is None else int(seed))

    def _conditions(self, experiment: str) -> dict[str, Trained]:
        """Return what the conditions of a manifest are, run or only planned."""
        run = {
            condition: one
            for (name, _, condition), one in self.trained.items()
            if name == experiment
        }
        return {**planned_conditions(experiment), **run}

    def parts(self, experiment: str, quantity: str) -> list[tuple[str, int]]:
        """Return (concept, direction) of every cell of a quantity that has both."""
        found = self.rows.get((experiment, quantity, "default"), {})
        return [
            (concept, direction)
            for concept, direction, _ in found
            if concept is not None and direction is not None
        ]

    def trajectory(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], what: str
    ) -> Column | Undefined:
        """Return per run the collapse step, or whether it recovered (docs/SCIENCE.md §11)."""
        key = experiment, quantity, what, frozenset(selector.items())
        if key not in self._columns:
            self._columns[key] = self._follow(experiment, quantity, selector, what)
        return self._columns[key]

    def _follow(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], what: str
    ) -> Column | Undefined:
        """Compute a trajectory's result from the cell's columns at all measured steps."""
        steps = self.levels(experiment, quantity, selector, "step")
        read = {
            int(step): self.column(experiment, quantity, {**selector, "step": step})
            for step in steps
        }
        columns = {step: column for step, column in read.items() if isinstance(column, Column)}
        if not columns:
            return self._absent(experiment, quantity, selector)
        seeds, order, table = follow_steps(columns)
        graded = weakest(column.graded for column in columns.values() if column.graded)
        values = (
            recoveries(table).astype(np.float64)
            if what == "recovery"
            else collapse_steps(order, table)
        )
        never = np.isnan(values)
        left = tuple(f"seed {seed}: does not collapse by step {order[-1]}" for seed in seeds[never])
        if never.all():
            return Undefined(f"no run's EI collapses by step {order[-1]}")
        return Column(seeds[~never], values[~never], left, graded=graded)

    def levels(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], axis: str
    ) -> tuple[Scalar, ...]:
        """Return the levels of an axis at which the cell was measured."""
        if axis == "lambda":
            return self._strengths(experiment, quantity, selector)
        rest = name_condition(
            experiment, {key: value for key, value in selector.items() if key != axis}
        )
        found: set[Scalar | None] = set()
        kind, found_in = (experiment, quantity, "default"), [self.rows]
        # Only a base model can be lent: step 0, or the condition that trains nothing.
        if rest.get("step") == 0 or rest.get("condition") == "B0":
            found_in.append(self.lent)
        families = [pair for place in found_in for pair in place.get(kind, {}).items()]
        for (concept, direction, probes), family in families:
            if axis in PART_KEYS and not differs_in(axis, concept, rest):
                continue
            if axis not in (*CONCEPT_KEYS, *PART_KEYS) and concept != concept_of(rest):
                continue
            if axis != "probe_set" and probes != self._further_set(experiment, rest):
                continue
            if axis != "direction" and direction != rest.get("direction"):
                continue
            fitting = self._fitting(experiment, family, rest)
            if axis in (*CONCEPT_KEYS, *PART_KEYS, "direction", "probe_set"):
                of_part = {"direction": direction, "probe_set": probes or self.sets.get(experiment)}
                named = part_keys(concept or "").get(axis) if axis in PART_KEYS else concept
                found |= {of_part.get(axis, named)} if fitting else set()
                continue
            for model, condition, step, row in fitting:
                of_axis: dict[str, Scalar] = {"model": model, "condition": condition, "step": step}
                found |= set(row.measured_seeds()) if axis == "seed" else {of_axis.get(axis)}
        return tuple(
            sorted(
                (v for v in found if v is not None),
                key=lambda level: (isinstance(level, str), level),
            )
        )

    def _strengths(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar]
    ) -> tuple[Scalar, ...]:
        """Return the λ values for which the manifest has a condition."""
        rest = {key: value for key, value in selector.items() if key not in ("condition", "lambda")}
        measured = self.levels(experiment, quantity, rest, "condition")
        variants = planned_variants(experiment, str(selector.get("condition", CSR)))
        gradient = selector.get("gradient", USUAL.gradient)
        strengths = {
            own.strength
            for name, own in variants.items()
            if name in measured and own.gradient == gradient and own.strength is not None
        }
        return tuple(sorted(strengths))

    def base_models(
        self, quantity: str, selector: Mapping[str, Scalar], experiment: str | None = None
    ) -> list[Base]:
        """Return the base model's values: of `experiment` first, then others of the same kind."""
        direction = selector.get("direction")
        key = (
            quantity,
            str(selector.get("model")),
            concept_of(selector),
            None if direction is None else int(direction),
        )
        found = [base for base in self.bases.get(key, ()) if self._base_fits(base, selector)]
        own = [base for base in found if base.experiment == experiment]
        kinds = {self._kind(base) for base in own}
        others = [
            base
            for base in found
            if base not in own and (experiment is None or self._kind(base) in kinds)
        ]
        self.borrowed |= {base.lent_by for base in own if base.lent_by is not None}
        return [*own, *others]

    def lenders(self) -> set[str]:
        """Return every run of another manifest whose step 0 some manifest reads."""
        rows = (
            row
            for parts in self.lent.values()
            for family in parts.values()
            for row in rows_of_family(family)
        )
        return {row.lent_by for row in rows if row.lent_by is not None}

    def _kind(self, base: Base) -> str:
        """Return what decides a base value besides its probe set."""
        return base.kind or self.trained[base.experiment, base.model, base.condition].base

    def _base_fits(self, base: Base, selector: Mapping[str, Scalar]) -> bool:
        """Return whether a selector means this base model."""
        return self._means(base.experiment, base.model, base.condition, {**selector, "step": 0})

    def _matching(
        self, kind: RowKind, selector: Mapping[str, Scalar]
    ) -> list[MeasuredRow] | Undefined:
        """Return the rows a selector means, own before lent; Undefined for several cells."""
        direction = selector.get("direction")
        further = self._further_set(kind[0], selector)
        part = (concept_of(selector), None if direction is None else int(direction), further)
        wanted = dict(selector)
        # Nothing is trained: the base model is the same at any step.
        if wanted.get("condition") == BASE:
            wanted["step"] = 0
        places = (self.rows, self.lent) if wanted.get("step") == 0 else (self.rows,)
        # Own rows come first: a lent base model is used only where there are none.
        families = (family for place in places if (family := place.get(kind, {}).get(part)))
        return next(
            (rows for family in families if (rows := self._among(kind, family, dict(wanted)))), []
        )

    def _among(
        self, kind: RowKind, family: Family, wanted: dict[str, Scalar]
    ) -> list[MeasuredRow] | Undefined:
        """Return the rows of a family that a selector means, or why they are several cells."""
        if wanted.get("step", "last") == "last":
            fitting = self._fitting(kind[0], family, {**wanted, "step": "any"})
            wanted["step"] = max(
                (self.last[kind[0], model, name] for model, name, _, _ in fitting), default=0
            )
        exact = family.get((str(wanted.get("model")), str(wanted.get("condition"))), {}).get(
            int(wanted["step"])
        )
        if exact is not None and not {"adapter", "layer", "lambda"} & wanted.keys():
            return [exact]
        fitting = self._fitting(kind[0], family, wanted)
        return ambiguous(kind[0], fitting, wanted) or [row for _, _, _, row in fitting]

    def _further_set(self, experiment: str, selector: Mapping[str, Scalar]) -> str | None:
        """Return the probe set a selector names, if it is not the runs' own."""
        named = selector.get("probe_set")
        return None if named is None or named == self.sets.get(experiment) else str(named)

    def _fitting(
        self, experiment: str, family: Family, selector: Mapping[str, Scalar]
    ) -> list[tuple[str, str, int, MeasuredRow]]:
        """Return the rows of the selected model, condition and step.

        At step 0 all conditions fit.
        """
        step = selector.get("step", "any")
        found = []
        for (model, condition), by_step in family.items():
            if selector.get("model", model) != model or not self._means(
                experiment, model, condition, selector
            ):
                continue
            if isinstance(step, int):
                found += [(model, condition, step, by_step[step])] if step in by_step else []
            else:
                found += [(model, condition, at, row) for at, row in by_step.items()]
        return found

    def _means(
        self, experiment: str, model: str, condition: str, selector: Mapping[str, Scalar]
    ) -> bool:
        """Return whether a selector means a condition, by name or by what its runs are."""
        own, named = (
            self.trained.get((experiment, model, condition), USUAL),
            str(selector.get("condition")),
        )
        like = self.trained.get((experiment, model, named)) or planned_conditions(experiment).get(
            named, USUAL
        )
        return speaks_of(own, condition, selector, like)

    def _absent(self, experiment: str, quantity: str, selector: Mapping[str, Scalar]) -> Undefined:
        """Return why a cell has no value, from the status of its runs."""
        statuses: dict[str, int] = defaultdict(int)
        for (model, condition, status), count in self.runs.get(experiment, {}).items():
            if selector.get("model", model) == model and self._means(
                experiment, model, condition, selector
            ):
                statuses[status] += count
        if not statuses:
            return NotRun(f"nothing of {experiment} has been run for this cell")
        if statuses.get("diverged") and not statuses.get("done"):
            return Undefined(
                f"all {statuses['diverged']} runs diverged; numbers of a diverged run never count"
            )
        if statuses.get("done"):
            return NotRun(f"the finished runs of {experiment} did not measure {quantity} there")
        return NotRun(f"{sum(statuses.values())} runs are under way, none is finished")
