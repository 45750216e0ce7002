"""Refuse values in other units than the paper's: percent for a fraction, or a fraction for percent.

What a claim prints for the same cell tells the unit; where it prints none, a share tells by itself,
and so do the other seeds.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from repro.claims.claim import Claim
from repro.claims.prints import SAID_TWICE
from repro.claims.selector import Scalar
from repro.errors import InputError
from repro.verify.estimate.cells import PROPORTIONS
from repro.verify.evidence.axes import level_text
from repro.verify.evidence.cell import CONCEPT_KEYS, concept_of
from repro.verify.evidence.columns import NO_SEED
from repro.verify.evidence.values import SuppliedValue

FRACTIONS = PROPORTIONS | {"v_purity", "chance", "loading", "subspace_overlap", "trainable_share"}
"""Quantities that lie between 0 and 1."""
_FACTOR = 100.0
_NEAR = 0.25
"""Share of the expected value within which a hundredfold one counts as the same in other units."""
_SURE = 2
"""Values of a quantity, most a hundredfold, that no finding explains."""
_SEEDS = 3
"""Seeds of one cell from which one can stand out."""


def refuse_units(values: Sequence[SuppliedValue], claims: Sequence[Claim]) -> None:
    """Raise InputError, naming the line, for values in other units than their paper's.

    Of one quantity most have to be a hundred times what is printed; a single one may be a finding.
    """
    fractions = FRACTIONS - in_percent(claims)
    for value in values:
        if value.quantity in fractions and value.value > 1:
            raise InputError(
                f"{value.place}: column value: found {value.value:g}, expected {value.quantity} "
                "between 0 and 1: a fraction, and no percent; give every value in the unit of the "
                "paper's print"
            )
    for pairs in _beside_prints(values, claims):
        found = [pair for pair in pairs if _hundredfold(*pair)]
        if len(found) >= _SURE and 2 * len(found) > len(pairs):
            raise InputError(_line(found[0][0], found[0][1], "the paper prints"))


def in_percent(claims: Sequence[Claim]) -> frozenset[str]:
    """Return the fractions that the paper prints in percent, so that its values are percent."""
    return FRACTIONS & {
        claim.quantity
        for claim in claims
        if claim.unit == "percent" and claim.statistic in SAID_TWICE
    }


def doubtful_units(values: Sequence[SuppliedValue], claims: Sequence[Claim]) -> Iterator[str]:
    """Yield a line for each value that may be in other units, or may be what was measured."""
    doubted = set()
    for value, number in (pair for pairs in _beside_prints(values, claims) for pair in pairs):
        if _hundredfold(value, number):
            doubted.add(value)
            yield _line(value, number, "the paper prints")
    for value, usual in _against_seeds(values):
        if value not in doubted:
            yield _line(value, usual, "the cell's other seeds have about")


def _line(value: SuppliedValue, expected: float, whose: str) -> str:
    return (
        f"{value.place}: column value: found {value.value:g}, where {whose} {expected:g}: "
        "percent and fraction? give every value in the unit of the paper's print"
    )


def _beside_prints(
    values: Sequence[SuppliedValue], claims: Sequence[Claim]
) -> list[list[tuple[SuppliedValue, float]]]:
    """Return, quantity by quantity, each value with what the paper prints of its cell."""
    printed = _prints(claims)
    beside: dict[str, list[tuple[SuppliedValue, float]]] = defaultdict(list)
    for value in values:
        for number, selector in printed.get(value.quantity, ()):
            if is_of(value, selector):
                beside[value.quantity].append((value, number))
                break
    return list(beside.values())


def _against_seeds(
    values: Sequence[SuppliedValue],
) -> Iterator[tuple[SuppliedValue, float]]:
    """Yield values a hundred times those of the other seeds of their cell."""
    cells: dict[tuple[object, ...], list[SuppliedValue]] = defaultdict(list)
    for value in values:
        cells[(value.model, value.condition, *value.cell[3:])].append(value)
    for cell in cells.values():
        if len(cell) < _SEEDS:
            continue
        usual = median(value.value for value in cell)
        for value in cell:
            if _hundredfold(value, usual):
                yield value, usual


def _hundredfold(value: SuppliedValue, expected: float) -> bool:
    """Return whether a value is what is expected, times or over a hundred."""
    return expected != 0 and any(
        abs(value.value * factor - expected) <= _NEAR * abs(expected)
        for factor in (_FACTOR, 1 / _FACTOR)
    )


def _prints(
    claims: Sequence[Claim],
) -> Mapping[str, list[tuple[float, Mapping[str, Scalar]]]]:
    """Return by quantity what the paper prints of single cells."""
    found: dict[str, list[tuple[float, Mapping[str, Scalar]]]] = defaultdict(list)
    for claim in claims:
        cell = claim.term.cell
        if cell is not None and claim.is_number and claim.statistic in SAID_TWICE and claim.number:
            found[cell.quantity].append((claim.number, cell.selector))
    return found


def is_of(value: SuppliedValue, selector: Mapping[str, Scalar]) -> bool:
    """Return whether a value is of the cell that a selector names."""
    own = dict(value.axes)
    if concept_of(selector) != value.concept or selector.get("direction") != value.direction:
        return False
    given: dict[str, str] = {
        "model": value.model,
        "condition": value.condition,
        "step": str(value.step),
        "probe_set": value.probe_set or "",
        **own,
    }
    if value.seed != NO_SEED:
        given["seed"] = str(value.seed)
    skipped = {*CONCEPT_KEYS, "direction", *(("condition",) if value.step == 0 else ())}
    return all(
        key in given and level_text(level) == given[key]
        for key, level in selector.items()
        if key not in skipped
    )
