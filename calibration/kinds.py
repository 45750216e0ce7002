"""Simulate one kind of claim at a time: a paper's n seeds and their print, and our m runs.

The paper's seeds come from the claimed process. Ours come from a process with some share of the
claimed effect: all of it (the claim is true), half, none, or the reverse.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from calibration.seeds import GRID, Array, Law
from repro.claims.build import build_claims, finish, inherit
from repro.claims.claim import Claim
from repro.claims.context import with_context
from repro.verify.assess import prints_by_source
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.evidence.columns import MeasuredRow
from repro.verify.evidence.evidence import Evidence
from repro.verify.judge import judge_alone
from repro.verify.verdict import Graded, Outcome

EI, MANIFEST = "entanglement_intensity", "calibration"
BASE, AFTER, SD = 0.9, 0.5, 0.06
"""The effect: from 0.9 to 0.5, with a seed-to-seed standard deviation of 0.06."""
PROBLEMS = 164
SUPPLIED = Graded(grade="supplied")


class Cell(NamedTuple):
    """Model, condition, step, quantity and concept of some values."""

    condition: str = "B3"
    step: int = 5000
    model: str = "m"
    quantity: str = EI
    concept: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of a claim about the cell."""
        return {
            "model": self.model,
            "condition": self.condition,
            "step": self.step,
            "quantity": self.quantity,
        }


class Study(NamedTuple):
    """A paper's claims, the first of which is judged, with our runs."""

    written: Sequence[Mapping[str, Any]]
    runs: Mapping[Cell, Array]
    probes: int = 0


class Truth(NamedTuple):
    """The process a study is drawn from."""

    rng: np.random.Generator
    law: Law
    share: float
    """Share of the claimed effect that our process has."""
    n: int
    m: int

    def theirs(self, mean: float, sd: float = SD) -> Array:
        """Draw the paper's seeds."""
        return self.law(self.rng, mean, sd, self.n)

    def ours(self, mean: float, start: float = BASE, sd: float = SD) -> Array:
        """Draw our runs, where the claimed change is from `start` to `mean`."""
        return self.law(self.rng, start + self.share * (mean - start), sd, self.m)


Kind = Callable[[Truth], Study]
HERE = Cell()
START = Cell(step=0)


def printed(values: Array) -> str:
    """Return a mean ± SD as papers print it."""
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def count_of(cell: Cell, n: int) -> dict[str, Any]:
    """Return the claim that states a cell's number of seeds."""
    return {**cell.fields, "printed": str(n), "statistic": "count"}


def start_of(cell: Cell, value: float = BASE) -> dict[str, Any]:
    """Return the claim that prints a cell's value at step 0."""
    return {**cell.fields, "step": 0, "printed": f"{value:.3f}", "statistic": "mean"}


def seed_mean(t: Truth) -> Study:
    """Draw "0.500 ± 0.060 (n seeds)"."""
    written = [
        {**HERE.fields, "printed": printed(t.theirs(AFTER))},
        start_of(HERE),
        count_of(HERE, t.n),
    ]
    return Study(written, {HERE: t.ours(AFTER), START: np.full(t.m, BASE)})


def bare_mean(t: Truth) -> Study:
    """Draw "0.500", a mean of n seeds without a spread."""
    mean = {**HERE.fields, "printed": f"{t.theirs(AFTER).mean():.3f}", "statistic": "mean"}
    return Study(
        [mean, start_of(HERE), count_of(HERE, t.n)],
        {HERE: t.ours(AFTER), START: np.full(t.m, BASE)},
    )


def relative_change(t: Truth) -> Study:
    """Draw "a 44 % reduction", from a mean ± SD printed elsewhere."""
    theirs = t.theirs(AFTER)
    change = f"{100 * (theirs.mean() / BASE - 1):+.0f}%".replace("-", "−")
    relative = {
        **HERE.fields,
        "printed": change,
        "statistic": "relative_change",
        "of": "mean",
        "against": {"step": 0},
    }
    study = Study(
        [
            relative,
            {**HERE.fields, "printed": printed(theirs)},
            start_of(HERE),
            count_of(HERE, t.n),
        ],
        {},
    )
    return study._replace(runs={HERE: t.ours(AFTER), START: np.full(t.m, BASE)})


