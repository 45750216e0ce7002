"""Describe a condition's runs beyond its name: adapter, penalty, data, base weights.

It also describes what a manifest plans of them. A selector finds its runs by these fields
(docs/SCIENCE.md §9, §13).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from repro.claims.selector import CSR, Scalar
from repro.plan.named import SILENT_OF_CONDITION
from repro.verify.evidence.grade import RunKey
from repro.verify.facts.settings import manifest


@dataclass(frozen=True, slots=True)
class Trained:
    """The properties of a condition's runs beyond its name, read from the runs themselves."""

    adapter: str = "lora"
    """`lora`, `full`, `mps`, or the grouping of a block-diagonal one: `aligned`, `isolated`."""
    gradient: str = "attached"
    """`detached` where CSR's penalty trains nothing."""
    continued: bool = False
    """Whether it starts from another run's adapter: then its step 0 is not a base model."""
    layer: str = "post_norm"
    strength: float | None = None
    """λ of CSR; None without it."""
    data: str = ""
    """Training data, steps and penalty: equal for variants of one condition."""
    rank: int | None = None
    """Of the trained adapter; None where nothing is trained, or every weight."""
    base: str = ""
    """Quantisation of the base weights and reading of activations: equal where step 0 measures
    the same.
    """


USUAL = Trained()
"""What a selector means by default: the papers' own runs."""
_CAPTURED = ("layer", "pooling", "special_tokens", "scale")


def trained_of(key: RunKey | None) -> Trained:
    """Read the properties of a run beyond its name from its key.

    A manifest's fields in the same form are read as well.
    """
    given = key or {}
    training, condition = given.get("training", {}), given.get("condition", {})
    adapter, csr = training.get("adapter") or {}, condition.get("csr") or {}
    captured = (
        {name: given["diagnostics"].get(name) for name in _CAPTURED}
        if "diagnostics" in given
        else {}
    )
    return Trained(
        adapter=adapter.get("grouping") or adapter.get("kind") or USUAL.adapter,
        gradient=csr.get("gradient", USUAL.gradient),
        continued=given.get("parent") is not None,
        layer=captured.get("layer") or USUAL.layer,
        strength=csr.get("strength"),
        rank=(adapter or training.get("lora") or {}).get("rank")
        if condition.get("phases")
        else None,
        data=json.dumps([condition.get("phases"), condition.get("mixing"), csr], sort_keys=True)
        if condition
        else "",
        base=json.dumps([training.get("quantisation"), captured]) if given else "",
    )


def speaks_of(own: Trained, condition: str, selector: Mapping[str, Scalar], like: Trained) -> bool:
    """Return whether a selector means a condition whose runs are `own`.

    The condition it names has runs like `like`. Step 0 is the base model under any condition,
    with two exceptions: a run that started from another's adapter, and a run that trained every
    weight and so measured other weights than a 4-bit base.
    """
    named = selector.get("condition")
    if selector.get("layer", own.layer) != own.layer:
        return False
    if selector.get("step") == 0:
        full = "full" in (selector.get("adapter"), like.adapter)
        if own.continued or like.continued:
            return condition == named
        return (own.adapter == "full") == full
    if own.strength is not None and selector.get("lambda", own.strength) != own.strength:
        return False
    if selector.get("adapter", own.adapter if condition == named else USUAL.adapter) != own.adapter:
        return False
    if named is None:
        return selector.get("gradient", USUAL.gradient) == own.gradient
    # A variant is the named condition with another adapter: same data, steps and penalty.
    variant = own.data == like.data and not own.continued
    return condition == named or ("adapter" in selector and variant)


def name_condition(experiment: str, selector: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """Return a selector of a λ with the condition that the manifest trains at it.

    That is a variant of the selected condition (`variant_of`) with this λ and gradient.
    """
    if "lambda" not in selector:
        return selector
    rest = {key: value for key, value in selector.items() if key not in ("lambda", "gradient")}
    if selector.get("step") == 0:
        return rest
    strength = float(selector["lambda"])
    gradient = selector.get("gradient", USUAL.gradient)
    variants = (
        name
        for name, own in planned_variants(experiment, str(selector.get("condition", CSR))).items()
        if (own.strength, own.gradient) == (strength, gradient)
    )
    # A λ at which nothing is trained selects no condition there is.
    name = next(variants, f"{selector.get('condition', CSR)} at λ = {strength:g}")
    return {**rest, "condition": name, "lambda": strength}


def planned_variants(experiment: str, condition: str) -> Mapping[str, Trained]:
    """Return the conditions of a manifest that are variants of a condition."""
    conditions = found.conditions if (found := manifest(experiment)) else {}
    return {
        name: own
        for name, own in planned_conditions(experiment).items()
        if conditions[name].variant_of == condition
    }


def planned_levels(
    experiment: str, selector: Mapping[str, Scalar], axis: str
) -> tuple[Scalar, ...]:
    """Return the levels of an axis that the manifest runs for a cell.

    Empty for an unknown manifest.
    """
    found = manifest(experiment)
    levels: dict[Scalar, None] = {}
    for arm in found.arms if found else ():
        if selector.get("model", arm.models[0]) not in arm.models:
            continue
        spoken = [
            name for name in arm.conditions if _planned_means(experiment, name, selector, axis)
        ]
        if axis == "model" and spoken:
            levels |= dict.fromkeys(arm.models)
        if axis == "condition":
            levels |= dict.fromkeys(spoken)
    return tuple(levels)


def _planned_means(experiment: str, name: str, selector: Mapping[str, Scalar], axis: str) -> bool:
    """Return whether a selector, without the axis, means a planned condition."""
    rest = {key: value for key, value in selector.items() if key != axis}
    if rest.get("step") == 0:
        rest.pop("condition", None)
    own = planned_conditions(experiment)[name]
    return speaks_of(
        own, name, rest, planned_conditions(experiment).get(str(rest.get("condition")), USUAL)
    )


@cache
def planned_conditions(experiment: str) -> Mapping[str, Trained]:
    """Return what the runs of each condition of a manifest will be.

    Empty for an unknown manifest.
    """
    found = manifest(experiment)
    if found is None:
        return {}
    diagnostics = found.diagnostics.model_dump(mode="json")
    return {
        name: trained_of(
            {
                "training": found.training.under(condition).model_dump(mode="json"),
                "condition": condition.model_dump(mode="json", exclude=SILENT_OF_CONDITION),
                "diagnostics": diagnostics,
                "parent": condition.continues,
            }
        )
        for name, condition in found.conditions.items()
    }
