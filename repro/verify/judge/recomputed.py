"""Recompute a printed number from the authors' own values: no repetition, so nothing to allow for.

Where what they sent are the very seeds that the paper's number is of, the number follows to its
printed decimals or it does not. The interval of a repetition is for other seeds.
"""

from decimal import Decimal

from repro.claims.claim import Claim
from repro.verify.facts.meaning import agrees
from repro.verify.judge.decide import Judgement, outside, text
from repro.verify.verdict import Estimate, MeasuredCell

RECOMPUTED = "recomputed (to the printed decimals)"
"""What a verdict gives for its tolerance."""
_AMBIGUOUS = ("sd", "iqr", "se", "ci_half_width", "half_range")
"""Statistics that papers compute in several ways: one that differs is no contradiction."""


def recomputed(claim: Claim, found: Estimate) -> Judgement | None:
    """Return whether a number follows from the values behind it.

    None for a claim that is no number, where fewer or more seeds were sent than the paper prints,
    and where a spread may have been computed otherwise: the usual rule judges these.
    """
    value = found.value
    if not claim.is_number or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    seeds = _same_seeds(found)
    if seeds is False:
        return None
    said = f"recomputed {text(float(value))} from {_behind(claim, found)}"
    if agrees(claim, value):
        return Judgement("consistent", f"{said}, as printed", p=1.0)
    if abs(outside(claim, value)) <= _rounding(found):
        said = f"{said}, as printed within the rounding of the values sent"
        return Judgement("consistent", said, p=1.0)
    # A base model's estimate is over all seeds, though each may have been printed.
    whole = seeds is True and bool(found.varying)
    if not whole or claim.statistic in _AMBIGUOUS or claim.qualifier != "exact":
        return None
    return Judgement("contradicted", f"{said}, but {claim.printed!r} is printed", p=0.0)


def _same_seeds(found: Estimate) -> bool | None:
    """Return whether every cell has the seeds that the paper's number is of; None where the paper
    does not say how many those are.

    A cell that names its seed is one value.
    """
    counted = [cell for cell in found.varying if not _names_its_seed(cell)]
    if any(cell.printed_seeds > 1 and cell.runs != cell.printed_seeds for cell in counted):
        return False
    return None if any(cell.printed_seeds <= 1 for cell in counted) else True


def _names_its_seed(cell: MeasuredCell) -> bool:
    return cell.term is not None and "seed" in cell.term.first_cell.selector


def _rounding(found: Estimate) -> float:
    """Return how far the rounding of the values themselves may move the number.

    They are taken to be rounded to the decimals that the finest of a cell shows; whole numbers are
    exact.
    """
    moved = 0.0
    for cell in found.cells:
        decimals = max((_decimals(value) for value in cell.values), default=0)
        moved += abs(cell.slope) * 0.5 * 10.0**-decimals if decimals else 0.0
    return moved * (1 + 1e-9)


def _decimals(value: float) -> int:
    """Return the decimals of a number as it is written shortest."""
    exponent = Decimal(repr(value)).as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 and value % 1 else 0


def _behind(claim: Claim, found: Estimate) -> str:
    """Return how many values stand behind a number, in words."""
    if claim.kind == "base_model":
        return "the base model's values"
    return "one value a cell" if found.n <= 1 else f"all {found.n} seeds"
