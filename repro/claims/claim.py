"""A claim: a number, word or relation that a paper prints, and the term that it is a value of.

The same terms are evaluated over printed numbers (`repro audit`) and over measurements (`repro
verify`).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property

from repro.claims.selector import Scalar
from repro.claims.term import SAMPLE, TRUTHS, Term, Where
from repro.claims.tolerance import BASES, DEFAULTS, Basis, ClaimKind, Grade, Tolerance
from repro.frozen import Frozen


class Claim(Frozen):
    """One published number, relation or category: its exact characters, and how it is judged."""

    id: str
    source: str
    """The paper's id."""
    locator: str
    """Abstract, a section ("§4.2"), a table ("Table 3") or its caption ("Table 3 caption")."""
    says: str
    """The sentence or the table row it stands in."""
    printed: str
    term: Term
    kind: ClaimKind
    tolerance: Tolerance
    value: bool | float | str | tuple[Scalar, ...]
    low: float | None = None
    """Smallest value the printed decimals allow; None: unbounded, or not a number."""
    high: float | None = None
    digit: float = 0.0
    """Weight of the last printed digit; 0: exact."""
    unit: str = ""
    qualifier: str = "exact"
    total: int | None = None
    """Denominator of a count ("79/164")."""
    measured_by: str | None = None
    """The manifest whose runs measure it."""
    unverifiable: str | None = None
    """Why no manifest can measure it."""
    note: str = ""
    declared: bool = True
    """False where nobody says what this ± or bracket is.

    It then counts as an SD, and the audit tries other readings.
    """
    unprinted: tuple[tuple[str, Scalar], ...] = ()
    """(axis, level) of cells behind it that are there and hold nothing: it cannot be recomputed."""
    headline: bool = False
    """Whether it is one of the paper's headline claims, which are one family of tests."""
    tests: int = 1
    """How many tests its family holds: what it is corrected for when it stands alone."""
    evidence: Grade = "own"
    """The grade of evidence that may judge it: of a published claim, the paper's own set-up."""

    @property
    def basis(self) -> Basis:
        """Return what its verdict rests on: a definition, a protocol's setting, or measurements."""
        return BASES.get(self.kind, "measured")

    @property
    def quantity(self) -> str:
        """Return the quantity that the claim's term is of."""
        return self.term.quantity

    @property
    def statistic(self) -> str:
        """Return the statistic that the claim's term takes."""
        return self.term.statistic

    @property
    def selector(self) -> Mapping[str, Scalar]:
        """Return the keys that the claim's term fixes of its cell."""
        return self.term.selector

    @property
    def number(self) -> float:
        """Return the value of a claim that is a number."""
        assert self.is_number
        return float(self.value)  # type: ignore[arg-type]  # is_number has just been asserted

    @property
    def is_number(self) -> bool:
        """Tell whether the value is a number: no truth, category or list of levels."""
        return isinstance(self.value, float) and not isinstance(self.value, bool)

    @cached_property
    def digest(self) -> str:
        """Return the digest of everything judging depends on.

        It is frozen into each run at plan time, so a later change is noticed.
        """
        content = {
            "kind": self.kind, "value": self.value, "low": self.low, "high": self.high, "unit": self.unit,
            "total": self.total, "term": self.term.key, "tolerance": self.tolerance.model_dump(exclude={"reason"}),
        }  # fmt: skip
        if self.headline:
            content["headline"] = True
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def default_kind(term: Term, unit: str) -> ClaimKind:
    """Return the kind a claim has unless its file says otherwise."""
    match term.statistic:
        case "mean" | "median" | "q25" | "q75" | "min" | "max":
            return "seed_mean" if term.over == "seed" else "derived"
        case "sd" | "iqr" | "se" | "ci_half_width" | "half_range":
            return "spread" if term.over == "seed" else "derived"
        case "count" | "levels":
            return "protocol"
        case "z" | "p_one" | "p_two" | "ci_low" | "ci_high":
            return "test"
        case "spearman" | "pearson":
            return "correlation"
        case "no_effect":
            return "no_effect"
        case "count_where" | "share":
            return "share"
        case "formula" | "theory_bound" | "rank_bound":
            return "by_construction"
        case "percentage":
            return "problem_count"
        case "single":
            return _kind_of_single(term, unit)
    return "ordering" if term.statistic in TRUTHS or term.statistic == "position" else "derived"


def _kind_of_single(term: Term, unit: str) -> ClaimKind:
    if unit == "count":
        return "problem_count"
    if unit == "text":
        return "category"
    return "base_model" if term.selector.get("step") == 0 else "single_run"


def default_tolerance(kind: ClaimKind) -> Tolerance:
    """Return the tolerance that a kind of claim has unless its file says otherwise."""
    return DEFAULTS[kind]


__all__ = [
    "SAMPLE",
    "TRUTHS",
    "Basis",
    "Claim",
    "Grade",
    "Term",
    "Where",
    "default_kind",
    "default_tolerance",
]
