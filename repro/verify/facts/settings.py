"""Look up the settings of a manifest, or of a finished run, for the claims' algebra.

A setting has the name of its field (`lora_rank` is training.lora.rank, `double_quantisation` is
training.quantisation.double). Manifests and runs are read alike, as plain mappings: a manifest's
fields, or those of the key a run is named by.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from repro.claims.algebra.interval import Category, Levels, Value, point
from repro.claims.claim import Term
from repro.claims.manifests import planned_manifests
from repro.claims.selector import Scalar
from repro.geometry.undefined import Undefined
from repro.manifest.adapters import ALL_LINEAR
from repro.manifest.experiment import Experiment
from repro.manifest.load import find_manifest, load_experiment, load_models
from repro.manifest.probes import declared
from repro.verify.facts.structure import QUANTITIES

_PRIMARY = "code"
"""The domain whose companions the papers rank."""
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_Fields = Mapping[str, Any]


class Settings:
    """The settings of one manifest, or of one run."""

    def __init__(self, name: str | None, content: _Fields | None) -> None:
        self._name = name
        self._content = content

    @staticmethod
    def of_manifest(experiment: Experiment) -> "Settings":
        """Return the settings of a manifest."""
        return Settings(experiment.id, experiment.model_dump(mode="json"))

    @staticmethod
    def of_run(name: str, condition: str, key: _Fields) -> "Settings":
        """Return the settings of one finished run, from the key it is named by."""
        arm = {
            "models": [key["model"]["id"]],
            "conditions": [condition],
            "seeds": [key.get("seed")],
        }
        content = {
            field: key[field] for field in ("training", "diagnostics", "probe_set") if field in key
        }
        return Settings(
            name, {**content, "conditions": {condition: key["condition"]}, "arms": [arm]}
        )

    def base(self, term: Term) -> Value:
        """Return the setting; Undefined where the manifest does not set it."""
        if term.statistic not in ("single", "count", "levels") or term.of is not None:
            return Undefined(f"follows from values that the manifest {self._name} does not set")
        if self._content is None:
            return Undefined(f"the manifest {not_here(str(self._name))}")
        if term.quantity == "cardinalities":
            return self._cardinalities(term)
        # Crosstalk's matrix: every domain on every domain.
        if term.quantity == "damage_matrix_size":
            return point(len(self._concepts(term.selector).get("domain", ())) ** 2)
        return self._field(term) if term.statistic == "single" else self._listed(term)

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels of an axis that are run for the term's cell."""
        if self._content is None:
            return ()
        if axis == "model" and term.quantity in QUANTITIES:
            return tuple(load_models())
        if axis == "module":
            return tuple(self._content["training"].get("lora", {}).get("targets", ()))
        if axis == "dataset":
            return tuple(self._content["domains"])
        classes = self._concepts(term.selector)
        if axis == "companion":
            return tuple(name for name in classes.get("domain", ()) if name != _PRIMARY)
        if axis == "class":
            return tuple(classes.get(str(term.selector.get("concept", "domain")), ()))
        return self._run_levels(term.selector, axis)

    def total(self, term: Term) -> int | None:  # noqa: ARG002 (the lookup asks; settings count nothing)
        """Return None: settings count nothing."""
        return None

    def _cardinalities(self, term: Term) -> Value:
        """Return the number of classes of each concept; for a count, the number of concepts."""
        concepts = self._concepts(term.selector)
        if term.statistic == "count":
            return point(sum(concept in concepts for concept in term.among or concepts))
        return Levels(tuple(len(classes) for classes in concepts.values()))

    def _run_levels(self, asked: Mapping[str, Scalar], axis: str) -> tuple[Scalar, ...]:
        """Return the levels of an axis in the arms that run the cell.

        λ is the strength of a condition's penalty.
        """
        found: dict[Scalar, None] = {}
        selector = {key: value for key, value in asked.items() if key != axis}
        content = self._content or {}
        sets = (content.get("probe_set", ""), *content.get("also_probe_sets", ()))
        for arm in content["arms"]:
            spoken = [name for name in arm["conditions"] if self._means(selector, name)]
            axes = {
                "model": arm["models"],
                "condition": spoken,
                "seed": arm["seeds"],
                "probe_set": sets,
            }
            axes["lambda"] = [
                csr["strength"] for name in spoken if (csr := self._condition(name).get("csr"))
            ]
            if spoken and all(
                selector.get(key, axes[key][0]) in axes[key] for key in ("model", "seed")
            ):
                found |= dict.fromkeys(axes.get(axis, ()))
        return tuple(found)

    def _means(self, selector: Mapping[str, Scalar], name: str) -> bool:
        """Return whether a selector means a condition.

        It does by the condition's name, or as its variant. A penalty without its gradient is
        ours: it counts only where it is named.
        """
        asked = selector.get("condition")
        if asked == name:
            return True
        condition = self._condition(name)
        csr = condition.get("csr")
        if csr is not None and csr["gradient"] == "detached":
            return False
        return asked is None or condition.get("variant_of") == asked

    def _condition(self, name: str) -> _Fields:
        """Return the fields of a condition."""
        found: _Fields = (self._content or {})["conditions"][name]
        return found

    def _conditions(self, selector: Mapping[str, Scalar]) -> list[_Fields]:
        """Return the conditions that the selected model is trained under and the selector means."""
        content, model, asked = (
            self._content or {},
            selector.get("model"),
            selector.get("condition"),
        )
        arms = [arm for arm in content["arms"] if model in (None, *arm["models"])]
        run = {name: None for arm in arms for name in arm["conditions"]}
        spoken = [name for name in run if self._means(selector, name)]
        exactly = [name for name in spoken if name == asked]
        # Not run by itself, only continued.
        started = [name for name in content["conditions"] if name == asked]
        return [self._condition(name) for name in exactly or spoken or started]

    def _listed(self, term: Term) -> Value:
        """Return the levels of an axis, or their number."""
        axis = term.over or "seed"
        levels = self.levels(term, axis)
        if not levels:
            return Undefined(f"the manifest {self._name} lists no levels of {axis} for it")
        kept = tuple(level for level in term.among if level in levels) if term.among else levels
        return point(len(kept)) if term.statistic == "count" else Levels(kept)

    def _concepts(self, selector: Mapping[str, Scalar]) -> Mapping[str, Sequence[str]]:
        """Return the classes of each concept of the selected probe set."""
        return _concepts(str(selector.get("probe_set", (self._content or {}).get("probe_set", ""))))

    def _field(self, term: Term) -> Value:
        """Return the field of that name, from the selected condition or the whole protocol."""
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
        for path, value in _fields(
            {key: content.get(key, {}) for key in ("training", "diagnostics")}
        ):
            if any(words == set("_".join(path[i:]).split("_")) for i in range(len(path))):
                return _as_value(value)
        return Undefined(f"the manifest {self._name} sets no {term.quantity.replace('_', ' ')}")


