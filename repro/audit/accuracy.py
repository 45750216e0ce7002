"""How often each check errs, measured on made-up papers (`make accuracy`); what it may then say.

The figures are shipped beside this module. A check that raised an alarm on more than 1 % of the
papers that agree with themselves, or that nobody has measured, may not say *substantive*.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter

from repro.audit.check import Check
from repro.frozen import Frozen

ACCURACY_FILE = Path(__file__).with_name("accuracy.json")
MOST_FALSE = 0.01
"""Largest share of faultless papers with an alarm for a check that may say *substantive*."""


class Accuracy(Frozen):
    """What a check did on papers of which all was known."""

    clean_papers: int = Field(ge=1)
    """Papers that agree with themselves."""
    alarmed_papers: int = Field(ge=0)
    """Those of them on which the check raised an alarm."""
    clean_checks: int = Field(ge=0)
    """How often it said *consistent* on them."""
    found: dict[Literal["small", "middle", "large"], tuple[int, int]]
    """Size of a planted error → (found, planted); a wrong statement, without a size, is large."""

    @property
    def false_alarms(self) -> float:
        """Return the share of clean papers with an alarm of this check."""
        return self.alarmed_papers / self.clean_papers


@cache
def measured_accuracy() -> Mapping[str, Accuracy]:
    """Return the shipped figures by check."""
    return TypeAdapter(dict[str, Accuracy]).validate_json(ACCURACY_FILE.read_bytes())


def may_be_grave(check: str, known: Mapping[str, Accuracy]) -> bool:
    """Tell whether a check is measured, with few enough false alarms to say *substantive*."""
    return check in known and known[check].false_alarms <= MOST_FALSE


def held_to_accuracy(check: Check, known: Mapping[str, Accuracy]) -> Check:
    """Return the check, *minor* at most where its false alarms are too many or unknown."""
    if check.severity != "substantive" or may_be_grave(check.check, known):
        return check
    told = "this check's false alarms are not known" if check.check not in known else (
        f"this check raised an alarm on {100 * known[check.check].false_alarms:.1f} % of papers without an error"
    )  # fmt: skip
    return check.model_copy(
        update={"severity": "minor", "explanation": f"{check.explanation}; minor at most: {told}"}
    )
