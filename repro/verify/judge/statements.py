"""Judge statements by their components (docs/SCIENCE.md §13).

Statements are orderings, trends, superlatives, "all", "none" and "only". Each component is a
difference with an exact t (Welch). Reproduced: all hold jointly at 95 %, by the sum of their
one-sided p (Bonferroni). Contradicted: one fails at 5 % divided by the number of components.
Everything else is inconclusive, whatever order is observed.
"""

import math
from dataclasses import replace
from typing import NamedTuple

from scipy import special

from repro.claims.claim import Claim
from repro.verify.judge.decide import Judgement, sizes
from repro.verify.judge.zero_spread import share_bound
from repro.verify.spreads import CLUSTERS, FEWEST, our_spread, parted_clusters
from repro.verify.statistics import SIGNIFICANCE, ErrorParts, Spread, combine_errors, t_tail, tost
from repro.verify.verdict import Component, Estimate, Level, MeasuredCell

CLUSTERED = "of this many components, seeds in two clusters would part so in one"
"""Why components with few runs contradict nothing where there are many of them."""


ONE_SIDE = (
    "few runs against a fixed number: where seeds come in two clusters, 14 % of true statements "
    "would end so"
)
"""The error rate docs/calibration.md measures for eight components at three runs."""


class Test(NamedTuple):
    """The test of one component."""

    holds: float
    """p against the component being false: small where it is shown to hold."""
    fails: float
    """p against the component being true: small where it is shown to fail."""
    few: str = ""
    """Why it is at best consistent. Such a component contradicts nothing."""

    def turned(self) -> "Test":
        """Return the test of the opposite."""
        return Test(self.fails, self.holds, self.few)


