"""The measured cells of all claims, and how a claim's selector finds its own.

A cell is a quantity with a selector; its column has one value per finished run (`repro.verify.gather` fetches them).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from repro.geometry.trajectory import collapse_steps, recoveries
from repro.manifest.claim import Scalar
from repro.verify.columns import Absent, Column, Row, followed, merged
from repro.verify.grade import weakest
from repro.verify.trained import USUAL, Trained, planned_conditions, planned_levels, speaks_of
from repro.verify.verdict import Graded

CONCEPT_KEYS = ("concept", "class", "companion", "pair", "dataset")
"""Selector keys that the store keeps in its column `concept`."""
UNKNOWN_KEYS = ("matrix", "scope", "module")
"""Selector keys the store cannot tell apart yet."""

CSR = "B4"
"""The condition whose strength λ a claim selects."""

Family = dict[tuple[str, str], dict[int, Row]]
"""(model, condition) → step → row."""
Kind = tuple[str, str, str]
"""(experiment, quantity, specification)."""
Part = tuple[str | None, int | None, str | None]
"""(concept, direction, probe set where it is another than the runs' own)."""
Asked = tuple[str, str, str, frozenset[tuple[str, Scalar]]]
Place = tuple[str, str, str]
"""(experiment, model, condition)."""


@dataclass(frozen=True, slots=True)
class Base:
    """The value of a base model on one probe set, as the runs of one condition measured it at step 0."""

    experiment: str
    model: str
    condition: str
    probe_set: str
    value: float
    """Mean over these runs."""
    runs: int


@dataclass
class Evidence:
    """Every measured cell that some claim asks for."""

    rows: dict[Kind, dict[Part, Family]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    bases: dict[tuple[str, str, str | None, int | None], list[Base]] = field(default_factory=lambda: defaultdict(list))
    """(quantity, model, concept, direction) → values of the base model."""
    sets: dict[str, str] = field(default_factory=dict)
    """experiment → its runs' own probe set."""
    runs: dict[str, dict[tuple[str, str, str], int]] = field(default_factory=lambda: defaultdict(dict))
    """experiment → (model, condition, status) → runs."""
    trained: dict[Place, Trained] = field(default_factory=dict)
    """What the runs of a place are."""
    graded: dict[Place, Graded] = field(default_factory=dict)
    set_aside: dict[Place, int] = field(default_factory=dict)
    """How many finished runs of a place do not count, since they were set up otherwise."""
    last: dict[Place, int] = field(default_factory=dict)
    """The last step at which anything was measured."""
    _columns: dict[Asked, Column | Absent] = field(default_factory=dict)

    def column(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], specification: str = "default"
    ) -> Column | Absent:
        """The cell's values by run, or why there are none."""
        key = experiment, quantity, specification, frozenset(selector.items())
        if key not in self._columns:
            self._columns[key] = self._read((experiment, quantity, specification), selector)
        return self._columns[key]

    def _read(self, kind: Kind, selector: Mapping[str, Scalar]) -> Column | Absent:
        if blind := [key for key in UNKNOWN_KEYS if key in selector]:
            return Absent("not_run", f"the store does not yet tell cells apart by {blind[0]}")
        selector = resolved(selector)
        found = self._matching(kind, selector)
        if not found:
            return self._absent(kind[0], kind[1], selector)
        seed = selector.get("seed")
        return found if isinstance(found, Absent) else merged(found, None if seed is None else int(seed))

    def trajectory(self, experiment: str, quantity: str, selector: Mapping[str, Scalar], what: str) -> Column | Absent:
        """Per run: the step of permanent collapse, or whether there was a recovery (docs/SCIENCE.md §11)."""
        key = experiment, quantity, what, frozenset(selector.items())
        if key not in self._columns:
            self._columns[key] = self._follow(experiment, quantity, selector, what)
        return self._columns[key]

    def _follow(self, experiment: str, quantity: str, selector: Mapping[str, Scalar], what: str) -> Column | Absent:
        steps = self.levels(experiment, quantity, selector, "step")
        read = {int(step): self.column(experiment, quantity, {**selector, "step": step}) for step in steps}
        columns = {step: column for step, column in read.items() if isinstance(column, Column)}
        if not columns:
            return self._absent(experiment, quantity, selector)
        seeds, order, table = followed(columns)
        graded = weakest(column.graded for column in columns.values() if column.graded)
        values = recoveries(table).astype(np.float64) if what == "recovery" else collapse_steps(order, table)
        never = np.isnan(values)
        left = tuple(f"seed {seed}: does not collapse by step {order[-1]}" for seed in seeds[never])
        if never.all():
            return Absent("undefined", f"no run's EI collapses by step {order[-1]}")
        return Column(seeds[~never], values[~never], left, graded=graded)

    def levels(self, experiment: str, quantity: str, selector: Mapping[str, Scalar], axis: str) -> tuple[Scalar, ...]:
        """Levels of an axis for which the cell was measured."""
        if axis == "lambda":
            return self._strengths(experiment, quantity, selector)
        rest = resolved({key: value for key, value in selector.items() if key != axis})
        found: set[Scalar | None] = set()
        for (concept, direction, probes), family in self.rows.get((experiment, quantity, "default"), {}).items():
            if axis not in CONCEPT_KEYS and concept != _concept(rest):
                continue
            if axis != "probe_set" and probes != self._further_set(experiment, rest):
                continue
            if axis != "direction" and direction != rest.get("direction"):
                continue
            fitting = self._fitting(experiment, family, rest)
            if axis in (*CONCEPT_KEYS, "direction", "probe_set"):
                of_part = {"direction": direction, "probe_set": probes or self.sets.get(experiment)}
                found |= {of_part.get(axis, concept)} if fitting else set()
                continue
            for model, condition, step, row in fitting:
                of_axis: dict[str, Scalar] = {"model": model, "condition": condition, "step": step}
                found |= set(row.measured_seeds()) if axis == "seed" else {of_axis.get(axis)}
        return tuple(sorted((v for v in found if v is not None), key=lambda level: (isinstance(level, str), level)))

    def _strengths(self, experiment: str, quantity: str, selector: Mapping[str, Scalar]) -> tuple[Scalar, ...]:
        """The λ of which the manifest has a condition."""
        prefix, suffix = f"{selector.get('condition', CSR)}-", _suffix(selector)
        rest = {key: value for key, value in selector.items() if key not in ("condition", "lambda")}
        names = [str(name) for name in self.levels(experiment, quantity, rest, "condition")]
        ends = [name.removeprefix(prefix).removesuffix(suffix) for name in names if name.startswith(prefix)]
        return tuple(sorted({float(end) for end in ends if end.replace(".", "", 1).isdigit()}))

    def base_models(self, quantity: str, selector: Mapping[str, Scalar], experiment: str | None = None) -> list[Base]:
        """The base model's values: of `experiment` first, then of others that measured the same weights alike."""
        direction = selector.get("direction")
        key = (quantity, str(selector.get("model")), _concept(selector), None if direction is None else int(direction))
        found = [base for base in self.bases.get(key, ()) if self._base_fits(base, selector)]
        own = [base for base in found if base.experiment == experiment]
        kinds = {self._kind(base) for base in own}
        others = [base for base in found if base not in own and (experiment is None or self._kind(base) in kinds)]
        return [*own, *others]

    def _kind(self, base: Base) -> str:
        return self.trained[base.experiment, base.model, base.condition].base

    def _base_fits(self, base: Base, selector: Mapping[str, Scalar]) -> bool:
        return self._means(base.experiment, base.model, base.condition, {**selector, "step": 0})

    def _matching(self, kind: Kind, selector: Mapping[str, Scalar]) -> list[Row] | Absent:
        direction = selector.get("direction")
        further = self._further_set(kind[0], selector)
        part = (_concept(selector), None if direction is None else int(direction), further)
        family = self.rows.get(kind, {}).get(part)
        if not family:
            return []
        wanted = dict(selector)
        if wanted.get("condition") == "B0":  # nothing is trained: the base model is what it is at any step
            wanted["step"] = 0
        if wanted.get("step", "last") == "last":
            fitting = self._fitting(kind[0], family, {**wanted, "step": "any"})
            wanted["step"] = max((self.last[kind[0], model, name] for model, name, _, _ in fitting), default=0)
        exact = family.get((str(wanted.get("model")), str(wanted.get("condition"))), {}).get(int(wanted["step"]))
        if exact is not None and not {"adapter", "layer", "lambda"} & wanted.keys():
            return [exact]
        fitting = self._fitting(kind[0], family, wanted)
        return self._ambiguous(kind[0], fitting, wanted) or [row for _, _, _, row in fitting]

    def _ambiguous(
        self, experiment: str, fitting: list[tuple[str, str, int, Row]], wanted: Mapping[str, Scalar]
    ) -> Absent | None:
        """Why a cell that leaves a name out is no single one, in what was measured or in what is to be."""
        axes = [("model", 0)] if wanted["step"] == 0 else [("model", 0), ("condition", 1)]
        for axis, place in axes:
            if axis in wanted:
                continue
            measured = {row[place] for row in fitting}
            if len(measured) > 1:
                return Absent("undefined", f"the claim names no {axis}, and several were measured")
            if measured and len(measured | set(map(str, planned_levels(experiment, wanted, axis)))) > 1:
                return Absent("not_run", f"the claim names no {axis}, and {experiment} has several")
        return None

    def _further_set(self, experiment: str, selector: Mapping[str, Scalar]) -> str | None:
        """The probe set a cell names, where it is another than the runs' own."""
        named = selector.get("probe_set")
        return None if named is None or named == self.sets.get(experiment) else str(named)

    def _fitting(
        self, experiment: str, family: Family, selector: Mapping[str, Scalar]
    ) -> list[tuple[str, str, int, Row]]:
        """Rows that agree with the selected model, condition and step; at step 0 any condition is the base model."""
        step = selector.get("step", "any")
        found = []
        for (model, condition), by_step in family.items():
            if selector.get("model", model) != model or not self._means(experiment, model, condition, selector):
                continue
            if isinstance(step, int):
                found += [(model, condition, step, by_step[step])] if step in by_step else []
            else:
                found += [(model, condition, at, row) for at, row in by_step.items()]
        return found

    def _means(self, experiment: str, model: str, condition: str, selector: Mapping[str, Scalar]) -> bool:
        """Whether a cell speaks of a condition: it names it, or says nothing that its runs are not."""
        own, named = self.trained.get((experiment, model, condition), USUAL), str(selector.get("condition"))
        like = self.trained.get((experiment, model, named)) or planned_conditions(experiment).get(named, USUAL)
        return speaks_of(own, condition, selector, like)

    def _absent(self, experiment: str, quantity: str, selector: Mapping[str, Scalar]) -> Absent:
        statuses: dict[str, int] = defaultdict(int)
        for (model, condition, status), count in self.runs.get(experiment, {}).items():
            if selector.get("model", model) == model and self._means(experiment, model, condition, selector):
                statuses[status] += count
        if not statuses:
            return Absent("not_run", f"nothing of {experiment} has been run for this cell")
        if statuses.get("diverged") and not statuses.get("done"):
            return Absent(
                "undefined", f"all {statuses['diverged']} runs diverged; numbers of a diverged run never count"
            )
        if statuses.get("done"):
            return Absent("not_run", f"the finished runs of {experiment} did not measure {quantity} there")
        return Absent("not_run", f"{sum(statuses.values())} runs are under way, none is finished")


def resolved(selector: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """A selector whose λ is named as manifests name it: a condition of its own, `B4-0.03`, or `B4-0.03-detached`."""
    if "lambda" not in selector:
        return selector
    rest = {key: value for key, value in selector.items() if key not in ("lambda", "gradient")}
    if selector.get("step") == 0:
        return rest
    name = f"{selector.get('condition', CSR)}-{float(selector['lambda']):g}{_suffix(selector)}"
    return {**rest, "condition": name, "lambda": float(selector["lambda"])}


def _suffix(selector: Mapping[str, Scalar]) -> str:
    """What manifests add to a condition's name where the penalty's gradient is detached."""
    return "-detached" if selector.get("gradient") == "detached" else ""


def _concept(selector: Mapping[str, Scalar]) -> str | None:
    return next((str(selector[key]) for key in CONCEPT_KEYS if key in selector), None)
