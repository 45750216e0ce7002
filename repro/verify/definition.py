"""Claims that hold or fail by definition: an architecture, a vendor's label, what follows from a formula.

They are no results (docs/SCIENCE.md §13): nothing was measured, and no run could change them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.manifest.claim import Claim, Scalar, Term
from repro.verify.algebra import evaluate
from repro.verify.algebra_interval import Interval, Levels, Missing, Value, point
from repro.verify.benchmarks import PROBLEMS
from repro.verify.facts import agrees, in_print
from repro.verify.prints import Prints
from repro.verify.settings import Settings, settings_of
from repro.verify.structure import QUANTITIES, Structures, structural
from repro.verify.verdict import Outcome, Printed


@dataclass(frozen=True)
class Defined:
    """What definitions know, as a lookup for the claims' algebra."""

    name: str | None
    settings: Settings
    built: Structures
    prints: Prints | None = None
    """The paper's other prints, for what is to follow from them."""

    def base(self, term: Term) -> Value:
        """The value by print, by architecture, by a benchmark's file, or as the manifest sets it."""
        if self.prints is not None and (printed := _printed(term, self.prints)) is not None:
            return printed
        if term.quantity in QUANTITIES and term.statistic == "single":
            return structural(term.quantity, term.selector, self.name, self.built)
        if term.quantity == "problems" and (size := PROBLEMS.get(str(term.selector.get("benchmark")))):
            return point(size)
        return self.settings.base(term)

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """The levels that the manifest runs, or every known model for an architecture's quantities."""
        return self.settings.levels(term, axis)

    def total(self, term: Term) -> int | None:
        """Nothing is counted by definition."""
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
    if isinstance(value, Missing) or found is None:
        if claim.kind != "by_construction":
            return Settled("unverifiable", value.reason if isinstance(value, Missing) else "not decided")
        if claim.note:
            return Settled("holds", claim.note)
        return Settled("unverifiable", "neither a formula nor a note shows how it follows")
    if isinstance(found, bool):
        return _statement(claim, found, known)
    return _label(claim, found) if "relative" in claim.tolerance.parameters else _exact(claim, found)


def _statement(claim: Claim, found: bool, known: Defined) -> Settled:
    """Say of a relation whether it is so, and what stands on both sides."""
    sides = [evaluate(term, known) for term in (claim.term.of, claim.term.against) if term is not None]
    shown = [f"{side.low:g}" for side in sides if isinstance(side, Interval)]
    words = f"{claim.quantity} is {' against '.join(shown)}" if shown else f"{claim.quantity}: {found}"
    return Settled("holds" if found == claim.value else "fails", words, found)


def _exact(claim: Claim, found: Printed) -> Settled:
    if agrees(claim, found):
        return Settled("holds", f"{_text(found)}, as printed", found)
    return Settled("fails", f"{claim.quantity} is {_text(found)}", found)


def _label(claim: Claim, found: Printed) -> Settled:
    """Compare a vendor's label within its share: vendors round."""
    share = claim.tolerance.parameters["relative"]
    if not isinstance(claim.value, float) or not isinstance(found, (int, float)) or not claim.value:
        return _exact(claim, found)
    off = abs(found - claim.value) / abs(claim.value)
    words = f"{_text(found)}, {off:.1%} from the print; {share:.0%} is allowed"
    return Settled("holds" if off <= share or agrees(claim, found) else "fails", words, found)


def _printed(term: Term, prints: Prints) -> Value | None:
    if term.statistic == "levels":
        listed = prints.levels(term.quantity, term.selector)
        return None if listed is None else Levels(listed)
    value = prints.value(term.quantity, term.selector) if term.statistic == "single" else None
    return None if value is None else point(value)


def _text(value: Printed) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
