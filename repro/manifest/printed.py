"""Reading a printed number: its value, and the interval its own decimals allow.

Rules (docs/SCIENCE.md §13, manifests/papers/README.md): a decimal stands for half a unit of its last digit either way;
a bare whole number is exact; a whole percentage, a multiple ("60×") and a parameter count ("7B") are rounded at their
last non-zero digit; "~" and "≈" double the interval; "<", "at least" and their kin leave one side open.
"""

import re
from typing import Literal

from repro.errors import ManifestError
from repro.frozen import Frozen

Qualifier = Literal["exact", "about", "below", "at_most", "above", "at_least", "nearly"]
Role = Literal["value", "mean", "sd", "min", "max", "ci_low", "ci_high"]

_QUALIFIERS: dict[str, Qualifier] = {
    "<": "below", "less than": "below", "below": "below", "under": "below",
    "≤": "at_most", "at most": "at_most", "up to": "at_most", "by": "at_most", "within": "at_most",
    ">": "above", "more than": "above", "above": "above", "over": "above",
    "≥": "at_least", "at least": "at_least",
    "~": "about", "≈": "about", "about": "about", "around": "about", "roughly": "about",
    "nearly": "nearly", "almost": "nearly",
    "exactly": "exact",
}  # fmt: skip
_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "single": 1, "once": 1, "twice": 2, "both": 2, "half": 0.5,
    "first": 1, "second": 2, "third": 3,
}  # fmt: skip
_UNITS = {"%": "percent", "×": "times", "B": "billion", "M": "million", "pp": "points"}
_NUMBER = r"[+-]?(?:10\^\{?-?\d+\}?|\d[\d,]*(?:\.\d+)?(?:\s?×\s?10\^\{?-?\d+\}?)?)"
_NEARLY_FROM = 0.85
"""'Nearly twice' is read as 1.7 to 2: short of the number, by at most 15 %."""


class Part(Frozen):
    """One number of a printed form: "0.641 ± 0.099" has two, a mean and an SD."""

    role: Role
    value: float
    low: float | None
    """Smallest value the print allows; None: no lower limit."""
    high: float | None
    digit: float = 0.0
    """Weight of the last printed digit; 0: exact."""
    unit: str = ""
    qualifier: Qualifier = "exact"
    total: int | None = None
    """The denominator of "79/164" and of "two of eight"."""


def clean(printed: str) -> str:
    """The same characters with mark-up and typographic variants unified."""
    text = printed.replace("\\times", "×").replace("\\sim", "~").replace("\\approx", "≈").replace("\\leq", "≤")
    text = text.replace("\\geq", "≥").replace("\\%", "%").replace("$", "").replace("\\", "").replace("*", "")
    text = re.sub(r"(?<![\d%])[−–](?=\s?\d)", "-", text).replace("−", "-")
    return re.sub(r"\s+", " ", text).strip(" ()")


def read(printed: str) -> tuple[Part, ...]:
    """Every number of one printed form, with its role. Raises ManifestError when it holds none."""
    text = clean(printed)
    qualifier, text = _qualifier(text)
    if found := re.fullmatch(rf"({_NUMBER}) ?± ?({_NUMBER})(%?)", text):
        mean, sd, unit = found.groups()
        return _part("mean", mean + unit, qualifier), _part("sd", sd + unit, qualifier)
    if found := re.fullmatch(rf"\[({_NUMBER}), ?({_NUMBER})\](%?)", text):
        return _part("ci_low", found[1] + found[3], qualifier), _part("ci_high", found[2] + found[3], qualifier)
    if found := re.fullmatch(rf"({_NUMBER})(%?) ?(?:–|-|to|→) ?({_NUMBER})(%?|×|B)", text):
        return _part("min", found[1] + found[4], qualifier), _part("max", found[3] + found[4], qualifier)
    if found := re.fullmatch(r"(\w+)(?: ?/ ?| of (?:the )?)(\w+)", text):
        return (_share(printed, found[1], found[2]),)
    return (_part("value", text, qualifier),)


def _qualifier(text: str) -> tuple[Qualifier | None, str]:
    for words, qualifier in sorted(_QUALIFIERS.items(), key=lambda item: -len(item[0])):
        if text.lower().startswith(words) and (not words[-1].isalpha() or text[len(words) :].startswith(" ")):
            return qualifier, text[len(words) :].strip()
    return None, text


def _share(printed: str, part: str, whole: str) -> Part:
    counts = [_WORDS.get(word.lower(), word) for word in (part, whole)]
    try:
        value, total = float(counts[0]), int(counts[1])
    except ValueError as error:
        raise ManifestError(f"{printed!r}: expected a count such as 79/164 or 'two of eight'") from error
    return Part(role="value", value=value, low=value, high=value, unit="count", total=total)


def _part(role: Role, text: str, qualifier: Qualifier | None) -> Part:
    found = re.match(rf"({_NUMBER})\s?(%|×|B\b|M\b|pp\b)?", text)
    if found:
        number, unit = found[1], _UNITS.get(found[2] or "", "")
        if re.match(r"\s?(percentage )?points?", text[found.end() :]):
            unit = "points"
        value, step = _value(number), _last_place(number, unit)
    else:
        word = re.split(r"[ -]", text.lower())[0]
        if word not in _WORDS:
            raise ManifestError(f"{text!r}: no number can be read from it; give `value:` in the claim")
        value, step, unit = float(_WORDS[word]), 0.0, ""
    if "order" in text and "magnitude" in text:
        step, unit = 1.0, "orders"
    low, high = _interval(value, step, qualifier)
    return Part(
        role=role, value=value, low=_tidy(low), high=_tidy(high), digit=step, unit=unit, qualifier=qualifier or "exact"
    )


def _value(number: str) -> float:
    number = number.replace(",", "").replace(" ", "")
    mantissa, power = _split_power(number)
    return float(f"{mantissa}e{power}")


def _split_power(number: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:([+-]?[\d.]+)×)?([+-]?)10\^\{?(-?\d+)\}?", number)
    return (f"{found[2]}{found[1] or '1'}", int(found[3])) if found else (number, 0)


def _last_place(number: str, unit: str) -> float:
    """The weight of the last printed digit; 0 when the print is exact."""
    mantissa, power = _split_power(number.replace(",", "").replace(" ", ""))
    if "." in mantissa:
        return float(10.0 ** (power - len(mantissa.split(".")[1])))
    if power or unit in ("", "points"):
        return 0.0
    digits = mantissa.lstrip("+-")
    return float(10 ** (len(digits) - len(digits.rstrip("0")))) if unit in ("times", "billion", "million") else 1.0


def _interval(value: float, step: float, qualifier: Qualifier | None) -> tuple[float | None, float | None]:
    match qualifier:
        case "exact":
            return value, value
        case "below" | "at_most":
            return None, value
        case "above" | "at_least":
            return value, None
        case "nearly":
            return min(_NEARLY_FROM * value, value), max(_NEARLY_FROM * value, value)
        case "about":
            wide = step or 10 ** (len(str(int(abs(value)))) - 1) / 2
            return value - wide, value + wide
        case None:
            return value - step / 2, value + step / 2


def _tidy(bound: float | None) -> float | None:
    """The decimal that binary arithmetic missed: 0.6405, not 0.6405000000000001."""
    return None if bound is None else float(f"{bound:.12g}")