def statement(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a statement by its components."""
    margin = (
        max(sizes(claim, estimate).margin, estimate.grid or 0.0)
        if _has_equalities(estimate)
        else 0.0
    )
    return judge_levels(
        estimate.levels,
        margin,
        negated=estimate.negated,
        asked=estimate.asked,
        claimed=claim.value is not False,
    )


def _has_equalities(estimate: Estimate) -> bool:
    """Return whether some component claims a difference of 0."""
    return any(part.equal for level in estimate.levels for part in level)


def judge_levels(
    levels: tuple[Level, ...],
    margin: float,
    *,
    negated: tuple[bool, ...] = (),
    asked: tuple[int, int] | None = None,
    claimed: bool = True,
) -> Judgement:
    """Judge that all levels hold, or as many as `asked`.

    With `claimed` False, that they do not. A level that is `negated` must not hold.
    """
    tests = [_level_test(level, margin) for level in levels]
    known = [test for test in tests if test is not None]
    if len(known) < len(tests):
        return Judgement("inconclusive", _unknown(levels))
    turned = negated or (False,) * len(known)
    known = [test.turned() if turn else test for test, turn in zip(known, turned, strict=True)]
    least, most = asked or (len(known), len(known))
    # With many components, small samples from two clusters part by chance in some: those
    # contradict nothing.
    firm = [
        test._replace(few=test.few or CLUSTERED)
        if len(known) * _clusters(level) > CLUSTERS
        else test
        for level, test in zip(levels, known, strict=True)
    ]
    holds, fails = _joint(known, least, most), _against(firm, least, most)
    if not claimed:
        holds, fails = fails, holds
    few = next((test.few for test in known if test.few), "")
    thin = next((test.few for test in firm if test.few), "")
    alone = len(known) > 1 and len(known) * max(map(_one_cluster, levels)) > CLUSTERS
    judged = _decide(
        holds, None if all(test.few for test in firm) else fails, few, thin, _words(levels, known)
    )
    if judged.outcome == "contradicted" and alone:
        return replace(judged, reason=f"{judged.reason}; {ONE_SIDE}")
    return judged


def _clusters(level: Level) -> float:
    """Return the chance that two sides in two clusters look different in one direction.

    It is the largest among the parts.
    """
    sides = [
        [cell.runs for cell in _sloped(part) if not cell.measured_once and not cell.binomial]
        for part in level
    ]
    return max((parted_clusters(*pair) for pair in sides if len(pair) == 2), default=0.0)


def _one_cluster(level: Level) -> float:
    """Return the chance that all runs fall into the lower of two equal clusters.

    It is the largest among parts against a fixed number.
    """
    sides = [
        [cell.runs for cell in _sloped(part) if not cell.measured_once and not cell.binomial]
        for part in level
    ]
    return max((2.0 ** -sides_[0] for sides_ in sides if len(sides_) == 1), default=0.0)


def _decide(holds: float, fails: float | None, few: str, thin: str, seen: str) -> Judgement:
    """Return the judgement from the joint p of holding and of failing."""
    if holds < SIGNIFICANCE:
        said = f"{seen}: holds with probability {1 - holds:.3f} or more"
        if few:
            return Judgement("consistent", f"{said}; at best consistent, {few}", p=fails)
        return Judgement("reproduced", said, p=fails)
    if fails is not None and fails < SIGNIFICANCE:
        return Judgement("contradicted", f"{seen}: a component fails, p = {fails:.2g}", p=fails)
    return Judgement(
        "inconclusive",
        f"{seen}: neither shown to hold jointly at 95 % nor to fail{_because(thin)}",
        p=fails,
    )


def _because(few: str) -> str:
    """Return a reason in brackets; empty for none."""
    return f" ({few})" if few else ""


def _joint(tests: list[Test], least: int, most: int) -> float:
    """Return Bonferroni's p of the null that not between `least` and `most` components hold.

    It is small where they are shown to hold: the smallest over all numbers in between, with the
    other components failing.
    """
    found = 1.0
    # For each count the first components in this order have the smallest sum: swapping two
    # raises it.
    order = sorted(tests, key=lambda test: test.holds - test.fails)
    for count in range(least, most + 1):
        shown = math.fsum(test.holds for test in order[:count]) + math.fsum(
            test.fails for test in order[count:]
        )
        found = min(found, shown)
    return found


def _against(tests: list[Test], least: int, most: int) -> float:
    """Return p of the claim that between `least` and `most` components hold.

    Too many fail, or too many hold. More than k of K failures are shown at a level when the (k
    + 1)th smallest p is below level/K. A component with too few runs shows nothing.
    """
    count = len(tests)
    fails = sorted(1.0 if test.few else test.fails for test in tests)
    holds = sorted(1.0 if test.few else test.holds for test in tests)
    smallest = 1.0
    if least > 0:
        # Fewer than `least` hold when more than count − least fail.
        smallest = min(smallest, fails[count - least])
    if most < count:
        smallest = min(smallest, holds[most])
    ways = 2 if least > 0 and most < count else 1
    return min(1.0, ways * count * smallest)


def _level_test(level: Level, margin: float) -> Test | None:
    """Return the test that every part of a level holds."""
    tests = [part_test(part, margin) for part in level]
    known = [test for test in tests if test is not None]
    if len(known) < len(tests) or not known:
        return None
    few = next((test.few for test in known if test.few), "")
    fails = min(1.0, len(known) * min(test.fails for test in known))
    return Test(min(1.0, math.fsum(test.holds for test in known)), fails, few)


def part_test(part: Component, margin: float) -> Test | None:
    """Test one component; None where nothing shows a spread to test with.

    Where no side shows any, ranks decide: m runs on one side of a constant have probability ½ᵐ
    each way, n and m runs with no overlap 1/C(n + m, m).
    """
    varying = [cell for cell in _sloped(part) if not cell.measured_once]
    few = _few(varying)
    if any(cell.runs == 1 and _spread_in_test(cell) is None for cell in _sloped(part)):
        return None
    parts = part_error(part)
    if parts is None:
        return _by_ranks(part, varying, margin, few) if varying else None
    error, df = combine_errors(parts)
    if part.equal:
        beyond = abs(part.gap) - margin
        return Test(
            tost(part.gap, error, df, margin),
            1.0 if beyond <= 0 else 2 * t_tail(beyond / error, df),
            few,
        )
    return Test(t_tail(part.gap / error, df), t_tail(-part.gap / error, df), few)


def part_error(part: Component) -> ErrorParts | None:
    """Return the error of a gap, cell by cell; None where no side shows any spread.

    Runs that all agree borrow the spread of the side they are compared with.
    """
    spreads = [(cell, _spread_in_test(cell)) for cell in _sloped(part)]
    widest = max((spread.sd for _, spread in spreads if spread is not None), default=0.0)
    if not widest:
        return None
    return tuple(
        (spread.sd**2 / spread.n, spread.df)
        if spread
        else (widest**2 / cell.runs, float(max(cell.runs - 1, 1)))
        for cell, spread in spreads
    )


def _sloped(part: Component) -> list[MeasuredCell]:
    """Return the cells that affect the gap."""
    return [cell for cell in part.cells if cell.slope]


def _few(varying: list[MeasuredCell]) -> str:
    """Return why too few runs limit a component; empty for three runs or more."""
    thinnest = min((cell.runs for cell in varying), default=FEWEST)
    return (
        f"{thinnest} run{'s' if thinnest > 1 else ''} a side, fewer than {FEWEST}"
        if thinnest < FEWEST
        else ""
    )


def _spread_in_test(cell: MeasuredCell) -> Spread | None:
    """Return our spread; for a single run, that of the paper's seeds."""
    own = our_spread(cell)
    if own is None and cell.runs == 1 and cell.printed_sd and cell.printed_seeds >= 2:
        return Spread(abs(cell.slope) * cell.printed_sd, cell.printed_seeds - 1, 1)
    return own


def _by_ranks(part: Component, varying: list[MeasuredCell], margin: float, few: str) -> Test:
    """Test runs that all agree, exactly and without a spread."""
    counts = sorted(cell.runs for cell in varying)
    sides = counts[:2] if len(counts) == 2 else []
    # Every order of the runs is equally likely, and one in C(n + m, m) has no overlap.
    # Thousands of runs leave a chance of 0; its reciprocal is beyond every number.
    chance = (
        1 / float(special.comb(sum(sides), sides[0])) if sides else 2.0 ** -min(counts, default=0)
    )
    if part.equal:
        agreeing = (
            "all runs agree, which leaves open a share of others up to "
            f"{share_bound(counts[0]):.2f}"
            if counts
            else ""
        )
        near = abs(part.gap) <= margin
        return Test(
            chance if near else 1.0,
            1.0 if near else min(1.0, 2 * chance),
            few or (agreeing if near else ""),
        )
    if part.gap == 0:
        return Test(1.0, 1.0, few)
    # Runs that all agree may all lie in one of two clusters: that says little about their
    # mean.
    if not sides:
        few = few or "all runs agree, which is no certainty"
    return Test(chance, 1.0, few) if part.gap > 0 else Test(1.0, chance, few)


def _words(levels: tuple[Level, ...], tests: list[Test]) -> str:
    """Return the components and how many are shown, in words."""
    if len(tests) == 1 and len(levels[0]) == 1:
        part = levels[0][0]
        return (
            f"{part.name}: {part.gap:+.4g} in the claimed direction"
            if not part.equal
            else f"{part.name}: {part.gap:+.4g}"
        )
    shown = sum(test.holds < SIGNIFICANCE for test in tests)
    failed = sum(test.fails < SIGNIFICANCE for test in tests)
    return f"{len(tests)} components, {shown} shown to hold one by one and {failed} to fail"


def _unknown(levels: tuple[Level, ...]) -> str:
    """Return which component has too few runs to be tested."""
    thin = [
        cell
        for level in levels
        for part in level
        for cell in part.cells
        if cell.runs == 1 and cell.sd is None
    ]
    name = thin[0].name if thin else (levels[0][0].name if levels and levels[0] else "a component")
    return f"1 run of {name}: too few to show a spread to judge by"
