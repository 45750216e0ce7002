"""The settings of a manifest, or of a finished run, as a lookup for the claims' algebra.

A setting's name is that of its field (`lora_rank` is training.lora.rank, `double_quantisation` is
training.quantisation.double). Manifests and runs are read alike, as plain mappings: a manifest's
fields, or those of the key that a run is named by.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from repro.manifest.claim import Scalar, Term
from repro.manifest.experiment import Experiment
from repro.manifest.load import find_manifest, load_experiment, load_models
from repro.manifest.probes import declared
from repro.manifest.training import ALL_LINEAR
from repro.verify.algebra_interval import Category, Levels, Missing, Value, point
from repro.verify.structure import QUANTITIES

PRIMARY = "code"
"""The domain whose companions the papers rank."""
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
Fields = Mapping[str, Any]


class Settings:
    """What one manifest, or one run, is set to."""

    def __init__(self, name: str | None, content: Fields | None) -> None:
        self._name = name
        self._content = content

    @staticmethod
    def of_manifest(experiment: Experiment) -> "Settings":
        """The settings of a manifest."""
        return Settings(experiment.id, experiment.model_dump(mode="json"))

    @staticmethod
    def of_run(name: str, condition: str, key: Fields) -> "Settings":
        """The settings of one finished run, from the key that it is named by."""
        arm = {"models": [key["model"]["id"]], "conditions": [condition], "seeds": [key.get("seed")]}
        content = {field: key[field] for field in ("training", "diagnostics", "probe_set") if field in key}
        return Settings(name, {**content, "conditions": {condition: key["condition"]}, "arms": [arm]})

    def base(self, term: Term) -> Value:
        """The setting; Missing where the manifest does not say."""
        if term.statistic not in ("single", "count", "levels") or term.of is not None:
            return Missing(f"follows from values that the manifest {self._name} does not set")
        if self._content is None:
            return Missing(f"the manifest {self._name} is announced, not yet written")
        if term.quantity == "cardinalities":
            return self._cardinalities(term)
        if term.quantity == "damage_matrix_size":  # of crosstalk: every domain on every domain
            return point(len(self._concepts(term.selector).get("domain", ())) ** 2)
        return self._field(term) if term.statistic == "single" else self._listed(term)

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Levels of an axis that are run for the term's cell."""
        if self._content is None:
            return ()
        if axis == "model" and term.quantity in QUANTITIES:
            return tuple(load_models())
        if axis == "module":
            return tuple(self._content["training"].get("lora", {}).get("targets", ()))
        classes = self._concepts(term.selector)
        if axis == "companion":
            return tuple(name for name in classes.get("domain", ()) if name != PRIMARY)
        if axis == "class":
            return tuple(classes.get(str(term.selector.get("concept", "domain")), ()))
        return self._run_levels(term.selector, axis)

    def total(self, term: Term) -> int | None:  # noqa: ARG002 (the lookup asks; settings count nothing)
        return None

    def _cardinalities(self, term: Term) -> Value:
        """Numbers of classes, concept by concept; their count is the number of concepts."""
        concepts = self._concepts(term.selector)
        if term.statistic == "count":
            return point(sum(concept in concepts for concept in term.among or concepts))
        return Levels(tuple(len(classes) for classes in concepts.values()))

    def _run_levels(self, asked: Mapping[str, Scalar], axis: str) -> tuple[Scalar, ...]:
        """Levels of an axis in the arms that run the cell; λ is the strength of a condition's penalty."""
        found: dict[Scalar, None] = {}
        selector = {key: value for key, value in asked.items() if key != axis}
        content = self._content or {}
        sets = (content.get("probe_set", ""), *content.get("also_probe_sets", ()))
        for arm in content["arms"]:
            spoken = [name for name in arm["conditions"] if self._means(selector, name)]
            axes = {"model": arm["models"], "condition": spoken, "seed": arm["seeds"], "probe_set": sets}
            axes["lambda"] = [csr["strength"] for name in spoken if (csr := self._condition(name).get("csr"))]
            if spoken and all(selector.get(key, axes[key][0]) in axes[key] for key in ("model", "seed")):
                found |= dict.fromkeys(axes.get(axis, ()))
        return tuple(found)

    def _means(self, selector: Mapping[str, Scalar], name: str) -> bool:
        """Whether a selector names a condition, itself or as one of its variants (B4-0.03, B3-B2-5000).

        A penalty without its gradient is ours: it counts only where it is named.
        """
        asked = selector.get("condition")
        if asked == name:
            return True
        csr = self._condition(name).get("csr")
        if csr is not None and csr["gradient"] == "detached":
            return False
        return asked is None or re.fullmatch(rf"{re.escape(str(asked))}-\d+(\.\d+)?", name) is not None

    def _condition(self, name: str) -> Fields:
        found: Fields = (self._content or {})["conditions"][name]
        return found

    def _conditions(self, selector: Mapping[str, Scalar]) -> list[Fields]:
        """The conditions that the selected model is trained under and the selector names."""
        content, model, asked = self._content or {}, selector.get("model"), selector.get("condition")
        arms = [arm for arm in content["arms"] if model in (None, *arm["models"])]
        run = {name: None for arm in arms for name in arm["conditions"]}
        spoken = [name for name in run if self._means(selector, name)]
        exactly = [name for name in spoken if name == asked]
        started = [name for name in content["conditions"] if name == asked]  # only to be gone on from
        return [self._condition(name) for name in exactly or spoken or started]

    def _listed(self, term: Term) -> Value:
        axis = term.over or "seed"
        levels = self.levels(term, axis)
        if not levels:
            return Missing(f"the manifest {self._name} lists no levels of {axis} for it")
        kept = tuple(level for level in term.among if level in levels) if term.among else levels
        return point(len(kept)) if term.statistic == "count" else Levels(kept)

    def _concepts(self, selector: Mapping[str, Scalar]) -> Mapping[str, Sequence[str]]:
        return _concepts(str(selector.get("probe_set", (self._content or {}).get("probe_set", ""))))

    def _field(self, term: Term) -> Value:
        """The one field of that name, of the selected condition or of the whole protocol."""
        selector, content = term.selector, self._content or {}
        if term.quantity in ("probes", "probes_per_domain"):
            probes = declared(str(selector.get("probe_set", content.get("probe_set", ""))))
            domains = len(probes.concepts["domain"]) if term.quantity == "probes_per_domain" else 1
            return point(probes.size / domains)
        if term.quantity == "steps":
            return _steps(self._conditions(selector), selector.get("dataset"))
        if term.quantity == "data_share":
            named = content["conditions"].get(str(selector.get("condition", "")))
            return _share(named, selector.get("dataset"))
        if term.quantity == "data_of":
            return _data_of(content["conditions"], selector.get("condition"))
        if term.quantity == "differing_fields":
            return _differing(self._conditions(selector))
        words = set(term.quantity.split("_"))
        for path, value in _fields({key: content.get(key, {}) for key in ("training", "diagnostics")}):
            if any(words == set("_".join(path[i:]).split("_")) for i in range(len(path))):
                return _as_value(value)
        return Missing(f"the manifest {self._name} sets no {term.quantity.replace('_', ' ')}")


