"""Can the number occur at all? Bounds; means and SDs of whole numbers; SDs of zeros and ones.

`bounds`: a value beyond what its quantity can be, or a count beyond its total. `whole_mean` (GRIM;
Brown and Heathers 2017): a mean of n whole numbers is a multiple of 1/n. `whole_sd` (GRIMMER; Anaya
2016, Allard 2018): so is the sum of squares behind an SD. `binary_sd` (DEBIT; Heathers and Brown
2019): the mean of zeros and ones decides the SD. `sd_bound`: within a range no SD exceeds √((m −
a)(b − m)·n/(n − 1)).
"""

import math
import re
from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval, gap_between
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.readings import USUAL_LEVEL, quantiles
from repro.audit.recompute import check_of, write_interval
from repro.audit.scale import POSITIONS, Scale, Scales, scale_of
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim

UNIT = re.compile(
    r"(.*_)?(accuracy|precision|recall|sensitivity|specificity|f1|auc|auroc|probability|proportion|share|dropout)"
    r"|(.*_)?(win|success|error|hit|pass|solve)_rate|pass_at_\d+|(.*_)?exact_match"
)
"""Quantities that lie between 0 and 1 by definition, by their names."""
SIGNED = re.compile(r"(.*_)?(cosine|correlation|mcc|kappa)")
"""Quantities between −1 and 1."""
_WHOLE = re.compile(
    r"(.*_)?(rating|likert|humaneval(_plus)?|mbpp(_plus)?|solved|count|errors|children|age_in_years)s?"
)
"""Quantities of which every single value is a whole number."""
_BINARY = re.compile(
    r"(.*_)?(right|correct|solved|passed|success|failed|hit|answered|died|survived|recovered)(ful)?"
)
"""Quantities of which every single value is 0 or 1, where a mean of them is a share."""
_CHANGE = re.compile(
    r"(.*_)?(change|changes|update|updates|displacement)(_norm|_energy|_rank)?|adapter_energy"
)
"""Quantities of what training changed, by their names: at step 0 there is none."""
_LARGEST = 2000
"""Numbers of values that are looked at; of more, nearly every print is possible."""
_SLACK = 1e-9


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield a check for each print that its quantity or its number of values limits."""
    scales = Scales(prints)
    for claim in prints.claims:
        if not claim.is_number or claim.term.of is not None or claim.basis != "measured":
            continue
        scale = scales.of(claim, claim.number)
        if (found := bounds(claim, prints, scale)) is not None:
            yield found
        axis = claim.term.over or "seed"
        number = prints.number_of(claim.term, axis) or said_of_all(claim, axis, prints)
        if number is None or not 2 <= number <= _LARGEST or claim.qualifier != "exact":
            continue
        if claim.statistic == "mean" and (found := whole_mean(claim, number, prints)) is not None:
            yield found
        if (
            claim.statistic == "sd"
            and (found := _deviation(claim, number, prints, scales)) is not None
        ):
            yield found


def said_of_all(claim: Claim, axis: str, prints: PrintedNumbers) -> int | None:
    """Return how many runs the claim's paper says are behind every cell ("over five folds"), of the
    quantity; of seeds, behind every quantity. None where it says nothing, or several numbers.
    """
    said = prints.counted.get((axis, "" if axis == "seed" else claim.quantity, frozenset()), ())
    numbers = {int(one.number) for one in said if one.source == claim.source and one.is_number}
    return numbers.pop() if len(numbers) == 1 else None


def _limits(claim: Claim, one: float) -> Interval | None:
    """Return what a value of the quantity can be; None where nothing limits it. `one`: what 1 is in
    print.
    """
    if claim.total is not None and claim.unit == "count":
        return Interval(0.0, float(claim.total))
    if _CHANGE.fullmatch(claim.quantity) and claim.selector.get("step") == 0:
        return Interval(0.0, 0.0)
    if UNIT.fullmatch(claim.quantity):
        return Interval(0.0, one)
    if SIGNED.fullmatch(claim.quantity):
        scale = 100.0 if claim.unit == "percent" else 1.0
        return Interval(-scale, scale)
    return None


def bounds(claim: Claim, prints: PrintedNumbers, scale: Scale) -> Check | None:
    """Check a single value, mean or other position against what the quantity can be."""
    room = _limits(claim, scale.one)
    if room is None or claim.statistic not in POSITIONS:
        return None
    outside = gap_between(allowed_interval(claim), room) > 0
    told = (
        f"{describe(claim.term)}: {claim.printed}; it lies between {room.low:g} and {room.high:g}"
    )
    outcome: tuple[CheckVerdict, Severity] = (
        ("inconsistent", "substantive") if outside else ("consistent", "none")
    )
    if outside and claim.unit == "" and scale.one < claim.number <= 100:
        told += " by its table's other cells; say `unit: percent` if they are percentages"
        outcome = outcome if scale.sure else ("undecidable", "rounding")
    check = check_of(claim, prints.near(claim), room, outcome, told, "bounds")
    return check.model_copy(update={"recomputed": f"[{room.low:g}, {room.high:g}]"})


def whole_mean(claim: Claim, number: int, prints: PrintedNumbers) -> Check | None:
    """Check by GRIM that a mean of n whole numbers is k/n for some whole k.

    A share of zeros and ones in percent is 100·k/n.
    """
    if not (_WHOLE.fullmatch(claim.quantity) or _BINARY.fullmatch(claim.quantity)):
        return None
    binary = _BINARY.fullmatch(claim.quantity) is not None
    if claim.unit == "percent" and not binary:
        return None
    scale = scale_of(claim, claim.number) if binary else 1.0
    fine = bool(_sums(allowed_interval(claim), number, scale))
    nearest = scale * round(claim.number * number / scale) / number
    told = f"{describe(claim.term)}: {claim.printed} of {number} whole numbers"
    if not fine:
        told += f"; the nearest possible is {nearest:.6g}{_would_do(claim, number, scale)}"
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if fine else ("inconsistent", "substantive")
    )
    return check_of(
        claim, prints.near(claim), Interval(nearest, nearest), outcome, told, "whole_mean"
    )


def _sums(mean: Interval, number: int, scale: float) -> range:
    """Return the whole sums whose mean the print allows."""
    slack = _SLACK * max(scale, abs(mean.high))
    low, high = (mean.low - slack) * number / scale, (mean.high + slack) * number / scale
    return range(math.ceil(low), math.floor(high) + 1)


def _would_do(claim: Claim, number: int, scale: float) -> str:
    """Name the nearest numbers of values that make the print possible."""
    fits = [n for n in range(2, _LARGEST) if _sums(allowed_interval(claim), n, scale)]
    near = [
        max((n for n in fits if n < number), default=None),
        min((n for n in fits if n > number), default=None),
    ]
    known = [str(n) for n in near if n is not None]
    return f"; n = {' or '.join(known)} would do" if known else ""


def _deviation(claim: Claim, number: int, prints: PrintedNumbers, scales: Scales) -> Check | None:
    """Check an SD against its printed mean: of zeros and ones, whole numbers, or in a range."""
    lookup = prints.near(claim)
    mean = lookup.base(claim.term.model_copy(update={"statistic": "mean"}))
    if not isinstance(mean, Interval):
        return None
    scale = scales.of(claim, mean.high)
    room = _limits(claim, scale.one if scale.sure else scale_of(claim, mean.high))
    if _BINARY.fullmatch(claim.quantity):
        name, one = "binary_sd", scale_of(claim, mean.high)
        possible = [sd for factor in _readings(claim, number, mean, room).values()
                    for sd in _of_binary(mean, number, one, factor)]  # fmt: skip
    elif _WHOLE.fullmatch(claim.quantity):
        name = "whole_sd"
        possible = [one for factor in _readings(claim, number, mean, room).values()
                    for one in _of_whole(allowed_interval(claim), mean, number, factor)]  # fmt: skip
    elif room is not None and gap_between(mean, room) == 0:
        name = "sd_bound"
        possible = [
            _within(mean, room, number, factor)
            for factor in _readings(claim, number, mean, room).values()
        ]
    else:
        return None
    if not possible:
        return None  # the mean itself cannot be, which another check says
    fine = any(gap_between(allowed_interval(claim), one) == 0 for one in possible)
    best = min(possible, key=lambda one: gap_between(allowed_interval(claim), one))
    told = f"{describe(claim.term)}: {claim.printed}; with mean {write_interval(mean)} of {number}"
    words = (
        f"it is at most {best.high:.4g}"
        if name == "sd_bound"
        else f"the nearest possible is {best.middle:.4g}"
    )
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if fine else ("inconsistent", "substantive")
    )
    told = f"{told} it can be" if fine else f"{told}, {words}"
    return check_of(claim, lookup, Interval(best.high, best.high), outcome, told, name)


def _readings(claim: Claim, number: int, mean: Interval, room: Interval | None) -> dict[str, float]:
    """Return what a ± may be, with the part of the SD (n − 1) that it then is.

    Where nobody says what it is, it may also be an error or a half-width. A half-width that reaches
    beyond what the quantity can be on both sides is none.
    """
    root = math.sqrt(number)
    found = {"SD": 1.0, "SD dividing by n": math.sqrt((number - 1) / number)}
    if claim.declared:
        return found
    found["standard error"] = 1 / root
    if room is None or mean.low - claim.number >= room.low or mean.high + claim.number <= room.high:
        found |= {
            f"half-width, {name}": q / root for name, q in quantiles(USUAL_LEVEL, number).items()
        }
    return found


def _within(mean: Interval, room: Interval, number: int, factor: float) -> Interval:
    """Return what an SD of values in a range can be; it is widest where all lie at the ends."""
    # (m − a)(b − m) is largest in the middle of the range, or as near to it as the mean may lie.
    at = min(max(room.middle, mean.low), mean.high)
    spread = max((at - room.low) * (room.high - at), 0.0)
    return Interval(0.0, factor * math.sqrt(spread * number / (number - 1)))


def _of_binary(mean: Interval, number: int, scale: float, factor: float) -> list[Interval]:
    """Return the SDs of zeros and ones with these means."""
    found = []
    for total in _sums(mean, number, scale):
        share = total / number
        if 0 <= share <= 1:
            one = factor * scale * math.sqrt(share * (1 - share) * number / (number - 1))
            found.append(Interval(one, one))
    return found


def _of_whole(printed: Interval, mean: Interval, number: int, factor: float) -> list[Interval]:
    """Return the nearest SDs that n whole numbers of these means can have.

    A sum of squares has the parity of the sum, since k² and k have the same.
    """
    found = []
    for total in _sums(mean, number, 1.0):
        fixed, rest = divmod(total, number)
        # The sum of squares is least where the numbers differ by one at most.
        least = rest * (fixed + 1) ** 2 + (number - rest) * fixed**2
        wanted = [
            (max(end, 0.0) / factor) ** 2 * (number - 1) + total**2 / number
            for end in (printed.low, printed.high)
        ]
        low = max(math.ceil(wanted[0] - 1e-6), least)
        for square in (low, low + 1, low - 1, low - 2):
            if square >= least and (square - total) % 2 == 0:
                one = factor * math.sqrt(max(square - total**2 / number, 0.0) / (number - 1))
                found.append(Interval(one, one))
    return found
