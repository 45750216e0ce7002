"""Look up what follows from a model's real architecture (docs/SCIENCE.md §13).

The records come from the worker, which builds the model and its adapter without weights
(`repro.plan.structure`).
"""

from collections.abc import Callable, Iterable, Mapping

from repro.claims.algebra.interval import Category, Value, point
from repro.claims.claim import Claim
from repro.claims.selector import Scalar
from repro.geometry.undefined import Undefined
from repro.manifest.load import load_models
from repro.manifest.model import Model
from repro.manifest.training import Training
from repro.plan.structure import Structure

_Key = tuple[str, str]
"""Manifest and model: the adapter is the manifest's."""
Structures = Mapping[_Key, Structure]

QUANTITIES: dict[str, Callable[[Structure], Value]] = {
    "parameters": lambda built: point(float(built.parameters)),
    "hidden_size": lambda built: point(float(built.hidden_size)),
    "layers": lambda built: point(float(built.layers)),
    "lora_matrices": lambda built: point(float(built.adapter.matrices)),
    "trainable_parameters": lambda built: point(float(built.adapter.parameters)),
    "sliding_window": lambda built: _yes(built.sliding_window is not None),
    "grouped_query_attention": lambda built: _yes(built.grouped_query_attention),
}


def structural(
    quantity: str, selector: Mapping[str, Scalar], manifest: str | None, built: Structures
) -> Value:
    """Return a structural quantity of the selected model."""
    model = str(selector.get("model"))
    if model not in load_models():
        return Undefined(f"the architecture of {model} is not in manifests/models.yaml")
    record = built.get((manifest or "", model))
    if record is None:
        return Undefined(
            f"{model} has not been built without weights: the worker's packages are needed, "
            "see `repro doctor`"
        )
    return QUANTITIES[quantity](record)


def structural_pairs(
    claims: Iterable[Claim], protocol: Callable[[str], Training | None]
) -> dict[_Key, tuple[Model, Training]]:
    """Return the models whose structure some claim needs, each with a protocol.

    It is that of the claim's manifest, or the default.
    """
    needing = [claim for claim in claims if claim.basis != "measured"]
    manifests = {
        claim.measured_by or ""
        for claim in needing
        if QUANTITIES.keys() & {term.quantity for term in claim.term.walk()}
    }
    return {
        (name, model.id): (model, protocol(name) or Training())
        for name in sorted(manifests)
        for model in load_models().values()
    }


def _yes(holds: bool) -> Category:
    """Return "yes" or "no" as a category."""
    return Category("yes" if holds else "no")
