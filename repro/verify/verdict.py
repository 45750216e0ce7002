"""Estimate and Verdict: the evidence on a claim, and its judgement (docs/SCIENCE.md §13)."""

import math
from typing import Any, Literal

from pydantic import Field

from repro.claims.term import Term
from repro.claims.tolerance import Basis, Grade
from repro.frozen import Frozen

Outcome = Literal[
    "reproduced", "consistent", "contradicted", "inconclusive", "not_run", "unverifiable",
    "holds", "fails", "as_printed", "differs", "not_set",
]  # fmt: skip
OUTCOMES: dict[Basis, tuple[Outcome, ...]] = {
    "measured": (
        "reproduced",
        "consistent",
        "contradicted",
        "inconclusive",
        "not_run",
        "unverifiable",
    ),
    "definition": ("holds", "fails", "unverifiable"),
    "setting": ("as_printed", "differs", "not_set", "unverifiable"),
}
"""Possible outcomes by what the verdict rests on: only measurements can reproduce anything."""
GRADES: tuple[Grade, ...] = ("random", "twin", "other_settings", "supplied", "own")
"""Grades of evidence, the weakest first."""
JUDGING: frozenset[Grade] = frozenset({"own", "supplied"})
"""The grades that judge a published claim."""
FILES_SAY: dict[Outcome, str] = {
    "consistent": "consistent with the authors' own files",
    "contradicted": "contradicted by the authors' own files",
    "inconclusive": "left open by the authors' own files",
    "not_run": "not among the authors' own files",
}
"""What a verdict says that rests on files which authors sent. Nothing was repeated, so nothing is
reproduced.
"""
Printed = bool | float | str | tuple[str | int | float, ...]
"""A value as a claim states it: a truth, a number, a word, or a list."""
EstimateState = Literal["measured", "undefined", "not_run"]


class Graded(Frozen):
    """The runs a value rests on, by their grade."""

    grade: Grade
    other: tuple[str, ...] = ()
    """For `other_settings`: the printed settings that these runs differ from, in words; of kept
    files: whether their values are stated or were measured here.
    """
    by: str = ""
    """Who supplied the files, and when; empty where values are not kept as somebody's."""

    def at_best(self, outcome: Outcome) -> Outcome:
        """Return the outcome that this evidence bears: what authors sent reproduces nothing."""
        return "consistent" if self.by and outcome == "reproduced" else outcome


class MeasuredCell(Frozen):
    """One measured cell that a claim combines: our runs, and the spread the paper prints for it."""

    name: str
    statistic: str = "mean"
    mean: float
    sd: float | None
    """Standard deviation over our runs (of a count: binomial); None for a single run."""
    runs: int
    slope: float = 1.0
    """Change of the claimed number when this cell moves by 1."""
    printed_sd: float | None = None
    """Standard deviation over the paper's seeds; None when it prints none."""
    printed_seeds: int = 1
    """Seeds behind that standard deviation."""
    averaged: int = 1
    """Seeds behind the printed value itself: 1 for a single run."""
    printed_mean: float | None = None
    """The paper's value of this cell, where it prints one."""
    binomial: bool = False
    """Whether the cell counts solved problems; its spread is at least that of the count itself."""
    least_sd: float = 0.0
    """Least standard deviation of one run, for a count or a share of this many probes."""
    measured_once: bool = False
    """Whether the cell is a base model's: same weights and probes, so one measurement, however
    many runs read it.
    """
    values: tuple[float, ...] = ()
    """Our value in each run."""
    term: Term | None = None
    """The term that it is the value of; None where it stands for several."""

    @property
    def readings(self) -> int:
        """Return the number of independent measurements behind our value."""
        return 1 if self.measured_once else self.runs


