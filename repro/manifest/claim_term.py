"""A term: how a published value comes from cells. The vocabulary is described in manifests/papers/README.md.

A cell is a quantity with a selector (model, condition, seed, step, …); a term is a statistic of cells, or of other terms.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from repro.frozen import Frozen

Scalar = str | int | float

SAMPLE = ("mean", "sd", "median", "q25", "q75", "min", "max", "span", "iqr", "count", "levels")
"""Statistics of the cells along one axis (`over`), seeds unless said otherwise."""
BINARY = ("difference", "relative_change", "ratio", "orders_of_magnitude", "z", "p_one", "p_two", "ci_low", "ci_high",
          "spearman", "pearson")  # fmt: skip
"""Statistics of two terms, `of` and `against`."""
SHARES = ("count_where", "share", "all", "none", "only")
"""How many levels of an axis satisfy `where`."""
EXTREMES = ("highest", "lowest", "position")
"""Where one level (`which`) stands among the others."""
TRUTHS = ("equals", "above", "below", "at_least", "at_most", "monotone", "highest", "lowest", "all", "none", "only",
          "no_effect", "significant", "identical", "proportional", "recovery")  # fmt: skip
"""Statistics whose value is true or false."""

Statistic = Literal[
    "single", "mean", "sd", "median", "q25", "q75", "min", "max", "span", "iqr", "count", "levels",
    "difference", "relative_change", "ratio", "orders_of_magnitude", "z", "p_one", "p_two", "ci_low", "ci_high",
    "spearman", "pearson", "percentage", "formula", "collapse_step", "recovery", "theory_bound", "rank_bound",
    "count_where", "share", "all", "none", "only", "highest", "lowest", "position",
    "equals", "above", "below", "at_least", "at_most", "monotone", "no_effect", "significant", "identical",
    "proportional",
]  # fmt: skip

SELECTOR_KEYS = frozenset(
    ("model", "condition", "seed", "step", "concept", "class", "direction", "intervention", "lambda", "companion",
     "benchmark", "probe_set", "pair", "layer", "adapter", "dataset", "matrix", "scope", "module")
)  # fmt: skip


class Keyed(Frozen):
    """A record with cached properties, which a changed copy must not inherit."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        for name in ("key", "digest", "at_levels"):
            copied.__dict__.pop(name, None)
        return copied


class Where(Frozen):
    """What a value must satisfy; every bound given must hold."""

    equals: Scalar | None = None
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(value is None for value in self.__dict__.values()):
            raise ValueError("a condition needs one of equals, above, below, at_least, at_most")
        return self


class Term(Keyed):
    """A statistic of cells, or of other terms."""

    statistic: Statistic = "single"
    quantity: str
    selector: dict[str, Scalar] = Field(default_factory=dict)
    """The keys of the cell that are fixed; a key left out was not printed."""
    over: str | None = None
    """The axis a statistic runs along."""
    among: tuple[Scalar, ...] = ()
    """The levels of that axis, in order; empty: every level known."""
    of: "Term | None" = None
    """What is compared, or what is computed at each level of `over`; None: the single cell."""
    against: "Term | None" = None
    which: Scalar | None = None
    order: Literal["increasing", "decreasing"] | None = None
    """The trend of `monotone`; the end `position` counts from: increasing, from the lowest."""
    where: Where | None = None
    formula: str | None = None
    """Arithmetic over numbers and the names of quantities: "3 * 4 * 4", "hidden_size - subspace_dimension"."""

    @cached_property
    def key(self) -> str:
        """Equal for two terms exactly when they say the same thing of the same cells."""
        fields = self.model_dump(exclude_defaults=True)
        return json.dumps(_normal(fields), sort_keys=True, ensure_ascii=False)

    @cached_property
    def at_levels(self) -> "dict[tuple[str, Scalar], Term]":
        """The term at single levels of an axis, as they come to be asked for: the same ones again and again."""
        return {}


TRAINING_KEYS = ("condition", "intervention", "lambda")


def normal_selector(selector: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """At step 0 nothing has been trained: the base model's cell belongs to no condition, strength or λ."""
    if selector.get("step") == 0:
        return {key: value for key, value in selector.items() if key not in TRAINING_KEYS}
    return dict(selector)


def _normal(fields: object) -> object:
    """Normal selectors at every depth; a term of terms is said by its operands, not by the selector it was written under."""
    if isinstance(fields, dict):
        said = ("selector", "quantity") if fields.get("of") else ()
        fields = {key: _normal(value) for key, value in fields.items() if key not in said}
        if isinstance(selector := fields.get("selector"), dict):
            fields["selector"] = normal_selector(selector)
        return fields
    return fields
