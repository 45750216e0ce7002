"""Convert a value to a print's own units, and decide whether the two mean the same.

No run is needed. Words are compared by meaning: a layer is "terminal" before or after the final
norm, a set of modules is the same in any order, "NF4" is "4-bit nf4".
"""

import re
from collections import Counter

from repro.claims.algebra.evaluate import is_true
from repro.claims.algebra.interval import Category, Interval, Levels, Value
from repro.claims.claim import TRUTHS, Claim
from repro.manifest.adapters import ALL_LINEAR
from repro.verify.facts.settings import ATTENTION
from repro.verify.verdict import Printed

_FALLS = (
    r"lower\w*|below|less|fewer|small\w*|decreas\w*|reduc\w*|drop\w*|declin\w*|fall(?:s|ing|en)?|fell|diminish\w*|shrink\w*|"
    r"shrank|weak\w*|loses?|losing|lost|loss(?:es)?|deteriorat\w*|degrad\w*|worse\w*|under|underperform\w*|down\w*|minus|shorter|"
    r"slower|inferior|collaps\w*|suppress\w*|lags?|trails?|harm\w*|hurts?|damag\w*"
)
_RISES = (
    r"higher|above|more|greater|larger|bigger|increas\w*|rise[sn]?|rising|rose|grow\w*|grew|gain\w*|improv\w*|better|exceed\w*|"
    r"outperform\w*|surpass\w*|strong\w*|longer|faster|superior|over|up|upwards?|plus|beats?|boost\w*|rais\w*|ahead|elevated|"
    r"enhanc\w*|amplif\w*"
)
_GOOD_IS_LOW = re.compile(r"loss|perplexity|error|entanglement|crosstalk|damage")
"""Quantities that are better when they are lower."""
_MERIT = re.compile(
    r"\b(worse\w*|better|improv\w*|outperform\w*|underperform\w*|superior|inferior|beats?|surpass\w*|deteriorat\w*|"
    r"degrad\w*|harm\w*|hurts?|damag\w*|lags?|trails?|ahead|loses?|losing|lost)\b"
)
"""Words of merit, whose direction is reversed for such a quantity."""


def direction(words: str, quantity: str = "") -> int:
    """Return −1 for words of a fall, 1 for words of a rise, 0 for neither or both."""
    text = re.sub(
        r"\b(?:no (?:less|more)|more than|less than [\d.]|at (?:least|most))\b",
        " ",
        words.casefold(),
    )
    if "loss" in quantity:
        text = re.sub(r"\bloss(?:es)?\b", " ", text)
    falls = re.findall(rf"\b(?:{_FALLS})\b", text)
    rises = re.findall(rf"\b(?:{_RISES})\b", text)
    # Words of both directions, or of neither: use a printed sign.
    if bool(falls) == bool(rises):
        return _signed_number(text)
    sign = -1 if falls else 1
    turned = _GOOD_IS_LOW.search(quantity) and all(
        _MERIT.fullmatch(word) for word in falls or rises
    )
    return -sign if turned else sign


def _signed_number(text: str) -> int:
    """Return the sign of the signed numbers in a text.

    0 where there is none, or both signs occur.
    """
    signs = set(re.findall(r"(?<![\w.])([+−-])\s?\d", text))
    return 0 if len(signs) != 1 else (1 if "+" in signs else -1)


_PERCENT = 100.0
_UNITS = {"billion": 1e9, "million": 1e6}
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
"""A printed word → what manifests call it. Where several names are listed, each is accepted."""
_FILLERS = re.compile(r"\b(layers?|4 bit|schedule|learning rate)\b")


def in_print(claim: Claim, value: Value) -> Printed | None:
    """Return the value as the claim would print it: truths, percent, billions.

    None where it has no value.
    """
    if isinstance(value, Interval):
        if claim.term.statistic in TRUTHS:
            return is_true(value)
        percent = claim.unit == "percent" and abs(value.low) <= 1
        return (value.low * _PERCENT if percent else value.low) / _UNITS.get(claim.unit, 1.0)
    if isinstance(value, Levels):
        return value.values
    return value.name if isinstance(value, Category) else None


def agrees(claim: Claim, value: Printed | None) -> bool:
    """Return whether a value is what is printed, to its decimals or by meaning."""
    truth = isinstance(value, bool) or isinstance(claim.value, bool)
    if isinstance(value, tuple) and isinstance(claim.value, tuple):
        # A manifest may run more seeds than the paper prints.
        return not Counter(claim.value) - Counter(value)
    if isinstance(value, (int, float)) and isinstance(claim.value, float) and not truth:
        slack = 1e-9 * max(1.0, abs(value))
        above = claim.low is None or value >= claim.low - slack
        return above and (claim.high is None or value <= claim.high + slack)
    if isinstance(value, str) and isinstance(claim.value, (str, tuple, bool)):
        return bool(_meaning(claim.value) & _meaning(value))
    return value == claim.value


def estimate_words(value: object) -> str:
    """Return a value for a sentence: whole numbers without decimals, lists with commas."""
    if isinstance(value, tuple):
        return ", ".join(map(estimate_words, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _meaning(word: Printed) -> frozenset[frozenset[str]]:
    """Return every set of names that a printed word may stand for."""
    if isinstance(word, tuple):
        return frozenset([frozenset(_plain(str(part)) for part in word)])
    plain = _plain("yes" if word is True else "no" if word is False else str(word))
    known = _MEANINGS.get(plain) or _MEANINGS.get(_FILLERS.sub("", plain).strip())
    own = frozenset(_plain(part) for part in plain.split(","))
    if known is None:
        return frozenset([own, frozenset([_FILLERS.sub("", plain).strip()])])
    # A list of modules means all of them at once; other lists are alternatives.
    together = known[0].endswith(" proj")
    return frozenset(
        [own, frozenset(known)] if together else [own, *(frozenset([k]) for k in known)]
    )


def _plain(word: str) -> str:
    """Return a word without differences of spelling: case, dashes, underscores, outer blanks."""
    return " ".join(re.sub(r"[_\-‐‑–]", " ", word.casefold()).split())
