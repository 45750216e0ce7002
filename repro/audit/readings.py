"""What a printed spread may be: every reading, from the runs or from other spreads of its cell.

A paper seldom says what its ± is. Each reading has a name in words, so that the audit says which
one fits.
"""

import math
from collections.abc import Mapping, Sequence

from scipy.special import ndtri, stdtrit

from repro.audit.prints import Near
from repro.claims.algebra import interval
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.claims.term import Term

USUAL_LEVEL = 95.0
"""Level of a confidence interval that does not say its own, in percent."""
Readings = dict[str, Interval]


def scale_interval(value: Interval, factor: float) -> Interval:
    """Return a positive multiple of an interval."""
    return Interval(value.low * factor, value.high * factor)


def quantiles(level: float, runs: int) -> dict[str, float]:
    """Return a confidence interval's half-width in standard errors: Student's t, and the normal.

    Many papers take the normal.
    """
    tail = 0.5 + level / 200
    return {"t": float(stdtrit(runs - 1, tail)), "normal": float(ndtri(tail))}


def from_runs(values: Sequence[Interval], level: float = USUAL_LEVEL) -> Readings:
    """Return every reading of a spread as these runs give it."""
    n = len(values)
    found: Readings = {}
    for ddof, name in ((1, "the SD dividing by n − 1"), (0, "the SD dividing by n")):
        deviation = interval.sd(values, ddof)
        if not isinstance(deviation, Interval):
            continue
        found[name] = deviation
        found["SD/√n" if ddof else "SD/√n, the SD dividing by n"] = scale_interval(
            deviation, 1 / math.sqrt(n)
        )
        if n > 1:
            for kind, quantile in quantiles(level, n).items():
                more = "" if ddof else ", the SD dividing by n"
                found[f"the half-width of the {level:g} % interval, {kind}{more}"] = scale_interval(
                    deviation, quantile / math.sqrt(n)
                )
    found["half the range"] = scale_interval(interval.span(values), 0.5)
    return found


def from_spreads(term: Term, lookup: Near, level: float = USUAL_LEVEL) -> Readings:
    """Return the readings of a spread that another spread printed for the cell gives.

    Empty unless the number of runs is printed.
    """
    runs = lookup.prints.number_of(term, term.over or "seed")
    if runs is None or runs < 2:
        return {}
    for source, factor in (("sd", 1.0), ("se", math.sqrt(runs))):
        known = declared_spread(term, source, lookup)
        if source != term.statistic and known is not None:
            deviation = scale_interval(known, factor)
            error = scale_interval(deviation, 1 / math.sqrt(runs))
            widths = {
                f"the half-width of the {level:g} % interval, {kind}": scale_interval(
                    error, quantile
                )
                for kind, quantile in quantiles(level, runs).items()
            }
            return {"the SD": deviation, "SD/√n": error, **widths}
    return {}


def declared_spread(term: Term, statistic: str, lookup: Near) -> Interval | None:
    """Return the SD or standard error printed for a term's cell.

    None where none is printed, or where nobody says that it is one.
    """
    own = term.model_copy(update={"statistic": statistic, "confidence": None})
    printed = [claim for claim in lookup.prints.by_key.get(own.key, ()) if claim is not lookup.home]
    value = lookup.base(own) if printed and all(claim.declared for claim in printed) else None
    return value if isinstance(value, Interval) else None


WANTED = {
    "sd": ("the SD",),
    "se": ("SD/√n",),
    "ci_half_width": ("the half-width",),
    "half_range": ("half the range",),
}
"""Declared statistic → how the names of its readings begin."""


def of_kind(claim: Claim, readings: Mapping[str, Interval]) -> Readings:
    """Return the readings that a claim's spread may have: all, where nobody says what it is."""
    if not claim.declared:
        return dict(readings)
    return {
        name: value for name, value in readings.items() if name.startswith(WANTED[claim.statistic])
    }
