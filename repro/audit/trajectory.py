"""Collapse steps against trajectories: before the step something is left, from it on nothing is.

Definition: docs/SCIENCE.md §11.
"""

from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity
from repro.audit.prints import Near, PrintedNumbers, describe
from repro.audit.recompute import check_of
from repro.claims.algebra.evaluate import evaluate
from repro.claims.algebra.interval import Interval
from repro.claims.algebra.trajectory import is_zero
from repro.claims.claim import Claim
from repro.claims.term import Term
from repro.geometry.undefined import Undefined

EI = "entanglement_intensity"


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one `collapse_trajectory` for every printed collapse step, against its run's values."""
    for claim in prints.claims:
        if (
            claim.quantity == "collapse_step"
            and claim.is_number
            and claim.statistic in ("single", "max")
        ):
            yield _against_trajectory(claim, prints)


def _against_trajectory(claim: Claim, prints: PrintedNumbers) -> Check:
    """Check a collapse step: EI is above 0 before it and 0 from it on, as far as printed."""
    lookup = prints.near(claim)
    values = _values(claim, prints, lookup)
    what = f"{describe(claim.term)}: {claim.printed}"
    if not values:
        missing = Undefined("no trajectory of it is printed")
        return check_of(
            claim,
            lookup,
            missing,
            ("undecidable", "none"),
            f"{what}: {missing.reason}",
            "collapse_trajectory",
        )
    last_left = max((step for step, value in values.items() if value.low > 0), default=None)
    zeros = [step for step, value in values.items() if is_zero(value) and step < claim.number]
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    told = "the printed trajectory agrees"
    if last_left is not None and last_left >= claim.number:
        outcome, told = ("inconsistent", "substantive"), f"but step {last_left:g} is still above 0"
    elif (
        zeros
        and (last_left is None or last_left < max(zeros))
        and _is_just_before(max(zeros), claim.number, values)
    ):
        outcome, told = (
            ("inconsistent", "substantive"),
            f"but step {max(zeros):g} is 0 already, and nothing after it is above",
        )
    value = Interval(last_left, last_left) if last_left is not None else Undefined("never above 0")
    return check_of(claim, lookup, value, outcome, f"{what}; {told}", "collapse_trajectory")


def _is_just_before(zero: float, collapse: float, values: dict[float, Interval]) -> bool:
    """Tell whether the next printed step after a zero is the collapse itself.

    Then no value between the two is missing.
    """
    return min((step for step in values if step > zero), default=None) == collapse


def _values(claim: Claim, prints: PrintedNumbers, lookup: Near) -> dict[float, Interval]:
    """Return EI by step, of the run that the claim is of.

    For "all seeds by step 3500": the mean over seeds, or the largest of the seeds named.
    """
    selector = {key: value for key, value in claim.selector.items() if key != "step"}
    term = Term(quantity=EI, selector=selector)
    cell = term
    if claim.statistic == "max":
        among = claim.term.among
        term = Term(
            quantity=EI,
            selector=selector,
            statistic="max" if among else "mean",
            over="seed",
            among=among,
        )
        cell = Term(quantity=EI, selector={**selector, "seed": among[0]}) if among else term
    found: dict[float, Interval] = {}
    for step in prints.seen(cell, "step"):
        value = evaluate(term.model_copy(update={"selector": {**selector, "step": step}}), lookup)
        if isinstance(step, (int, float)) and isinstance(value, Interval):
            found[float(step)] = value
    return found
