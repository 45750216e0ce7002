"""What needs no run: a found value in the print's own units, and whether the two mean the same.

Words are compared by meaning: a layer is "terminal" before or after the final norm, a set of modules
is the same in any order, "NF4" is "4-bit nf4".
"""

import re
from collections import Counter

from repro.manifest.claim import TRUTHS, Claim
from repro.manifest.training import ALL_LINEAR
from repro.verify.algebra import is_true
from repro.verify.algebra_interval import Category, Interval, Levels, Value
from repro.verify.settings import ATTENTION
from repro.verify.verdict import Printed

PERCENT = 100.0
UNITS = {"billion": 1e9, "million": 1e6}
_MEANINGS = {
    "terminal": ("post norm", "pre norm"),
    "last layer": ("post norm", "pre norm"),
    "final layer": ("post norm", "pre norm"),
    "all linear": tuple(name.replace("_", " ") for name in ALL_LINEAR),
    "attention only": tuple(name.replace("_", " ") for name in ATTENTION),
    "true": ("yes",),
    "on": ("yes",),
    "false": ("no",),
    "off": ("no",),
    "mean pooling": ("mean",),
    "bf16": ("bfloat16",),
    "fp32": ("float32",),
}
"""A printed word → what manifests call it; where several are listed, each of them is meant."""
_FILLERS = re.compile(r"\b(layers?|4 bit|schedule|learning rate)\b")


def in_print(claim: Claim, value: Value) -> Printed | None:
    """The value as the claim would print it: truths, percent, billions; None where there is none."""
    if isinstance(value, Interval):
        if claim.term.statistic in TRUTHS:
            return is_true(value)
        percent = claim.unit == "percent" and abs(value.low) <= 1
        return (value.low * PERCENT if percent else value.low) / UNITS.get(claim.unit, 1.0)
    if isinstance(value, Levels):
        return value.values
    return value.name if isinstance(value, Category) else None


def agrees(claim: Claim, value: Printed | None) -> bool:
    """Whether a value is what is printed: within the printed decimals, or the same by meaning."""
    truth = isinstance(value, bool) or isinstance(claim.value, bool)
    if isinstance(value, tuple) and isinstance(claim.value, tuple):
        return not Counter(claim.value) - Counter(value)  # a manifest may run more seeds than one paper prints
    if isinstance(value, (int, float)) and isinstance(claim.value, float) and not truth:
        slack = 1e-9 * max(1.0, abs(value))
        above = claim.low is None or value >= claim.low - slack
        return above and (claim.high is None or value <= claim.high + slack)
    if isinstance(value, str) and isinstance(claim.value, (str, tuple, bool)):
        return bool(_meaning(claim.value) & _meaning(value))
    return value == claim.value


def shown(value: object) -> str:
    """A value in a sentence: whole numbers without decimals, lists with commas."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _meaning(word: Printed) -> frozenset[frozenset[str]]:
    """Every set of names that a printed word may stand for."""
    if isinstance(word, tuple):
        return frozenset([frozenset(_plain(str(part)) for part in word)])
    plain = _plain("yes" if word is True else "no" if word is False else str(word))
    known = _MEANINGS.get(plain) or _MEANINGS.get(_FILLERS.sub("", plain).strip())
    own = frozenset(_plain(part) for part in plain.split(","))
    if known is None:
        return frozenset([own, frozenset([_FILLERS.sub("", plain).strip()])])
    together = known[0].endswith(" proj")
    return frozenset([own, frozenset(known)] if together else [own, *(frozenset([k]) for k in known)])


def _plain(word: str) -> str:
    """A word without the accidents of spelling: case, dashes, underlines, outer blanks."""
    return " ".join(re.sub(r"[_\-‐‑–]", " ", word.casefold()).split())