def single_run(t: Truth) -> Study:
    """Draw "seed 0: 0.512", one of n printed seeds, to compare with our run of that seed."""
    seeds = [
        {**HERE.fields, "seed": seed, "printed": f"{v:.3f}"}
        for seed, v in enumerate(t.theirs(AFTER))
    ]
    return Study([*seeds, start_of(HERE)], {HERE: t.ours(AFTER), START: np.full(t.m, BASE)})


def median(t: Truth) -> Study:
    """Draw "median 0.50", printed beside a mean ± SD."""
    theirs = t.theirs(AFTER)
    middle = {**HERE.fields, "printed": f"{np.median(theirs):.3f}", "statistic": "median"}
    written = [
        middle,
        {**HERE.fields, "printed": printed(theirs)},
        start_of(HERE),
        count_of(HERE, t.n),
    ]
    return Study(written, {HERE: t.ours(AFTER), START: np.full(t.m, BASE)})


def largest(t: Truth) -> Study:
    """Draw "at most 0.57 over seeds", the maximum printed beside a mean ± SD."""
    theirs = t.theirs(AFTER)
    top = {**HERE.fields, "printed": f"{theirs.max():.3f}", "statistic": "max"}
    written = [
        top,
        {**HERE.fields, "printed": printed(theirs)},
        start_of(HERE),
        count_of(HERE, t.n),
    ]
    return Study(written, {HERE: t.ours(AFTER), START: np.full(t.m, BASE)})


def deviation(t: Truth) -> Study:
    """Draw "± 0.060", the printed SD itself; the effect is a factor of 3 on it."""
    written = [
        {**HERE.fields, "printed": f"{t.theirs(AFTER).std(ddof=1):.3f}", "statistic": "sd"},
        count_of(HERE, t.n),
    ]
    return Study(written, {HERE: t.law(t.rng, AFTER, SD * 3 ** (1 - t.share), t.m)})


def falls(t: Truth) -> Study:
    """Draw "falls", a mean below its start."""
    below = {
        **HERE.fields,
        "printed": "falls",
        "statistic": "below",
        "of": "mean",
        "against": {"step": 0},
    }
    return Study([below], {HERE: t.ours(BASE - SD), START: np.full(t.m, BASE)})


def ordering(t: Truth) -> Study:
    """Draw "lower than B2", one mean below another, by one SD."""
    other = Cell("B2")
    below = {
        **HERE.fields,
        "printed": "lower",
        "statistic": "below",
        "of": "mean",
        "against": {"condition": "B2"},
    }
    return Study([below], {HERE: t.ours(BASE - SD), other: t.law(t.rng, BASE, SD, t.m)})


def monotone(t: Truth) -> Study:
    """Draw "monotonically", six means that rise by a quarter of an SD each."""
    cells = [Cell(model=f"m{level}") for level in range(6)]
    names = [cell.model for cell in cells]
    rises = {
        **HERE.fields,
        "printed": "monotonically",
        "statistic": "monotone",
        "order": "increasing",
        "over": "model",
    }
    claim = {**rises, "of": "mean", "among": names}
    del claim["model"]
    means = [AFTER + t.share * SD / 4 * level for level in range(6)]
    return Study(
        [claim],
        {cell: t.law(t.rng, mean, SD, t.m) for cell, mean in zip(cells, means, strict=True)},
    )


def highest(t: Truth) -> Study:
    """Draw "the highest of eight", by half an SD."""
    cells = [Cell(model=f"m{level}") for level in range(8)]
    claim = {
        **HERE.fields,
        "printed": "the highest",
        "statistic": "highest",
        "over": "model",
        "which": "m0",
    }
    claim |= {"of": "mean", "among": [cell.model for cell in cells]}
    del claim["model"]
    means = [AFTER + t.share * SD / 2, *[AFTER] * 7]
    return Study(
        [claim],
        {cell: t.law(t.rng, mean, SD, t.m) for cell, mean in zip(cells, means, strict=True)},
    )


