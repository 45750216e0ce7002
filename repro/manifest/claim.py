"""A claim: one number, word or relation a paper prints, with the term that says what it is a value of.

The same terms are evaluated over printed numbers (`repro audit`) and over measurements (`repro verify`).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property

from repro.manifest.claim_term import SAMPLE, TRUTHS, Keyed, Scalar, Term, Where, normal_selector
from repro.manifest.tolerance import BASES, DEFAULTS, Basis, Grade, Kind, Tolerance


class Claim(Keyed):
    """One published number, relation or category: the exact characters it was printed with, and how it is judged."""

    id: str
    source: str
    """The paper's id."""
    locator: str
    """Abstract, a section ("§4.2"), a table ("Table 3") or a table's caption ("Table 3 caption")."""
    says: str
    """The sentence or the table row it stands in."""
    printed: str
    term: Term
    kind: Kind
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
    evidence: Grade = "own"
    """The grade of evidence that may judge it: a published claim is judged by the paper's own models and settings."""

    @property
    def basis(self) -> Basis:
        """What its verdict rests on: a definition, a setting of the protocol, or measurements."""
        return BASES.get(self.kind, "measured")

    @property
    def quantity(self) -> str:
        return self.term.quantity

    @property
    def statistic(self) -> str:
        return self.term.statistic

    @property
    def selector(self) -> Mapping[str, Scalar]:
        return self.term.selector

    @property
    def number(self) -> float:
        """The value of a claim that is a number."""
        assert self.is_number
        return float(self.value)  # type: ignore[arg-type]  # is_number has just been asserted

    @property
    def is_number(self) -> bool:
        """False for truths, categories and lists of levels."""
        return isinstance(self.value, float) and not isinstance(self.value, bool)

    @cached_property
    def digest(self) -> str:
        """Everything judging depends on; frozen into each run at plan time, so a later change is noticed."""
        content = {
            "kind": self.kind, "value": self.value, "low": self.low, "high": self.high, "unit": self.unit,
            "total": self.total, "term": self.term.key, "tolerance": self.tolerance.model_dump(exclude={"reason"}),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def default_kind(term: Term, unit: str) -> Kind:
    """The kind a claim has unless its file says otherwise."""
    match term.statistic:
        case "mean" | "median" | "q25" | "q75" | "min" | "max":
            return "seed_mean" if term.over == "seed" else "derived"
        case "sd" | "iqr":
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


def _kind_of_single(term: Term, unit: str) -> Kind:
    if unit == "count":
        return "problem_count"
    if unit == "text":
        return "category"
    return "base_model" if term.selector.get("step") == 0 else "single_run"


def default_tolerance(kind: Kind) -> Tolerance:
    return DEFAULTS[kind]


__all__ = [
    "SAMPLE",
    "TRUTHS",
    "Basis",
    "Claim",
    "Grade",
    "Scalar",
    "Term",
    "Where",
    "default_kind",
    "default_tolerance",
    "normal_selector",
]
