"""Words around numbers: what a spread is ("SD", "95% CI"), how exact a number is, mere words.

Words behind a number are consumed only where they hold no number: "8 seeds for B3" is read, "8 or 9
seeds" is refused.
"""

import re
from dataclasses import dataclass
from typing import Literal

from repro.claims.printed.number import Scanner, UnreadableError
from repro.claims.printed.words import COUNTING

Qualifier = Literal["exact", "about", "below", "at_most", "above", "at_least", "nearly"]

_SCALAR = ("value", "spread", "in_brackets")
_LOWS, _HIGHS = ("min", "ci_low", "in_brackets_low"), ("max", "ci_high", "in_brackets_high")


@dataclass(frozen=True)
class Label:
    """What a word says the numbers beside it are."""

    kind: Literal["sd", "se", "ci", "iqr", "range", "mean", "median", "symbol"]
    level: float | None = None

    def role_of(self, role: str) -> str | None:
        """Return the statistic that a number is under this label: a `spread` under SD is an `sd`.

        `role`: what its form says (`value`, `spread`, `min` …). None: the label says no more.
        """
        if self.kind in ("mean", "median"):
            return self.kind if role in ("value", "mean") else None
        if self.kind == "symbol":
            return None
        scalar, low, high = SPREAD_LABELS[self.kind]
        if role in _LOWS:
            return low
        if role in _HIGHS:
            return high
        if role == "spread" and self.kind == "range":
            return "half_range"  # the b of a ± b; a number alone is the whole range
        return scalar if role in _SCALAR else None


SPREAD_LABELS: dict[str, tuple[str, str | None, str | None]] = {
    "sd": ("sd", None, None),
    "se": ("se", None, None),
    "ci": ("ci_half_width", "ci_low", "ci_high"),
    "iqr": ("iqr", "q25", "q75"),
    "range": ("span", "min", "max"),
}
"""What a spread is → the statistic that one number is, and those that two ends are."""

_KINDS = {
    "sd": r"(?:± ?)?(?:(?:sample |population )?standard deviations?|std\.? ?dev\.?|stdevs?|stds?\.?|s\.d\.|SDs?|sds?|σ)",
    "se": r"(?:standard errors?(?: of the mean)?|std\.? ?err\.?|s\.e\.m\.|s\.e\.|SEMs?|SEs?|sem|se)",
    "ci": r"(?:(?P<before>\d+(?:\.\d+)?) ?% ?-?)?(?:confidence intervals?|conf\. int\.|C\.I\.|CIs?|ci)"
    r"(?:_?\{?(?P<attached>\d+(?:\.\d+)?)\}? ?%?(?! ?[–\d.-])|,? (?P<behind>\d+(?:\.\d+)?) ?%(?= ?[:=,\[(]))?(?: half-width)?",
    "iqr": r"(?:inter-?quartile range|IQR|iqr)",
    "range": r"(?:min[–-]max|min\.?/max\.?|full range|range)",
    "mean": r"(?:mean|average|avg\.?)",
    "median": r"(?:median|med\.)",
}  # fmt: skip
_LABELS = {
    kind: re.compile(rf"(?:of )?{words}(?!\w) ?(?:of|is|=|:|,)? ?(?=\W|\d|$)")
    for kind, words in _KINDS.items()
}
_SYMBOL = re.compile(r"[^\W\d_][\w']{0,15}(?:\([\w, ]*\))? ?(?:=|(?=[<>≤≥≈~])) ?")