def all_above(t: Truth) -> Study:
    """Draw "in all eight models above", each by half an SD; the effect is absent in one."""
    cells = [Cell(model=f"m{level}") for level in range(8)]
    claim = {
        **HERE.fields,
        "printed": "all",
        "statistic": "all",
        "over": "model",
        "where": {"above": AFTER},
        "of": "mean",
    }
    claim["among"] = [cell.model for cell in cells]
    del claim["model"]
    means = [AFTER + t.share * SD / 2, *[AFTER + SD / 2] * 7]
    return Study(
        [claim],
        {cell: t.law(t.rng, mean, SD, t.m) for cell, mean in zip(cells, means, strict=True)},
    )


def equals(t: Truth) -> Study:
    """Draw "perfectly preserved", an accuracy over 48 probes equal to its start.

    Without the effect the accuracy falls by a quarter.
    """
    here, start = Cell(quantity="accuracy"), Cell(step=0, quantity="accuracy")
    same = {
        **here.fields,
        "printed": "perfectly preserved",
        "statistic": "equals",
        "of": "mean",
        "against": {"step": 0},
    }
    lost = 0.95 - 0.24 * (1 - t.share)
    values = np.clip(np.round(t.law(t.rng, lost, 0.02, t.m) * GRID) / GRID, 0, 1)
    return Study([same], {here: values, start: np.full(t.m, 0.95)}, probes=GRID)


def no_effect(t: Truth) -> Study:
    """Draw "indistinguishable from B2", beside an effect of 0.4 that both have.

    Where the claim is false, that effect lies between the two.
    """
    other = Cell("B2")
    claim = {
        **HERE.fields,
        "printed": "indistinguishable",
        "statistic": "no_effect",
        "of": "mean",
        "against": {"condition": "B2"},
    }
    means = [
        {**cell.fields, "printed": f"{AFTER:.3f}", "statistic": "mean"} for cell in (HERE, other)
    ]
    return Study(
        [claim, *means, start_of(HERE)],
        {
            HERE: t.law(t.rng, AFTER + (1 - t.share) * 0.4, SD, t.m),
            other: t.law(t.rng, AFTER, SD, t.m),
        },
    )


def significant(t: Truth) -> Study:
    """Draw "significantly lower than B2", by the printed 0.4."""
    other = Cell("B2")
    claim = {
        **HERE.fields,
        "printed": "significantly lower",
        "statistic": "significant",
        "of": "mean",
    }
    claim["against"] = {"condition": "B2"}
    means = [
        {**cell.fields, "printed": f"{mean:.3f}", "statistic": "mean"}
        for cell, mean in ((HERE, AFTER), (other, BASE))
    ]
    return Study([claim, *means], {HERE: t.ours(AFTER), other: t.law(t.rng, BASE, SD, t.m)})


def share(t: Truth) -> Study:
    """Draw "7 of 8 seeds fall to zero", a share of 0.8 of the seeds.

    Where the claim is false it is 0.1.
    """
    where = {"statistic": "count_where", "over": "seed", "where": {"equals": 0}}
    hits = int(t.rng.binomial(t.n, 0.8))
    written = [{**HERE.fields, "printed": f"{hits} of {t.n}", **where}, count_of(HERE, t.n)]
    zero = t.rng.random(t.m) < 0.1 + 0.7 * max(t.share, 0.0)
    return Study(written, {HERE: np.where(zero, 0.0, 0.3)})


