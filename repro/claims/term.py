"""A term: how a published value comes from cells.

Its vocabulary: manifests/papers/README.md. A cell is a quantity with a selector (model, condition,
seed, step, …); a term is a statistic of cells, or of other terms.
"""

import json
from collections.abc import Hashable, Iterator
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from repro.claims.selector import Scalar, normal_selector
from repro.frozen import Frozen

SAMPLE = (
    "mean",
    "sd",
    "median",
    "q25",
    "q75",
    "min",
    "max",
    "span",
    "iqr",
    "sum",
    "pooled",
    "count",
    "levels",
)
"""Statistics of the cells along one axis (`over`), seeds unless said otherwise."""
BINARY = ("difference", "relative_change", "ratio", "orders_of_magnitude", "z", "p_one", "p_two", "ci_low", "ci_high",
          "spearman", "pearson")  # fmt: skip
"""Statistics of two terms, `of` and `against`."""
SPREADS = (
    "se",
    "ci_half_width",
    "half_range",
    "in_brackets",
    "in_brackets_low",
    "in_brackets_high",
)
"""Spreads that depend on the number of seeds, and unexplained brackets: for the audit."""
SHARES = ("count_where", "share", "all", "none", "only")
"""How many levels of an axis satisfy `where`."""
TRAJECTORIES = ("collapse_step", "recovery")
"""Statistics of a whole trajectory of EI; also quantities of their own (docs/SCIENCE.md §11)."""
TRUTHS = ("equals", "above", "below", "at_least", "at_most", "monotone", "highest", "lowest", "all", "none", "only",
          "no_effect", "significant", "identical", "proportional", "recovery")  # fmt: skip
"""Statistics whose value is true or false."""

Statistic = Literal[
    "single", "mean", "sd", "median", "q25", "q75", "min", "max", "span", "iqr", "sum", "pooled", "count",
    "levels", "se", "ci_half_width", "half_range", "in_brackets", "in_brackets_low", "in_brackets_high",
    "difference", "relative_change", "ratio", "orders_of_magnitude", "z", "p_one", "p_two", "ci_low", "ci_high",
    "spearman", "pearson", "percentage", "formula", "collapse_step", "recovery", "theory_bound", "rank_bound",
    "count_where", "share", "all", "none", "only", "highest", "lowest", "position",
    "equals", "above", "below", "at_least", "at_most", "monotone", "no_effect", "significant", "identical",
    "proportional",
]  # fmt: skip


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


class Term(Frozen):
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
    """Arithmetic over numbers and the names of quantities: "3 * 4 * 4", "hidden_size -
    subspace_dimension".
    """
    confidence: float | None = None
    """Level of a confidence interval in percent; None: 95, or not said."""

    @cached_property
    def key(self) -> str:
        """Return a text equal for two terms exactly when they say the same of the same cells."""
        fields = self.model_dump(exclude_defaults=True)
        return json.dumps(_normal(fields), sort_keys=True, ensure_ascii=False)

    @cached_property
    def base_key(self) -> Hashable:
        """Return a key of the term as a base value: of a single cell, faster than `key`."""
        if self.of is None and self.against is None and not self.among:
            selected = frozenset(self.selector.items())
            return self.statistic, self.quantity, self.over, selected
        return self.key

    @property
    def operands(self) -> tuple["Term", ...]:
        """Return the terms it is taken of; none for a single cell."""
        return tuple(term for term in (self.of, self.against) if term is not None)

    @cached_property
    def operand(self) -> "Term":
        """Return what it compares or runs over: its `of`, or the single cell."""
        return self.of or Term(quantity=self.quantity, selector=self.selector)

    def walk(self) -> "Iterator[Term]":
        """Yield the term and all terms below it."""
        yield self
        for operand in self.operands:
            yield from operand.walk()

    def paths(self, above: "tuple[Term, ...]" = ()) -> "Iterator[tuple[Term, ...]]":
        """Yield each base cell below the term, after the terms around it, the outermost first."""
        path = (*above, self)
        if not self.operands:
            yield path
        for operand in self.operands:
            yield from operand.paths(path)

    def leaves(self) -> "tuple[Term, ...]":
        """Return the base cells: what a lookup must know to evaluate the term."""
        return tuple(path[-1] for path in self.paths())

    @property
    def first_cell(self) -> "Term":
        """Return the base cell that the term is taken of: the first, where it compares two."""
        return self if self.of is None else self.of.first_cell

    @property
    def label(self) -> str:
        """Return the first cell in words: "accuracy (model qwen2.5-coder-7b, step 0)"."""
        cell = self.first_cell
        where = ", ".join(f"{key} {value}" for key, value in cell.selector.items())
        return f"{cell.quantity} ({where})" if where else cell.quantity

    def quantities(self) -> frozenset[str]:
        """Return every quantity that the term rests on."""
        return frozenset(term.quantity for term in self.walk() if term.of is None)

    @property
    def cell(self) -> "Term | None":
        """Return the single cell that a statistic over seeds is taken of.

        None where a term combines several cells. What is computed from a whole trajectory is a cell
        of its own quantity.
        """
        if self.against is not None or self.formula is not None or self.over not in (None, "seed"):
            return None
        if self.statistic in TRAJECTORIES:
            return Term(quantity=self.statistic, selector=(self.of or self).selector)
        return self.of.cell if self.of is not None else self

    @cached_property
    def at_levels(self) -> "dict[tuple[str, Scalar], Term]":
        """Return the terms at single levels of an axis, kept as they are asked for.

        The same ones are asked for again and again.
        """
        return {}


def _normal(fields: object) -> object:
    """Normalise the selectors of a term's fields at every depth.

    A term with operands drops the selector that it was written under: the operands have their own.
    """
    if isinstance(fields, dict):
        said = ("selector", "quantity") if fields.get("of") else ()
        fields = {key: _normal(value) for key, value in fields.items() if key not in said}
        if isinstance(selector := fields.get("selector"), dict):
            fields["selector"] = normal_selector(selector)
        return fields
    return fields
