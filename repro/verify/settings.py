"""What needs no run to be known: settings of a manifest, facts of an architecture, as a lookup for the claims' algebra.

A protocol claim names the manifest's field (`lora_rank`, `learning_rate`); a structural one follows from the real
architecture (`repro.verify.structure`), a benchmark's size from its published file (docs/SCIENCE.md §13).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from repro.manifest.claim import Claim, Scalar, Term
from repro.manifest.experiment import Experiment
from repro.manifest.load import find_manifest, load_experiment, load_models
from repro.manifest.probes import declared
from repro.manifest.training import ALL_LINEAR, Condition
from repro.verify import conditions
from repro.verify.algebra_interval import Category, Levels, Missing, Value, point
from repro.verify.benchmarks import PROBLEMS
from repro.verify.prints import Prints
from repro.verify.structure import QUANTITIES, Structures, structural

PRIMARY = "code"
"""The domain whose companions the papers rank."""
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")


class Settings:
    """The fields of one manifest, and the architectures of its models."""

    def __init__(self, name: str | None, prints: Prints | None = None, built: Structures | None = None) -> None:
        self._name = name
        self._built = built or {}
        self._experiment = manifest(name) if name else None
        self._prints = prints

    def base(self, term: Term) -> Value:
        """The setting; what follows from the definition may rest on the paper's other prints (`prints`) as well."""
        if self._prints is not None and (printed := self._printed(term, self._prints)) is not None:
            return printed
        if term.quantity in QUANTITIES and term.statistic == "single":
            return structural(term.quantity, term.selector, self._name, self._built)
        if term.quantity == "problems" and (size := PROBLEMS.get(str(term.selector.get("benchmark")))):
            return point(size)
        if term.statistic not in ("single", "count", "levels") or term.of is not None:
            return Missing(f"follows from values that the manifest {self._name} does not set")
        if self._experiment is None:
            return Missing(f"the manifest {self._name} is announced, not yet written")
        if term.quantity == "cardinalities":
            return self._cardinalities(term)
        if term.quantity == "damage_matrix_size":  # of crosstalk: every domain on every domain
            return point(len(self._concepts(term.selector).get("domain", ())) ** 2)
        return self._listed(term) if term.statistic in ("count", "levels") else self._field(term)

    @staticmethod
    def _printed(term: Term, prints: Prints) -> Value | None:
        if term.statistic == "levels":
            listed = prints.levels(term.quantity, term.selector)
            return None if listed is None else Levels(listed)
        value = prints.value(term.quantity, term.selector) if term.statistic == "single" else None
        return None if value is None else point(value)

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Levels of an axis that the manifest runs for the cell."""
        if self._experiment is None:
            return ()
        if axis == "model" and term.quantity in QUANTITIES:
            return tuple(load_models())
        if axis == "module":
            return self._experiment.training.lora.targets
        if axis == "companion":
            return tuple(domain for domain in self._concepts(term.selector).get("domain", ()) if domain != PRIMARY)
        if axis == "class":
            return tuple(self._concepts(term.selector).get(str(term.selector.get("concept", "domain")), ()))
        return self._run_levels(term, axis)

    def total(self, term: Term) -> int | None:  # noqa: ARG002 (the protocol asks for it; settings count nothing)
        return None

    def _cardinalities(self, term: Term) -> Value:
        """Numbers of classes, concept by concept; their count is the number of concepts."""
        concepts = self._concepts(term.selector)
        if term.statistic == "count":
            return point(sum(concept in concepts for concept in term.among or concepts))
        return Levels(tuple(len(classes) for classes in concepts.values()))

    def _run_levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Levels of an axis in the arms that run the cell; λ is the strength of a condition's penalty."""
        found: dict[Scalar, None] = {}
        selector = {key: value for key, value in term.selector.items() if key != axis}
        for arm in self._experiment.arms if self._experiment else ():
            spoken = [name for name in arm.conditions if self._means(selector, name)]
            strengths = tuple(csr.strength for name in spoken if (csr := self._condition(name).csr))
            axes: dict[str, tuple[Scalar, ...]]
            axes = {"model": arm.models, "condition": tuple(spoken), "seed": arm.seeds, "lambda": strengths}
            axes["probe_set"] = (
                (self._experiment.probe_set, *self._experiment.also_probe_sets) if self._experiment else ()
            )
            if spoken and all(selector.get(key, axes[key][0]) in axes[key] for key in ("model", "seed")):
                found |= dict.fromkeys(axes.get(axis, ()))
        return tuple(found)

    def _means(self, selector: Mapping[str, Scalar], name: str) -> bool:
        """Whether a selector speaks of a condition, by its name or as one of its variants (B4-0.03, B3-B2-5000).

        A penalty without its gradient is ours: it counts only where it is named.
        """
        asked = selector.get("condition")
        if asked == name:
            return True
        csr = self._condition(name).csr
        if csr is not None and csr.gradient == "detached":
            return False
        return asked is None or re.fullmatch(rf"{re.escape(str(asked))}-\d+(\.\d+)?", name) is not None

    def _condition(self, name: str) -> Condition:
        assert self._experiment is not None
        return self._experiment.conditions[name]

    def _conditions(self, selector: Mapping[str, Scalar]) -> list[Condition]:
        """The conditions that the selected model is trained under and the selector speaks of."""
        assert self._experiment is not None
        model, asked = selector.get("model"), selector.get("condition")
        run = {name: None for arm in self._experiment.arms if model in (None, *arm.models) for name in arm.conditions}
        spoken = [name for name in run if self._means(selector, name)]
        exactly = [name for name in spoken if name == asked]
        started = [name for name in self._experiment.conditions if name == asked]  # only to be gone on from
        return [self._condition(name) for name in exactly or spoken or started]

    def _listed(self, term: Term) -> Value:
        levels = self.levels(term, term.over or "seed")
        if not levels:
            return Missing(f"the manifest {self._name} lists no levels of {term.over or 'seed'} for it")
        kept = tuple(level for level in term.among if level in levels) if term.among else levels
        return point(len(kept)) if term.statistic == "count" else Levels(kept)

    def _concepts(self, selector: Mapping[str, Scalar]) -> Mapping[str, Sequence[str]]:
        declared = self._experiment.probe_set if self._experiment else ""
        return _concepts(str(selector.get("probe_set", declared)))

    def _field(self, term: Term) -> Value:
        """The one field of that name that the manifest (or the selected condition) has."""
        experiment, selector = self._experiment, term.selector
        assert experiment is not None
        if term.quantity == "probes":
            return point(declared(str(selector.get("probe_set", experiment.probe_set))).size)
        if term.quantity == "probes_per_domain":
            probes = declared(str(selector.get("probe_set", experiment.probe_set)))
            return point(probes.size / len(probes.concepts["domain"]))
        if term.quantity == "steps":
            return conditions.steps(self._conditions(selector), selector.get("dataset"))
        if term.quantity == "data_share":
            named = experiment.conditions.get(str(selector.get("condition", "")))
            return conditions.share(named, selector.get("dataset"))
        if term.quantity == "data_of":
            return conditions.data_of(experiment.conditions, selector.get("condition"))
        if term.quantity == "differing_fields":
            return conditions.differing(self._conditions(selector))
        words = set(term.quantity.split("_"))
        for path, value in _fields(experiment.model_dump(include={"training", "diagnostics"})):
            if any(words == set("_".join(path[i:]).split("_")) for i in range(len(path))):
                return _as_value(value)
        return Missing(f"the manifest {self._name} sets no {term.quantity.replace('_', ' ')}")