def zero_print(t: Truth) -> Study:
    """Draw "0.000 ± 0.000", from seeds that are zero in nine of ten cases, whatever is printed
    of them.
    """
    theirs = np.where(t.rng.random(t.n) < 0.9, 0.0, 0.19)
    zero = t.rng.random(t.m) < 0.9
    ours = np.where(zero, BASE * (1 - t.share), 0.19 + BASE * (1 - t.share))
    written = [{**HERE.fields, "printed": printed(theirs)}, start_of(HERE), count_of(HERE, t.n)]
    return Study(written, {HERE: ours, START: np.full(t.m, BASE)})


def retrained_count(t: Truth) -> Study:
    """Draw "60/164", one training, whose solved problems vary by half more than a binomial."""
    here, base = Cell(quantity="humaneval_plus"), Cell("B0", 0, quantity="humaneval_plus")

    def solve(share: float, runs: int) -> Array:
        """Draw the problems that retrained models solve."""
        levels = np.clip(t.law(t.rng, share, 0.044, runs), 0.01, 0.99)
        return t.rng.binomial(PROBLEMS, levels).astype(float)

    written: list[dict[str, Any]] = [
        {**here.fields, "printed": f"{int(solve(0.37, 1)[0])}/164"},
        {"quantity": "humaneval_plus", "model": "m", "condition": "B0", "printed": "115/164"},
    ]
    return Study(
        written, {here: solve(0.70 - 0.33 * t.share, t.m), base: np.full(1, 115.0)}, probes=PROBLEMS
    )


def same_weights(t: Truth) -> Study:
    """Draw "96/164" of the base model itself, of whose answers 2 % flip between runs.

    Where the claim is false, our model solves 20 problems fewer.
    """
    base = Cell("B0", 0, quantity="humaneval_plus")
    solved = np.arange(PROBLEMS) < 96

    def repeat(right: np.ndarray, runs: int) -> Array:
        """Draw the problems that repetitions with the same weights solve."""
        return np.array(
            [(right ^ (t.rng.random(PROBLEMS) < 0.01)).sum() for _ in range(runs)], dtype=float
        )

    ours = np.arange(PROBLEMS) < 96 - round(20 * (1 - t.share))
    written: list[dict[str, Any]] = [
        {
            "quantity": "humaneval_plus",
            "model": "m",
            "condition": "B0",
            "printed": f"{int(repeat(solved, 1)[0])}/164",
        },
        {
            "quantity": "humaneval_plus",
            "model": "m",
            "condition": "B3",
            "step": 5000,
            "printed": "76/164",
        },
    ]
    return Study(written, {base: repeat(ours, t.m)}, probes=PROBLEMS)


def printed_p(t: Truth) -> Study:
    """Draw the z of two retrained counts."""
    cells = [Cell(name, quantity="humaneval_plus") for name in ("B2", "B3")]

    def solve(share: float, runs: int) -> Array:
        """Draw the problems that retrained models solve."""
        return t.rng.binomial(
            PROBLEMS, np.clip(t.rng.normal(share, 0.03, runs), 0.01, 0.99)
        ).astype(float)

    shares = 0.60, 0.37
    a, b = (float(solve(one, 1)[0]) / PROBLEMS for one in shares)
    pooled = (a + b) / 2
    z = (a - b) / np.sqrt(2 * pooled * (1 - pooled) / PROBLEMS)
    claim = {
        **cells[0].fields,
        "printed": f"{z:.2f}",
        "statistic": "z",
        "against": {"condition": "B3"},
    }
    other = 0.60 - 0.23 * t.share
    return Study(
        [claim], {cells[0]: solve(0.60, t.m), cells[1]: solve(other, t.m)}, probes=PROBLEMS
    )


