"""What follows from a model's real architecture, as a lookup for the claims' algebra (docs/SCIENCE.md §13).

The records come from the worker, which builds the model and its adapter without weights (`repro.plan.structure`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from repro.manifest.claim import Claim, Scalar, Term
from repro.manifest.load import load_models
from repro.manifest.model import Model
from repro.manifest.training import Training
from repro.plan.structure import Structure
from repro.verify.algebra_interval import Category, Missing, Value, point

Key = tuple[str, str]
"""Manifest and model: the adapter is the manifest's."""
Structures = Mapping[Key, Structure]

QUANTITIES: dict[str, Callable[[Structure], Value]] = {
    "parameters": lambda built: point(float(built.parameters)),
    "hidden_size": lambda built: point(float(built.hidden_size)),
    "layers": lambda built: point(float(built.layers)),
    "lora_matrices": lambda built: point(float(built.adapter.matrices)),
    "trained_parameters": lambda built: point(float(built.adapter.parameters)),
    "sliding_window": lambda built: _yes(built.sliding_window is not None),
    "grouped_query_attention": lambda built: _yes(built.grouped_query_attention),
}


def structural(quantity: str, selector: Mapping[str, Scalar], manifest: str | None, built: Structures) -> Value:
    """A structural quantity of the selected model."""
    model = str(selector.get("model"))
    if model not in load_models():
        return Missing(f"the architecture of {model} is not in manifests/models.yaml")
    record = built.get((manifest or "", model))
    if record is None:
        return Missing(
            f"{model} has not been built without weights: the worker's packages are needed, see `repro doctor`"
        )
    return QUANTITIES[quantity](record)


def asked(claims: Iterable[Claim], protocol: Callable[[str], Training | None]) -> dict[Key, tuple[Model, Training]]:
    """The models whose structure some claim needs, each with the protocol of the claim's manifest, else the default."""
    manifests = {claim.measured_by or "" for claim in claims if QUANTITIES.keys() & set(_quantities(claim.term))}
    return {
        (name, model.id): (model, protocol(name) or Training())
        for name in sorted(manifests)
        for model in load_models().values()
    }


def _quantities(term: Term) -> Iterator[str]:
    yield term.quantity
    for operand in (term.of, term.against):
        if operand is not None:
            yield from _quantities(operand)


def _yes(holds: bool) -> Category:
    return Category("yes" if holds else "no")