def _fields(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _fields(value, (*path, key))
        else:
            yield (*path, key), value


def _as_value(value: object) -> Value:
    """A field as the claims put it: numbers, yes or no, names."""
    if isinstance(value, bool):
        return Category("yes" if value else "no")
    if isinstance(value, (int, float)):
        return point(float(value))
    if isinstance(value, (list, tuple)):
        known = {frozenset(ALL_LINEAR): "all linear layers", frozenset(ATTENTION): "attention-only"}
        return Category(known.get(frozenset(value), ", ".join(map(str, value))))
    return Category(str(value))


def said(claim: Claim, value: object) -> str:
    """What a manifest sets, in words: "scale_ladder sets lora_rank to 64", "scale_ladder has 8 seeds"."""
    name, axis = claim.measured_by, (claim.term.over or "seed").replace("_", " ")
    levels = f"{axis}es" if axis.endswith("s") else f"{axis}s"
    text = ", ".join(map(_number, value)) if isinstance(value, tuple) else _number(value)
    text += " %" if claim.unit == "percent" else ""
    one = value == 1 or (isinstance(value, tuple) and len(value) == 1)
    match claim.statistic:
        case "single":
            return f"{name} sets {claim.quantity} to {text}"
        case "count":
            return f"{name} has {text} {axis if one else levels}"
        case "levels" if claim.quantity == "cardinalities":
            return f"{name} has {levels} of {text} classes"
        case "levels":
            return f"{name} has the {axis if one else levels} {text}"
        case "formula":
            return f"{name} has {text} {claim.quantity} ({claim.term.formula})"
    return f"{name} has {text} as the {claim.statistic.replace('_', ' ')} of {claim.quantity}"


def _number(value: object) -> str:
    """A whole number without decimals; a word as it is."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@cache
def manifest(name: str) -> Experiment | None:
    """The manifest of that name; None while it is only announced."""
    return load_experiment(name) if find_manifest(name) else None


@cache
def _concepts(probe_set: str) -> dict[str, tuple[str, ...]]:
    return declared(probe_set).concepts