class Component(Frozen):
    """One component of a statement: a difference that must be above 0, or within a margin of it."""

    name: str
    gap: float
    """Our value of the difference; positive where the component holds as claimed."""
    cells: tuple[MeasuredCell, ...]
    """The cells behind the gap, each with the gap's slope in it."""
    equal: bool = False
    """Whether the claim is that the gap is 0 rather than above it."""
    limit: float = 0.0
    """The constant subtracted from the sum of the cells to give the gap."""

    @property
    def printed_gap(self) -> float | None:
        """Return the gap computed from the paper's own prints; None where a cell is not printed."""
        means = [cell.printed_mean for cell in self.cells]
        if any(mean is None for mean in means) or not means:
            return None
        sums = [
            cell.slope * mean
            for cell, mean in zip(self.cells, means, strict=True)
            if mean is not None
        ]
        return math.fsum(sums) - self.limit


Level = tuple[Component, ...]
"""The parts that must hold together at one level of an axis."""


class Estimate(Frozen):
    """What was measured for one claim: all that a rule needs besides the claim itself."""

    state: EstimateState
    reason: str = ""
    """Why no value exists."""
    value: bool | float | str | tuple[str | int | float, ...] | None = None
    low: float | None = None
    """95 % interval of our own value, when our runs show a spread."""
    high: float | None = None
    cells: tuple[MeasuredCell, ...] = ()
    levels: tuple[Level, ...] = ()
    """For a statement: its components, level by level."""
    asked: tuple[int, int] | None = None
    """Least and most number of levels that must hold; None: all of them."""
    negated: tuple[bool, ...] = ()
    """For each level, whether it must not hold; empty: none is negated."""
    votes: tuple[tuple[str, int], ...] = ()
    """For a category: the number of runs that name each value."""
    printed_seeds: int | None = None
    """Number of the paper's seeds behind a statement about all of them."""
    sign: int = 0
    """For a significant difference: the direction its words claim, −1 or 1; 0: either."""
    counted: tuple[int, int] | None = None
    """Successes and trials behind a count or share."""
    printed_counted: tuple[int, int] | None = None
    """The paper's successes and trials."""
    points: int | None = None
    """Number of points behind a correlation."""
    same_weights: bool = False
    """Whether the measured model has the paper's own weights (nothing was trained)."""
    effect: float | None = None
    """Size of the claimed effect, from the paper's own prints; None when it prints nothing to
    compare with.
    """
    grid: float | None = None
    """Step of the values the measurement can take: 1/n for an accuracy over n probes."""
    notes: tuple[str, ...] = ()
    """What was left out and why."""
    graded: Graded | None = None
    """The runs it rests on; None where nothing was measured."""

    @property
    def n(self) -> int:
        """Return the number of runs behind the thinnest varying cell; 1 for base models alone."""
        return min((cell.readings for cell in self.varying or self.cells), default=0)

    @property
    def varying(self) -> tuple[MeasuredCell, ...]:
        """Return the cells that differ from run to run and affect the value."""
        return tuple(cell for cell in self.cells if not cell.measured_once and cell.slope)


class Verdict(Frozen):
    """The judgement of one claim. Its fields are the JSON keys of `repro verify --json`."""

    id: str
    source: str
    locator: str
    printed: str
    value: bool | float | str | tuple[str | int | float, ...]
    kind: str
    basis: Basis
    """What the verdict rests on: `measured`, `definition` or `setting`."""
    grade: Grade | None = None
    """Grade of the measured runs; None where none were measured."""
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
    cells: tuple[MeasuredCell, ...] = Field(default=(), exclude=True)
    """The measured cells it rests on, for an explanation; not a key of the JSON."""
    could_tell: dict[str, Any] = Field(default_factory=dict)
    """What these runs could have told (`repro.verify.judge.could_tell`)."""
    audit: tuple[str, ...] = ()
    """Ids of the audit checks that find this print inconsistent with the paper's other prints."""
    artefacts: dict[str, Any] = Field(default_factory=dict)
    """health, scale (the anchored twin), null, share of specifications: the tests the store
    allows.
    """
