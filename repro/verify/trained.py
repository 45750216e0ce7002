"""What a condition's runs are beyond its name: adapter, penalty, data, base weights; and what a manifest plans of them.

A cell finds its runs by these fields (docs/SCIENCE.md §9, §13).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from repro.manifest.claim import Scalar
from repro.verify.grade import Key
from repro.verify.settings import manifest


@dataclass(frozen=True, slots=True)
class Trained:
    """What a condition's runs are beyond its name, read off the runs themselves."""

    adapter: str = "lora"
    """`lora`, `full`, or the grouping of a block-diagonal one: `aligned`, `isolated`."""
    gradient: str = "attached"
    """`detached` where the penalty of CSR trains nothing."""
    continued: bool = False
    """Whether it goes on from another run's adapter: its step 0 is no base model."""
    layer: str = "post_norm"
    strength: float | None = None
    """λ of CSR; None without it."""
    data: str = ""
    """What it is trained on, for how long and under which penalty: equal for variants of one condition."""
    base: str = ""
    """How the base model's weights are kept and its activations read: equal where step 0 measures the same."""


USUAL = Trained()
"""What a cell means that says nothing of it: the papers' own runs."""
CAPTURED = ("layer", "pooling", "special_tokens", "scale")


def trained_of(key: Key | None) -> Trained:
    """Read off a run's key, or a manifest's fields put like one, what the run is beyond its name."""
    given = key or {}
    training, condition = given.get("training", {}), given.get("condition", {})
    adapter, csr = training.get("adapter") or {}, condition.get("csr") or {}
    captured = {name: given["diagnostics"].get(name) for name in CAPTURED} if "diagnostics" in given else {}
    return Trained(
        adapter=adapter.get("grouping") or adapter.get("kind") or USUAL.adapter,
        gradient=csr.get("gradient", USUAL.gradient),
        continued=given.get("parent") is not None,
        layer=captured.get("layer") or USUAL.layer,
        strength=csr.get("strength"),
        data=json.dumps([condition.get("phases"), condition.get("mixing"), csr]) if condition else "",
        base=json.dumps([training.get("quantisation"), captured]) if given else "",
    )


def speaks_of(own: Trained, condition: str, selector: Mapping[str, Scalar], like: Trained) -> bool:
    """Whether a cell speaks of a condition whose runs are `own`; those of the condition it names are `like`.

    Step 0 is the base model under any condition, except where a run went on from another's adapter, or trained
    every weight and so measured other weights than a 4-bit base.
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
    variant = own.data == like.data and not own.continued
    return condition == named or ("adapter" in selector and variant)


def planned_levels(experiment: str, selector: Mapping[str, Scalar], axis: str) -> tuple[Scalar, ...]:
    """Levels of an axis that the manifest runs for a cell; none of a manifest that is not known."""
    found = manifest(experiment)
    levels: dict[Scalar, None] = {}
    for arm in found.arms if found else ():
        if selector.get("model", arm.models[0]) not in arm.models:
            continue
        spoken = [name for name in arm.conditions if _planned_means(experiment, name, selector, axis)]
        if axis == "model" and spoken:
            levels |= dict.fromkeys(arm.models)
        if axis == "condition":
            levels |= dict.fromkeys(spoken)
    return tuple(levels)


def _planned_means(experiment: str, name: str, selector: Mapping[str, Scalar], axis: str) -> bool:
    rest = {key: value for key, value in selector.items() if key != axis}
    if rest.get("step") == 0:
        rest.pop("condition", None)
    own = planned_conditions(experiment)[name]
    return speaks_of(own, name, rest, planned_conditions(experiment).get(str(rest.get("condition")), USUAL))


@cache
def planned_conditions(experiment: str) -> Mapping[str, Trained]:
    """What the runs of each condition of a manifest will be; empty of a manifest that is not known."""
    found = manifest(experiment)
    if found is None:
        return {}
    diagnostics = found.diagnostics.model_dump(mode="json")
    return {
        name: trained_of(
            {
                "training": found.training.under(condition).model_dump(mode="json"),
                "condition": condition.model_dump(mode="json", exclude={"title", "adapter", "continues"}),
                "diagnostics": diagnostics,
                "parent": condition.continues,
            }
        )
        for name, condition in found.conditions.items()
    }