def _fields(content: Fields, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
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


def _steps(conditions: Sequence[Fields], dataset: Scalar | None) -> Value:
    """Optimizer steps of a condition, or of its phases on one domain; of all trained conditions if they agree."""
    phases = [phase for condition in conditions for phase in condition["phases"]]
    if dataset is not None:
        on = [phase["steps"] for phase in phases if _part(phase["mixture"], dataset)]
        return point(sum(on)) if on else Missing(f"no phase trains on {dataset}")
    found = {sum(phase["steps"] for phase in condition["phases"]) for condition in conditions} - {0}
    return point(found.pop()) if len(found) == 1 else Missing("the conditions differ in their steps; name one")


def _share(condition: Fields | None, dataset: Scalar | None) -> Value:
    """The share of a condition's data that comes from a domain."""
    if condition is None or dataset is None or not condition["phases"]:
        return Missing("a share of data needs a trained condition and a domain")
    shares = {_part(phase["mixture"], dataset) or 0.0 for phase in condition["phases"]}
    return point(shares.pop()) if len(shares) == 1 else Missing("the phases differ in their shares")


def _data_of(conditions: Mapping[str, Fields], name: Scalar | None) -> Value:
    """The other condition that trains on the same data for the same steps."""
    own = conditions.get(str(name), {}).get("phases")
    same = [other for other in conditions if own and other != name and conditions[other]["phases"] == own]
    return Category(same[0]) if same else Missing(f"no other condition trains on the data of {name}")


def _differing(conditions: Sequence[Fields]) -> Value:
    """Names of everything in which the conditions of a manifest differ; its protocol they share."""
    if len(conditions) < 2:
        return Missing("a difference needs two conditions")
    parts = [
        {
            "mixture": [phase["mixture"] for phase in condition["phases"]],
            "steps": [phase["steps"] for phase in condition["phases"]],
            **{key: value for key, value in condition.items() if key not in ("title", "phases")},
        }
        for condition in conditions
    ]
    differing = [name for name, first in parts[0].items() if any(one[name] != first for one in parts)]
    return Category(", ".join(differing))


def _part(mixture: Mapping[str, float], dataset: Scalar) -> float | None:
    """The share of a domain, whose name the paper may shorten ("creative")."""
    return next((value for domain, value in mixture.items() if domain.startswith(str(dataset))), None)


@cache
def manifest(name: str) -> Experiment | None:
    """The manifest of that name; None while it is only announced."""
    return load_experiment(name) if find_manifest(name) else None


@cache
def settings_of(name: str | None) -> Settings:
    """The settings of the manifest of that name; of one that is only announced, none are known."""
    found = manifest(name) if name else None
    return Settings.of_manifest(found) if found else Settings(name, None)


@cache
def _concepts(probe_set: str) -> dict[str, tuple[str, ...]]:
    return declared(probe_set).concepts
