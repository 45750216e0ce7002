"""Judge two means claimed to be equal, or significantly different.

A weak test shows neither (docs/SCIENCE.md §13).
"""

from dataclasses import replace

from repro.claims.claim import Claim
from repro.verify.judge.decide import Judgement, Reservations, decide, sizes
from repro.verify.judge.statements import part_test
from repro.verify.spreads import FEWEST, our_spread
from repro.verify.statistics import (
    SIGNIFICANCE,
    Comparison,
    ErrorParts,
    against_margin,
    combine_errors,
    t_tail,
)
from repro.verify.verdict import Component, Estimate, Outcome


def no_effect(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge the absence of an effect.

    It is shown by TOST within the claim's margin, and refuted by a difference beyond it.
    """
    parts = error_parts(estimate)
    effect, margin = sizes(claim, estimate)
    if parts is None or not isinstance(estimate.value, float):
        return _without_spread(claim, estimate, margin)
    comparison = against_margin(estimate.value, parts, margin)
    welch = no_difference_p(estimate.value, parts)
    seen = f"difference {estimate.value:.4g} ± {comparison.half_width:.3g}"
    if comparison.p_equivalent < SIGNIFICANCE and welch < SIGNIFICANCE:
        seen += f", significant (p = {welch:.2g}) yet within the margin"
    return decide(comparison, effect, seen, thin_limits(estimate))


def no_difference_p(difference: float, parts: ErrorParts) -> float:
    """Return Welch's p of a difference, from the variance parts of its error."""
    return against_margin(difference, parts, 0.0).p


def significant(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a significant difference: shown by Welch's t in the direction of its words.

    It is refuted where the difference is shown to be less than the margin in that direction, so
    absent or reversed. The p of the difference itself is not the p of a contradiction.
    """
    parts = error_parts(estimate)
    if parts is None or not isinstance(estimate.value, float):
        return _without_spread(claim, estimate, 0.0)
    margin, towards = sizes(claim, estimate).margin, estimate.sign
    comparison = against_margin(estimate.value, parts, 0.0)
    welch = comparison.p
    refuted = _refuted(estimate.value, parts, margin, towards)
    limits = thin_limits(estimate)
    seen = f"difference {estimate.value:.4g} ± {comparison.half_width:.3g}"
    if welch < SIGNIFICANCE and (not towards or towards * estimate.value > 0):
        outcome: Outcome = "consistent" if limits.reproduces else "reproduced"
        # p is 1 here because it is always that of a contradiction, and Welch's p supports
        # the claim.
        shown = Comparison(
            estimate.value, comparison.half_width, 1.0, comparison.p_equivalent, margin, parts
        )
        return Judgement(
            outcome, f"{seen}: significant, p = {welch:.2g}{_also(limits.reproduces)}", shown, 1.0
        )
    compared = replace(comparison, p=refuted, margin=margin)
    direction = {1: " upwards", -1: " downwards"}.get(towards, "")
    if refuted < SIGNIFICANCE:
        said = f"{seen}: no difference{direction} of {margin:.3g} or more, p = {refuted:.2g}"
        if limits.contradicts:
            return Judgement("inconclusive", f"{said}, but {limits.contradicts}", compared)
        return Judgement("contradicted", said, compared, refuted)
    said = f"{seen}: neither significant{direction} nor shown to be below {margin:.3g}"
    return Judgement("inconclusive", said, compared, None if limits.contradicts else refuted)


def _refuted(difference: float, parts: ErrorParts, margin: float, towards: int) -> float:
    """Return p that the true difference reaches the margin in the claimed direction.

    Where none is claimed, either direction counts.
    """
    error, df = combine_errors(parts)
    along = towards * difference if towards else abs(difference)
    return t_tail((margin - along) / error, df)


def error_parts(estimate: Estimate) -> ErrorParts | None:
    """Return the error of our difference, cell by cell; None where it has no spread.

    A side whose runs all agree borrows the other's spread.
    """
    spreads = [(cell, our_spread(cell)) for cell in estimate.cells if cell.slope]
    shown = [spread for _, spread in spreads if spread is not None]
    widest = max((spread.sd for spread in shown), default=0.0)
    if not widest or any(cell.runs == 1 and spread is None for cell, spread in spreads):
        return None
    return tuple(
        (spread.sd**2 / spread.n, spread.df)
        if spread
        else (widest**2 / cell.runs, float(cell.runs - 1))
        for cell, spread in spreads
    )


def thin_limits(estimate: Estimate) -> Reservations:
    """Return the limits of fewer than three runs a side."""
    thinnest = min((cell.runs for cell in estimate.varying), default=FEWEST)
    if thinnest >= FEWEST:
        return Reservations()
    few = f"{thinnest} run{'s' if thinnest > 1 else ''} a side, fewer than {FEWEST}"
    return Reservations(reproduces=f"at best consistent, {few}", contradicts=few)


def _without_spread(claim: Claim, estimate: Estimate, margin: float) -> Judgement:
    """Judge where no run shows a spread: by ranks if all runs agree, else not at all."""
    cells = tuple(cell for cell in estimate.cells if cell.slope)
    if (
        not isinstance(estimate.value, float)
        or not cells
        or any(cell.runs == 1 and not cell.measured_once for cell in cells)
    ):
        return Judgement(
            "inconclusive", estimate.reason or "a single run shows no spread to test with"
        )
    if not estimate.varying:
        return Judgement(
            "inconclusive",
            "one measurement of each base model, and nothing shows how far it varies",
        )
    equal = claim.statistic == "no_effect" or claim.value is False
    gap = estimate.value if equal or not estimate.sign else estimate.sign * estimate.value
    test = part_test(
        Component(name=claim.quantity, gap=gap if equal else abs(gap), cells=cells, equal=equal),
        margin,
    )
    if test is None:
        return Judgement("inconclusive", "no run shows a spread to test with")
    wrong = not equal and gap < 0
    said = (
        f"difference {estimate.value:.4g}, and all runs of a side agree: exact probability "
        f"{test.holds:.2g}"
    )
    if test.holds < SIGNIFICANCE and not wrong:
        return Judgement("consistent" if equal or test.few else "reproduced", said)
    fails = test.holds if wrong else test.fails
    if fails < SIGNIFICANCE and not test.few:
        return Judgement("contradicted", said, p=fails)
    return Judgement("inconclusive", said, p=None if test.few else fails)


def _also(words: str) -> str:
    """Return a further remark with its separator; empty for none."""
    return f"; {words}" if words else ""