def _fields(content: _Fields, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path, value) of every field, however deep."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _fields(value, (*path, key))
        else:
            yield (*path, key), value


def _as_value(value: object) -> Value:
    """Return a field as claims state it: a number, yes or no, a name."""
    if isinstance(value, bool):
        return Category("yes" if value else "no")
    if isinstance(value, (int, float)):
        return point(float(value))
    if isinstance(value, (list, tuple)):
        known = {frozenset(ALL_LINEAR): "all linear layers", frozenset(ATTENTION): "attention-only"}
        return Category(known.get(frozenset(value), ", ".join(map(str, value))))
    return Category(str(value))


def _steps(conditions: Sequence[_Fields], dataset: Scalar | None) -> Value:
    """Return the steps of a condition, or of its phases on one domain.

    Of all trained conditions if they agree.
    """
    phases = [phase for condition in conditions for phase in condition["phases"]]
    if dataset is not None:
        on = [phase["steps"] for phase in phases if _part(phase["mixture"], dataset)]
        return point(sum(on)) if on else Undefined(f"no phase trains on {dataset}")
    found = {sum(phase["steps"] for phase in condition["phases"]) for condition in conditions} - {0}
    return (
        point(found.pop())
        if len(found) == 1
        else Undefined("the conditions differ in their steps; name one")
    )


def _share(condition: _Fields | None, dataset: Scalar | None) -> Value:
    """Return the share of a condition's data that comes from a domain."""
    if condition is None or dataset is None or not condition["phases"]:
        return Undefined("a share of data needs a trained condition and a domain")
    shares = {_part(phase["mixture"], dataset) or 0.0 for phase in condition["phases"]}
    return (
        point(shares.pop()) if len(shares) == 1 else Undefined("the phases differ in their shares")
    )


def _data_of(conditions: Mapping[str, _Fields], name: Scalar | None) -> Value:
    """Return the other condition that trains on the same data for the same steps."""
    own = conditions.get(str(name), {}).get("phases")
    same = [
        other
        for other in conditions
        if own and other != name and conditions[other]["phases"] == own
    ]
    return (
        Category(same[0]) if same else Undefined(f"no other condition trains on the data of {name}")
    )


def _differing(conditions: Sequence[_Fields]) -> Value:
    """Return the names of all fields in which the conditions of a manifest differ.

    They share its protocol.
    """
    if len(conditions) < 2:
        return Undefined("a difference needs two conditions")
    parts = [
        {
            "mixture": [phase["mixture"] for phase in condition["phases"]],
            "steps": [phase["steps"] for phase in condition["phases"]],
            **{
                key: value
                for key, value in condition.items()
                if key not in ("title", "phases", "variant_of")
            },
        }
        for condition in conditions
    ]
    differing = [
        name for name, first in parts[0].items() if any(one[name] != first for one in parts)
    ]
    return Category(", ".join(differing))


def _part(mixture: Mapping[str, float], dataset: Scalar) -> float | None:
    """Return the share of a domain, whose name the paper may shorten ("creative").

    None if absent.
    """
    return next(
        (value for domain, value in mixture.items() if domain.startswith(str(dataset))), None
    )


def not_here(name: str) -> str:
    """Say why a manifest that claims name cannot be read."""
    return (
        f"{name} is announced, not yet written"
        if name in planned_manifests()
        else f"{name} is not here; give its path"
    )


@cache
def manifest(name: str) -> Experiment | None:
    """Return the manifest of that name or path; None where there is none, as while it is only
    announced.
    """
    return load_experiment(name) if find_manifest(name) else None


@cache
def settings_of(name: str | None) -> Settings:
    """Return the settings of the manifest of that name.

    Without content while it is only announced.
    """
    found = manifest(name) if name else None
    return Settings.of_manifest(found) if found else Settings(name, None)


@cache
def _concepts(probe_set: str) -> dict[str, tuple[str, ...]]:
    """Return the classes of each concept of a probe set."""
    return declared(probe_set).concepts
