"""Compare printed settings with a manifest. This is the only place that does.

No run is needed and none would help: a setting is not a result (docs/SCIENCE.md §13). `repro plan`
and `repro run` name a setting that differs, since the run would not be the paper's; `repro verify`
lists all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from repro.claims.algebra.evaluate import evaluate
from repro.claims.claim import Claim
from repro.geometry.undefined import Undefined
from repro.verify.facts.meaning import agrees, estimate_words, in_print
from repro.verify.facts.settings import Settings
from repro.verify.facts.structure import QUANTITIES
from repro.verify.verdict import Outcome, Printed


@dataclass(frozen=True, slots=True)
class ComparedSetting:
    """The comparison of one printed setting with what a manifest sets."""

    outcome: Outcome
    """`as_printed`, `differs`, `not_set` or `unverifiable`."""
    reason: str
    value: Printed | None = None
    """The manifest's value, in the print's units."""


def compare_setting(claim: Claim, settings: Settings) -> ComparedSetting:
    """Compare a printed setting with the settings of its manifest, or of a run."""
    if claim.unverifiable is not None:
        return ComparedSetting("unverifiable", claim.unverifiable)
    value = evaluate(claim.term, settings)
    if isinstance(value, Undefined):
        return ComparedSetting("not_set", value.reason)
    found = in_print(claim, value)
    if found is None:
        return ComparedSetting("not_set", "what the manifest sets does not decide it")
    words = _words(claim, found)
    if agrees(claim, found):
        return ComparedSetting("as_printed", words, found)
    return ComparedSetting("differs", words, found)


def differing_settings(claims: Iterable[Claim], settings: Settings) -> dict[str, str]:
    """Return each setting that differs from its print, in words → what is printed, and where."""
    prints: dict[str, list[str]] = {}
    for claim in claims:
        if (
            claim.basis == "setting"
            and (found := compare_setting(claim, settings)).outcome == "differs"
        ):
            prints.setdefault(found.reason, []).append(
                f"{claim.printed!r} in {claim.source} {claim.locator}"
            )
    return {words: " and ".join(dict.fromkeys(where)) for words, where in prints.items()}


def _words(claim: Claim, value: Printed) -> str:
    """Return what a manifest sets, in words: "scale_ladder sets lora_rank to 64"."""
    catalogue = claim.term.over == "model" and claim.quantity in QUANTITIES
    name, axis = (
        "models.yaml" if catalogue else claim.measured_by,
        (claim.term.over or "seed").replace("_", " "),
    )
    levels = f"{axis}es" if axis.endswith("s") else f"{axis}s"
    text = estimate_words(value) + (" %" if claim.unit == "percent" else "")
    one = value == 1 or (isinstance(value, tuple) and len(value) == 1)
    match claim.statistic:
        case "single":
            return f"{name} sets {claim.quantity} to {text}"
        case "count":
            return f"{name} has {text} {axis if one else levels}"
        case "levels" if claim.quantity == "cardinalities":
            return f"{name} has {levels} of {text} classes"
        case "levels":
            return f"{name} has the {axis if one else levels} {text}"
        case "formula":
            return f"{name} has {text} {claim.quantity} ({claim.term.formula})"
    return f"{name} has {text} as the {claim.statistic.replace('_', ' ')} of {claim.quantity}"
