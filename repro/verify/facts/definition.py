"""Decide claims that hold or fail by definition: architectures, vendors' labels, formulas.

They are not results (docs/SCIENCE.md §13): nothing was measured, and no run could change them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.claims.algebra.evaluate import evaluate
from repro.claims.algebra.interval import Interval, Levels, Value, point
from repro.claims.claim import Claim, Term
from repro.claims.prints import Prints
from repro.claims.selector import Scalar
from repro.geometry.undefined import Undefined
from repro.verify.evidence.recorded import BENCHMARK_SIZES
from repro.verify.facts.meaning import agrees, in_print
from repro.verify.facts.settings import Settings, settings_of
from repro.verify.facts.structure import QUANTITIES, Structures, structural
from repro.verify.verdict import Outcome, Printed


@dataclass(frozen=True)
class Defined:
    """What definitions know, as a lookup for the claims' algebra."""

    name: str | None
    settings: Settings
    built: Structures
    prints: Prints | None = None
    """The paper's other prints, for a claim that should follow from them."""

    def base(self, term: Term) -> Value:
        """Return the value from a print, an architecture, a benchmark's file, or the manifest.

        The first of these that has it counts.
        """
        if self.prints is not None and (printed := _printed(term, self.prints)) is not None:
            return printed
        if term.quantity in QUANTITIES and term.statistic == "single":
            return structural(term.quantity, term.selector, self.name, self.built)
        if term.quantity == "problems" and (
            size := BENCHMARK_SIZES.get(str(term.selector.get("benchmark")))
        ):
            return point(size)
        return self.settings.base(term)

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels that the manifest runs.

        Every known model for an architecture's quantity.
        """
        return self.settings.levels(term, axis)

    def total(self, term: Term) -> int | None:
        """Return None: nothing is counted by definition."""
        return self.settings.total(term)


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether a claim holds by definition."""

    outcome: Outcome
    """`holds`, `fails` or `unverifiable`."""
    reason: str
    value: Printed | None = None


def settle(claim: Claim, built: Structures, prints: Mapping[str, Prints]) -> Settled:
    """Decide a claim by definition."""
    if claim.unverifiable is not None:
        return Settled("unverifiable", claim.unverifiable)
    follows = claim.kind == "by_construction" and claim.term.statistic != "single"
    own = prints.get(claim.source) if follows else None
    known = Defined(claim.measured_by, settings_of(claim.measured_by), built, own)
    value = evaluate(claim.term, known)
    found = in_print(claim, value)
    if isinstance(value, Undefined) or found is None:
        if claim.kind != "by_construction":
            return Settled(
                "unverifiable", value.reason if isinstance(value, Undefined) else "not decided"
            )
        if claim.note:
            return Settled("holds", claim.note)
        return Settled("unverifiable", "neither a formula nor a note shows how it follows")
    if isinstance(found, bool):
        return _statement(claim, found, known)
    return (
        _label(claim, found) if "relative" in claim.tolerance.parameters else _exact(claim, found)
    )


def _statement(claim: Claim, found: bool, known: Defined) -> Settled:
    """Decide a relation, and name the values of both sides."""
    sides = [
        evaluate(term, known) for term in (claim.term.of, claim.term.against) if term is not None
    ]
    shown = [f"{side.low:g}" for side in sides if isinstance(side, Interval)]
    words = (
        f"{claim.quantity} is {' against '.join(shown)}" if shown else f"{claim.quantity}: {found}"
    )
    return Settled("holds" if found == claim.value else "fails", words, found)


def _exact(claim: Claim, found: Printed) -> Settled:
    """Decide by agreement with the print, to its decimals."""
    if agrees(claim, found):
        return Settled("holds", f"{_text(found)}, as printed", found)
    return Settled("fails", f"{claim.quantity} is {_text(found)}", found)


def _label(claim: Claim, found: Printed) -> Settled:
    """Compare a vendor's label within the allowed share: vendors round."""
    share = claim.tolerance.parameters["relative"]
    if not isinstance(claim.value, float) or not isinstance(found, (int, float)) or not claim.value:
        return _exact(claim, found)
    off = abs(found - claim.value) / abs(claim.value)
    words = f"{_text(found)}, {off:.1%} from the print; {share:.0%} is allowed"
    return Settled("holds" if off <= share or agrees(claim, found) else "fails", words, found)


def _printed(term: Term, prints: Prints) -> Value | None:
    """Return what the paper prints of a term; None where it prints nothing."""
    if term.statistic == "levels":
        listed = prints.levels(term.quantity, term.selector)
        return None if listed is None else Levels(listed)
    value = prints.value(term.quantity, term.selector) if term.statistic == "single" else None
    return None if value is None else point(value)


def _text(value: Printed) -> str:
    """Return a value as text."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
