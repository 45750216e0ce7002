"""Collapse steps against trajectories: before the step something is left, from it on nothing is (docs/SCIENCE.md §11)."""

from collections.abc import Iterator

from repro.manifest.claim import Claim
from repro.manifest.claim_term import Term
from repro.verify.algebra import evaluate
from repro.verify.algebra_interval import Interval, Missing
from repro.verify.algebra_trajectory import is_zero
from repro.verify.audit.check import Check, Outcome, Severity
from repro.verify.audit.prints import Near, Prints, describe
from repro.verify.audit.recompute import check_of

EI = "entanglement_intensity"


def checks(prints: Prints) -> Iterator[Check]:
    """`collapse_trajectory`: every printed collapse step of a run against the values printed for that run."""
    for claim in prints.claims:
        if claim.quantity == "collapse_step" and claim.is_number and claim.statistic in ("single", "max"):
            yield _against_trajectory(claim, prints)


def _against_trajectory(claim: Claim, prints: Prints) -> Check:
    lookup = prints.near(claim)
    values = _values(claim, prints, lookup)
    what = f"{describe(claim.term)}: {claim.printed}"
    if not values:
        missing = Missing("no trajectory of it is printed")
        return check_of(
            claim, lookup, missing, ("undecidable", "none"), f"{what}: {missing.reason}", "collapse_trajectory"
        )
    last_left = max((step for step, value in values.items() if value.low > 0), default=None)
    zeros = [step for step, value in values.items() if is_zero(value) and step < claim.number]
    outcome: tuple[Outcome, Severity] = ("consistent", "none")
    told = "the printed trajectory agrees"
    if last_left is not None and last_left >= claim.number:
        outcome, told = ("inconsistent", "substantive"), f"but step {last_left:g} is still above 0"
    elif zeros and (last_left is None or last_left < max(zeros)) and _is_just_before(max(zeros), claim.number, values):
        outcome, told = (
            ("inconsistent", "substantive"),
            f"but step {max(zeros):g} is 0 already, and nothing after it is above",
        )
    value = Interval(last_left, last_left) if last_left is not None else Missing("never above 0")
    return check_of(claim, lookup, value, outcome, f"{what}; {told}", "collapse_trajectory")


def _is_just_before(zero: float, collapse: float, values: dict[float, Interval]) -> bool:
    """No value is missing between the two: the next printed step is the collapse itself."""
    return min((step for step in values if step > zero), default=None) == collapse


def _values(claim: Claim, prints: Prints, lookup: Near) -> dict[float, Interval]:
    """EI by step: of the run; for "all seeds by step 3500" the mean over seeds, or the largest of the seeds named."""
    selector = {key: value for key, value in claim.selector.items() if key != "step"}
    term = Term(quantity=EI, selector=selector)
    cell = term
    if claim.statistic == "max":
        among = claim.term.among
        term = Term(quantity=EI, selector=selector, statistic="max" if among else "mean", over="seed", among=among)
        cell = Term(quantity=EI, selector={**selector, "seed": among[0]}) if among else term
    found: dict[float, Interval] = {}
    for step in prints.seen(cell, "step"):
        value = evaluate(term.model_copy(update={"selector": {**selector, "step": step}}), lookup)
        if isinstance(step, (int, float)) and isinstance(value, Interval):
            found[float(step)] = value
    return found
