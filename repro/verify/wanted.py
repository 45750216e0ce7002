"""Say which cells of which manifests have to be fetched to judge a set of claims."""

from collections.abc import Iterable

from repro.claims.claim import Claim, Term
from repro.claims.selector import BASE
from repro.claims.term import TRAJECTORIES
from repro.verify.artefacts import NULL_ENDS, RMS
from repro.verify.estimate.measured import INTENSITY
from repro.verify.evidence.distances import DISTANCE, OF_PROFILES
from repro.verify.evidence.gather import WantedCells


def wanted_cells(claims: Iterable[Claim]) -> set[WantedCells]:
    """Return every (manifest, quantity, step) whose measurements some claim needs."""
    found: set[WantedCells] = set()
    for claim in claims:
        if claim.measured_by is not None and claim.basis == "measured":
            cells = _cells(claim.term, None)
            # Without a printed spread such a claim is judged by its change from step 0.
            if claim.tolerance.rule == "seed_spread":
                cells |= {(quantity, 0) for quantity, _ in cells}
            intensities = {step for quantity, step in cells if quantity == INTENSITY}
            # The artefact tests of an intensity need its nulls, and the scale of the
            # activations at its step.
            cells |= {(further, step) for step in intensities for further in (*NULL_ENDS, RMS)}
            cells |= {(RMS, 0)} if intensities else set()
            found |= {(claim.measured_by, quantity, step) for quantity, step in cells}
    return found


def _cells(term: Term, axis: str | None) -> set[tuple[str, int | None]]:
    """Return (quantity, step) of every cell below a term; step None where all steps are needed."""
    along = "step" if "step" in (axis, term.over) else None
    if term.selector.get("step") == "collapse" or {term.statistic, term.quantity} & set(
        TRAJECTORIES
    ):
        return {(INTENSITY, None), *((quantity, None) for quantity in term.quantities())}
    inner = term.operands
    if inner:
        return set().union(*(_cells(operand, along) for operand in inner))
    step = term.selector.get("step")
    base = 0 if term.selector.get("condition") == BASE else None
    # The base model has one value, at step 0: a claim on B0 at another step reads that one
    # too.
    known = step if isinstance(step, int) and along is None else None
    if term.quantity == DISTANCE:  # computed from profiles
        return {(OF_PROFILES, known)}
    return {(term.quantity, known)} | (
        {(term.quantity, base)} if base is not None and known is not None else set()
    )
