"""The printed protocol against a manifest: the one place where a setting is compared with its print.

No run is needed and none would help: a setting is no result (docs/SCIENCE.md §13). `repro plan` and
`repro run` name a setting that differs, since the run would not be the paper's; `repro verify` lists
all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from repro.manifest.claim import Claim
from repro.verify.algebra import evaluate
from repro.verify.algebra_interval import Missing
from repro.verify.facts import agrees, in_print, shown
from repro.verify.settings import Settings
from repro.verify.structure import QUANTITIES
from repro.verify.verdict import Outcome, Printed


@dataclass(frozen=True, slots=True)
class Compared:
    """How one printed setting stands to what a manifest sets."""

    outcome: Outcome
    """`as_printed`, `differs`, `not_set` or `unverifiable`."""
    reason: str
    value: Printed | None = None
    """What the manifest sets, in the print's units."""


def compare_setting(claim: Claim, settings: Settings) -> Compared:
    """Compare a printed setting with the settings of its manifest, or of a run."""
    if claim.unverifiable is not None:
        return Compared("unverifiable", claim.unverifiable)
    value = evaluate(claim.term, settings)
    if isinstance(value, Missing):
        return Compared("not_set", value.reason)
    found = in_print(claim, value)
    if found is None:
        return Compared("not_set", "what the manifest sets does not decide it")
    words = _words(claim, found)
    if agrees(claim, found):
        return Compared("as_printed", words, found)
    return Compared("differs", words, found)


def differing_settings(claims: Iterable[Claim], settings: Settings) -> dict[str, str]:
    """What a manifest sets otherwise than printed, in words → what is printed, and where."""
    prints: dict[str, list[str]] = {}
    for claim in claims:
        if claim.basis == "setting" and (found := compare_setting(claim, settings)).outcome == "differs":
            prints.setdefault(found.reason, []).append(f"{claim.printed!r} in {claim.source} {claim.locator}")
    return {words: " and ".join(dict.fromkeys(where)) for words, where in prints.items()}


def _words(claim: Claim, value: Printed) -> str:
    """What a manifest sets, in words: "scale_ladder sets lora_rank to 64", "scale_ladder has 8 seeds"."""
    catalogue = claim.term.over == "model" and claim.quantity in QUANTITIES
    name, axis = "models.yaml" if catalogue else claim.measured_by, (claim.term.over or "seed").replace("_", " ")
    levels = f"{axis}es" if axis.endswith("s") else f"{axis}s"
    text = shown(value) + (" %" if claim.unit == "percent" else "")
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