_QUALIFIERS: tuple[tuple[Qualifier, str], ...] = (
    ("at_most", r"≤|<=|=<|at most|up to|no more than|not more than|by|within|a maximum of"),
    ("at_least", r"≥|>=|=>|at least|no (?:less|fewer) than|not (?:less|fewer) than|a minimum of"),
    ("below", r"<|(?:less|fewer|smaller|lower) than|below|under"),
    ("above", r">|(?:more|greater|larger|higher) than|above|over|exceeding"),
    ("about", r"~|≈|∝|c\.|ca\.|circa|about|around|roughly|approximately|approx\.?"),
    ("nearly", r"nearly|almost|just under"),
    ("exact", r"exactly|precisely|="),
)
_BEFORE = [
    (kind, re.compile(rf"(?:{words})(?<!\w)|(?:{words})(?!\w)", re.I))
    for kind, words in _QUALIFIERS
]
_BEHIND: tuple[tuple[Qualifier, str], ...] = (
    (
        "at_least",
        r"(?:or|and) (?:more|above|higher|over|greater|larger)\b|\+(?=\W|$)|at (?:the )?least\b",
    ),
    ("at_most", r"(?:or|and) (?:less|fewer|below|lower|under|smaller)\b|at (?:the )?most\b"),
    ("about", r"or so\b|roughly\b|approximately\b"),
)
_QUALIFIED = [(kind, re.compile(rf" ?(?:{words})")) for kind, words in _BEHIND]
_PLACE = re.compile(
    r"(?:steps?|seed|layer|epoch|fold|Table|Figure|Section|Appendix) \d+(?![\d.,]\d)"
)
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|['+]|[._/-](?=\w)|\^-?\d(?!\d))*\.?")
_NAME = re.compile(
    r"[^\W\d_]*[A-Z](?:[^\W\d_]|\d{1,4}(?!\d)|\.\d(?!\d)|-)*\.?|[^\d]*(?:\^-?\d[^\d]*)*"
)
"""Words with digits inside that are no numbers: B3, Qwen2.5-7B, m/s^2."""
_BEFORE_NAME = tuple(' ("“-/')
_SPACES = re.compile(r" +")
_SIGNS = re.compile(r"[.,;:!?\"“”')\]°µ$€£…/&@↑↓-]+(?!\d)")
_ASIDE = re.compile(r"[(\[][^()\[\]\d±]*[)\]]")
_SCALE_LIKE = re.compile(
    r"(?:[bmgtp]| ?(?:[kmb](?= |$)|mln|mio|mrd|bil|tn|lakhs?|crores?|ppm|ppb))\b| "
    r"?‰|[xX]\d|[eE][+-]?\d",
    re.I,
)


def read_label(scan: Scanner) -> Label | None:
    """Consume "95% CI", "SD =", "p =" before a number; None where there is none."""
    for kind, pattern in _LABELS.items():
        if found := scan.take(pattern):
            return _label(kind, found)
    return Label("symbol") if scan.take(_SYMBOL) else None


def _label(kind: str, found: re.Match[str]) -> Label:
    level = (found["before"] or found["attached"] or found["behind"]) if kind == "ci" else None
    return Label(kind, float(level) if level else None)  # type: ignore[arg-type]  # the keys of _KINDS are the kinds


def read_qualifier(scan: Scanner) -> Qualifier | None:
    """Consume "at most", "<", "about" before a number."""
    for kind, pattern in _BEFORE:
        if scan.take(pattern):
            scan.take(_SPACES)
            return kind
    return None


def words_after(scan: Scanner) -> tuple[Label | None, Qualifier | None]:
    """Consume words to the end of the text; return what they say of the numbers before.

    Raises UnreadableError at a number.
    """
    label: Label | None = None
    qualifier: Qualifier | None = None
    if (found := _SCALE_LIKE.match(scan.text, scan.at)) and scan.at:
        raise UnreadableError(
            f"{found[0]!r} behind a number is not read; write the number out, or give `value:`"
        )
    while scan.rest:
        if scan.take(_SPACES):
            continue
        if (
            kind := next((kind for kind, pattern in _QUALIFIED if scan.take(pattern)), None)
        ) is not None:
            qualifier = kind
        elif (said := _spread_label(scan)) is not None:
            label = said
        elif scan.take(_PLACE) or scan.take(_ASIDE) or scan.take(_SIGNS):
            continue
        elif (word := _WORD.match(scan.rest)) and not _counts(word[0], scan.text[: scan.at][-1:]):
            scan.at += word.end()
        else:
            raise UnreadableError(
                f"{scan.rest!r} is left over behind {scan.text[: scan.at].strip()!r}"
            )
    return label, qualifier


def _spread_label(scan: Scanner) -> Label | None:
    """Consume a label behind its number; "mean" and "range" are plain words there."""
    for kind in ("sd", "se", "ci", "iqr"):
        if found := scan.take(_LABELS[kind]):
            return _label(kind, found)
    return None


def _counts(word: str, before: str) -> bool:
    """Tell whether a word is itself a number, or holds digits that are not part of a name."""
    plain = word.lower().rstrip(".,")
    if any(sign.isdigit() for sign in word) and (
        not _NAME.fullmatch(word) or before not in _BEFORE_NAME
    ):
        return True
    return plain in COUNTING or bool(re.match(r"[xXeE][+-]?\d", word))
