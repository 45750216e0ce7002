"""Say which cell a selector means: what does not matter of it, the base model, a λ's condition."""

from collections.abc import Mapping

Scalar = str | int | float
CellKey = tuple[str, frozenset[tuple[str, Scalar]]]
"""A quantity and the selector of its cell."""
SELECTOR_KEYS = frozenset(
    ("model", "condition", "seed", "step", "concept", "class", "direction", "intervention", "lambda", "companion",
     "benchmark", "probe_set", "pair", "layer", "adapter", "dataset", "matrix", "scope", "module")
)  # fmt: skip
CSR = "B4"
"""The condition whose strength λ a claim selects."""


TRAINING_KEYS = ("condition", "intervention", "lambda")


BASE = "B0"
"""The condition that trains nothing."""


def is_untrained(selector: Mapping[str, Scalar]) -> bool:
    """Tell whether a cell is the base model's: at step 0, or of the condition without training."""
    return selector.get("step") == 0 or selector.get("condition") == BASE


def normal_selector(selector: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the selector; at step 0 without condition, strength or λ, since nothing is trained."""
    if selector.get("step") == 0:
        return {key: value for key, value in selector.items() if key not in TRAINING_KEYS}
    return dict(selector)


def at_start(selector: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the selector of the same cell at step 0, of the base model."""
    return normal_selector({**selector, "step": 0})


def cell_key(quantity: str, selector: Mapping[str, Scalar]) -> CellKey:
    """Return the key of one cell whatever its seed, without what does not matter at step 0.

    B0 is the base model at any step.
    """
    if selector.get("condition") == BASE:
        selector = {**selector, "step": 0}
    kept = {key: value for key, value in normal_selector(selector).items() if key != "seed"}
    return quantity, frozenset(kept.items())
