"""Estimate and Verdict: what the evidence says of a claim, and what that makes of the claim (docs/SCIENCE.md §13)."""

from typing import Any, Literal

from pydantic import Field

from repro.frozen import Frozen
from repro.manifest.tolerance import Basis, Grade

Outcome = Literal[
    "reproduced", "consistent", "contradicted", "inconclusive", "not_run", "unverifiable",
    "holds", "fails", "as_printed", "differs", "not_set",
]  # fmt: skip
OUTCOMES: dict[Basis, tuple[Outcome, ...]] = {
    "measured": ("reproduced", "consistent", "contradicted", "inconclusive", "not_run", "unverifiable"),
    "definition": ("holds", "fails", "unverifiable"),
    "setting": ("as_printed", "differs", "not_set", "unverifiable"),
}
"""What may be said of a claim, by what its verdict rests on: only measurements reproduce anything."""
GRADES: tuple[Grade, ...] = ("random", "twin", "other_settings", "own", "supplied")
"""Grades of evidence, the weakest first."""
JUDGING: frozenset[Grade] = frozenset({"own", "supplied"})
"""The grades that judge a published claim."""
Printed = bool | float | str | tuple[str | int | float, ...]
"""A value as a claim has one: a truth, a number, a word, a list."""
State = Literal["measured", "undefined", "not_run"]


class Graded(Frozen):
    """Whose runs a value rests on."""

    grade: Grade
    other: tuple[str, ...] = ()
    """For `other_settings`: the printed settings that these runs do not have, in words."""


class Cell(Frozen):
    """One measured cell that a claim combines: our runs, and the spread the paper prints for it."""

    name: str
    statistic: str = "mean"
    mean: float
    sd: float | None
    """Standard deviation over our runs (of a count: binomial); None for a single run."""
    runs: int
    slope: float = 1.0
    """How far the claimed number moves when this cell moves by 1."""
    printed_sd: float | None = None
    """Standard deviation over the paper's seeds; None when it prints none."""
    printed_seeds: int = 1
    """Seeds behind that standard deviation."""
    averaged: int = 1
    """Seeds behind the printed value itself: 1 for a single run."""
    binomial: bool = False
    """Whether the spread is that of a count of solved problems, known from the count itself."""


class Estimate(Frozen):
    """What was measured for one claim: everything a rule needs beyond the claim itself."""

    state: State
    reason: str = ""
    """Why there is no value, or no probability."""
    value: bool | float | str | tuple[str | int | float, ...] | None = None
    low: float | None = None
    """95 % interval of our own value, when our runs show a spread."""
    high: float | None = None
    cells: tuple[Cell, ...] = ()
    probability: float | None = None
    """Of the claimed relation, by the parametric bootstrap of `repro.verify.draws`."""
    counted: tuple[int, int] | None = None
    """Successes and trials behind a count or share."""
    printed_counted: tuple[int, int] | None = None
    """The paper's successes and trials."""
    points: int | None = None
    """Points behind a correlation."""
    same_weights: bool = False
    """Whether the measured model is the very one of the paper (nothing was trained)."""
    effect: float | None = None
    """Size of the claimed effect, from the paper's own prints; None when it prints nothing to compare with."""
    grid: float | None = None
    """Step of the values the measurement can take: 1/n for an accuracy over n probes."""
    notes: tuple[str, ...] = ()
    """What was left out and why."""
    graded: Graded | None = None
    """Whose runs it rests on; None where nothing was measured."""

    @property
    def n(self) -> int:
        """Runs behind the thinnest cell."""
        return min((cell.runs for cell in self.cells), default=0)


class Verdict(Frozen):
    """One claim judged. The fields are the JSON keys of `repro verify --json`."""

    id: str
    source: str
    locator: str
    printed: str
    value: bool | float | str | tuple[str | int | float, ...]
    kind: str
    basis: Basis
    """What the verdict rests on: `measured`, `definition` or `setting`."""
    grade: Grade | None = None
    """Whose runs were measured; None where none were."""
    outcome: Outcome
    estimate: bool | float | str | tuple[str | int | float, ...] | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    z: float | None = None
    p: float | None = None
    p_holm: float | None = None
    minimum_detectable: float | None = None
    tolerance: str
    reason: str
    audit: tuple[str, ...] = ()
    """Ids of the audit checks that find this print inconsistent with the paper's other prints."""
    artefacts: dict[str, Any] = Field(default_factory=dict)
    """health, scale (the anchored twin), null, share of specifications: whatever the store holds."""