def correlation(t: Truth) -> Study:
    """Draw "ρ = −0.8" between two quantities over n conditions."""
    names = [f"C{level}" for level in range(max(t.n, 5))]

    def points(rho: float) -> tuple[Array, Array]:
        """Draw points with this correlation."""
        x = t.rng.normal(size=len(names))
        return x, rho * x + np.sqrt(max(1 - rho**2, 0.0)) * t.rng.normal(size=len(names))

    theirs, ours = points(-0.8), points(-0.8 * t.share)
    ranks = [np.argsort(np.argsort(side)) for side in theirs]
    claim = {"printed": f"{np.corrcoef(ranks[0], ranks[1])[0, 1]:.2f}".replace("-", "−"), "statistic": "spearman",
             "over": "condition", "among": names, "model": "m", "step": 5000, "quantity": EI,
             "of": {"quantity": "v_purity"}, "against": {"quantity": EI}}  # fmt: skip
    runs: dict[Cell, Array] = {}
    for quantity, values in zip(("v_purity", EI), ours, strict=True):
        runs |= {
            Cell(name, quantity=quantity): np.array([v])
            for name, v in zip(names, values, strict=True)
        }
    return Study([claim], runs)


def category(t: Truth) -> Study:
    """Draw "sentiment is the weakest", named by 4 of 10 runs, three others by 2 each.

    Where the claim is false, it is named by 1 and each of the others by 3.
    """
    claim = {
        **HERE.fields,
        "printed": "sentiment",
        "reads": "text",
        "quantity": "weakest_concept",
        "kind": "category",
    }
    first = 0.1 + 0.3 * max(t.share, 0.0)
    names = ("sentiment", "tense", "number", "syntax")
    votes = t.rng.choice(4, size=t.m, p=[first, *[(1 - first) / 3] * 3])
    runs = {
        Cell(quantity="weakest_concept", concept=name): np.ones(int((votes == place).sum()))
        for place, name in enumerate(names)
        if (votes == place).any()
    }
    return Study([claim], runs)


KINDS: dict[str, Kind] = {
    "mean ± SD": seed_mean, "mean without SD": bare_mean, "relative change": relative_change, "single run": single_run,
    "median": median, "maximum": largest, "standard deviation": deviation, "falls": falls, "ordering": ordering,
    "monotone (6)": monotone, "highest (8)": highest, "all above (8)": all_above, "equals": equals, "no effect": no_effect,
    "significant": significant, "share of seeds": share, "zero print": zero_print, "retrained count": retrained_count,
    "same weights": same_weights, "z of counts": printed_p, "rank correlation": correlation, "category": category,
}  # fmt: skip
LAWLESS = (
    "share of seeds",
    "zero print",
    "same weights",
    "z of counts",
    "rank correlation",
    "category",
)
"""Kinds whose seeds follow a distribution of their own."""


def claims_of(written: Sequence[Mapping[str, Any]], source: str = "paper") -> tuple[Claim, ...]:
    """Return the claims that a paper's YAML with these entries would give."""
    return _claims(json.dumps(written), source)


@lru_cache(64)
def _claims(written: str, source: str) -> tuple[Claim, ...]:
    """Build the claims from JSON, which can be cached."""
    found = []
    for number, fields in enumerate(json.loads(written)):
        locator = fields.pop("locator", "Table 1")
        given = inherit({"measured_by": MANIFEST}, fields)
        for part, parts in enumerate(build_claims(given, f"claim {number}")):
            found.append(finish(parts, f"{source}/c{number}~{part}", source, locator))
    return with_context(found)


def evidence_of(study: Study) -> Evidence:
    """Return our runs as the store would give them."""
    evidence = Evidence()
    for cell, values in study.runs.items():
        family = evidence.rows[MANIFEST, cell.quantity, "default"][cell.concept, None, None]
        row = MeasuredRow(
            np.arange(len(values)),
            np.asarray(values, dtype=np.float64),
            None,
            study.probes,
            SUPPLIED,
        )
        family.setdefault((cell.model, cell.condition), {})[cell.step] = row
        evidence.graded[MANIFEST, cell.model, cell.condition] = SUPPLIED
    return evidence


def outcome_of(kind: Kind, truth: Truth) -> Outcome:
    """Return the outcome of one study, before any correction for other tests."""
    study = kind(truth)
    claims = claims_of(study.written)
    claim = claims[0]
    context = Context(evidence_of(study), prints_by_source(claims))
    return judge_alone(claim, estimate(claim, context)).outcome
