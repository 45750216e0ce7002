"""One number in plain characters: its decimal mark, power of ten, scale and last printed place.

A comma or a point followed by other than three digits is a decimal mark; groups of three are
thousands. "1,234" is 1234 unless the paper declares decimal commas. What could be two numbers is
refused.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

Mark = Literal["", "point", "comma", "grouped"]
"""What a number shows of its paper's decimal mark; `grouped`: "1,234" might have been 1.234."""
Decimals = Literal["comma", "point"]

_BODY = re.compile(r"[.,]?\d+(?:[.,']\d+|·(?!10(?: ?\^|-))\d+| \d{3}(?!\d))*")
_SPLIT = re.compile(r"(\d{1,3}(?:[ ']\d{3})*|\d+)([.,])((?:\d{3}[ '])+\d{1,4})(?!\d)")
"""Decimals in groups of three, as in tables of constants: 6.644 657 3450."""
_POWER = re.compile(r" ?[×x·*] ?10 ?\^ ?[({]? ?([+-]?\d{1,3}) ?[)}]?(?![\d.])")
_LOST = re.compile(r" ?[×x·*] ?10(-\d{1,3})(?![\d.])")
_TEN = re.compile(r"10 ?\^ ?[({]? ?([+-]?\d{1,3}) ?[)}]?(?![\d.])")
_E = re.compile(r" ?[eE]([+-]?\d{1,3})(?![\w.])")
_SCALE = re.compile(r" ?(?:(k|K|M|B|bn|Bn)(?![\w%])|(thousand|million|billion|trillion)s?\b)")
_UNIT = re.compile(
    r" ?-?(?:(%|percent\b|per cent\b|pct\b)[ -]?(points?\b|pts?\b)?"
    r"|(percentage[ -]points?\b|p\.?p\.?(?!\w)|points?\b|pts?\b)"
    r"|([×xX](?![\w×])|-?fold\b|times\b)|(orders?[ -]of[ -]magnitude\b))"
)
_FRACTION = re.compile(r" ?\\frac\((\d+)\|(\d+)\)")
_SIGN = re.compile(r"(?:([+↑])|([-–↓])) ?(?=[.,]?\d|\\frac)")
_SCALES = {
    "k": (3, ""), "K": (3, ""), "thousand": (3, ""), "M": (0, "million"), "million": (0, "million"),
    "B": (0, "billion"), "bn": (0, "billion"), "Bn": (0, "billion"), "billion": (0, "billion"),
    "trillion": (3, "billion"),
}  # fmt: skip
"""Suffix → power of ten that the value takes, and the unit that it stays in."""


class UnreadableError(ValueError):
    """Characters that are no number, or more than one."""


@dataclass(frozen=True)
class Number:
    """A number as printed: value, weight of its last digit (0: exact), unit, decimal mark."""

    value: Decimal
    step: Decimal = Decimal(0)
    unit: str = ""
    mark: Mark = ""
    power: Literal["", "e", "×10", "10"] = ""
    """How a power of ten is written."""
    scale: str = ""
    """k, M, billion, as it is written."""
    word: bool = False

    @property
    def whole(self) -> bool:
        """Tell whether it is printed without decimals; its kind says whether it was rounded."""
        return self.step == 0


class Scanner:
    """A text, and how far it has been consumed."""

    def __init__(self, text: str, decimals: Decimals | None = None) -> None:
        self.text, self.at, self.decimals = text, 0, decimals

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Consume what the pattern matches here; None, and nothing consumed, where it does not."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    @property
    def rest(self) -> str:
        """Return the text that is not consumed yet."""
        return self.text[self.at :]


def read_number(scan: Scanner) -> Number | None:
    """Consume a signed number with its power, scale and unit; None where none begins.

    Raises UnreadableError for more than one number.
    """
    begin = scan.at
    signed = scan.take(_SIGN)
    number = _fraction(scan) or _ten(scan) or _plain(scan)
    if number is None:
        scan.at = begin
        return None
    number = with_unit(scan, number)
    return replace(number, value=-number.value) if signed and signed[2] else number


def _ten(scan: Scanner) -> Number | None:
    """Consume a bare power of ten, 10^{-4}, which is exact."""
    found = scan.take(_TEN)
    return Number(Decimal(1).scaleb(int(found[1])), power="10") if found else None


def _fraction(scan: Scanner) -> Number | None:
    """Consume ½ or \\frac{1}{3}, also after a whole number (3½)."""
    begin = scan.at
    whole = scan.take(re.compile(r"\d+(?= ?\\frac)"))
    found = scan.take(_FRACTION)
    if not found:
        scan.at = begin
        return None
    if int(found[2]) == 0:
        raise UnreadableError("a fraction with a zero below")
    share = Decimal(int(found[1])) / Decimal(int(found[2]))
    return (
        Number(share + int(whole[0]), word=True)
        if whole
        else Number(share, unit="fraction", word=True)
    )


def _plain(scan: Scanner) -> Number | None:
    """Consume digits with their decimal mark and power of ten; None where none begin."""
    if split := _split(scan):
        digits, mark = split
    elif found := scan.take(_BODY):
        digits, mark = decimal_of(found[0], scan.decimals)
    else:
        return None
    short = scan.take(_E)
    power = short or scan.take(_POWER) or scan.take(_LOST)
    exponent = int(power[1]) if power else 0
    value = Decimal(digits).scaleb(exponent)
    decimals = len(digits.partition(".")[2])
    step = Decimal(1).scaleb(exponent - decimals) if decimals else Decimal(0)
    return Number(value, step, "", mark, "e" if short else "×10" if power else "")


def _split(scan: Scanner) -> tuple[str, Mark] | None:
    """Consume a number whose decimals stand in groups of three.

    None where its spaces may part two numbers.
    """
    found = _SPLIT.match(scan.text, scan.at)
    if not found:
        return None
    declared = scan.decimals == ("point" if found[2] == "." else "comma")
    certain = "'" in found[3] or len(re.split("[ ']", found[3])) > 2 or declared
    if not certain or (scan.decimals and not declared) or (found[2] == "," and not declared):
        return None
    scan.at = found.end()
    whole, decimals = (re.sub("[ ']", "", part) for part in (found[1], found[3]))
    return f"{whole}.{decimals}", "point" if found[2] == "." else "comma"


def decimal_of(body: str, declared: Decimals | None) -> tuple[str, Mark]:
    """Return a number's digits with a point as decimal mark, and the mark that it had.

    Raises UnreadableError where it is not one number.
    """
    marks = re.findall(r"[^\d]", body)
    groups = re.split(r"[^\d]", body)
    if not marks:
        return body, ""
    last = marks[-1]
    # A raised dot is always decimal, a blank or an apostrophe never; a number that begins with its
    # mark has nothing to group; a mark that stands twice groups; of two kinds the last is decimal.
    if last == "·":
        decimal = True
    elif last in " '":
        decimal = False
    elif groups[0] == "" and len(marks) == 1:
        decimal = last == "." or declared == "comma"
        if not decimal or (last == "." and declared == "comma"):
            raise UnreadableError(
                f"{body!r} does not say its decimal mark; say `decimal: comma` or `decimal: point`"
            )
    elif marks.count(last) > 1:
        decimal = False
    elif len(set(marks)) > 1:
        decimal = True
    else:
        decimal = _single(groups, last, declared)
    whole, thousands = (groups[:-1], marks[:-1]) if decimal else (groups, marks)
    if len(set(thousands)) > 1 or not _grouped(whole):
        raise UnreadableError(f"{body!r} is not one number: its groups of digits are not thousands")
    if decimal and last in thousands:
        raise UnreadableError(f"{body!r} is not one number: it has two decimal marks")
    if " " in thousands and not _spaced(body, thousands, last if decimal else "", declared):
        raise UnreadableError(
            f"{body!r} may be two numbers; write a thin space or a comma, or say `decimal: comma`"
        )
    mark: Mark = "grouped" if not decimal and marks == [","] and declared is None else ""
    if decimal:
        mark = "comma" if last == "," else "point"
        if declared and last in ".," and mark != declared:
            raise UnreadableError(
                f"{body!r} is not written with the decimal {declared} that is declared"
            )
    return ("".join(whole) or "0") + ("." + groups[-1] if decimal else ""), mark


def _single(groups: list[str], mark: str, declared: Decimals | None) -> bool:
    """Tell whether the only mark of a number is its decimal mark."""
    three = len(groups[1]) == 3 and 1 <= len(groups[0]) <= 3 and groups[0][0] != "0"
    if mark == ".":
        return not (declared == "comma" and three)
    return declared == "comma" or not three


def _spaced(body: str, thousands: list[str], mark: str, declared: Decimals | None) -> bool:
    """Tell whether plain spaces inside digits can only be thousands: 10 000, 1 234 567, 1 234,5."""
    certain = declared == "comma" or mark == "," or re.search(r" 0\d\d(?!\d)", body) is not None
    return certain or (len(thousands) > 1 and not mark)


def _grouped(groups: list[str]) -> bool:
    """Tell whether groups of digits are one whole number: one group, or thousands."""
    if len(groups) == 1:
        return True
    first, *others = groups
    return 1 <= len(first) <= 3 and first[0] != "0" and all(len(group) == 3 for group in others)


def with_unit(scan: Scanner, number: Number) -> Number:
    """Consume a scale (k, M, billion) and a unit (%, points, times, orders of magnitude)."""
    if not number.unit and not number.scale and (found := scan.take(_SCALE)):
        number = _scaled(number, found[1] or found[2])
    if number.unit in ("", "million", "billion") and (found := scan.take(_UNIT)):
        unit = (
            "orders"
            if found[5]
            else "times"
            if found[4]
            else "points"
            if found[2] or found[3]
            else "percent"
        )
        number = _in_unit(number, unit)
    return number


def with_common_unit(first: Number, second: Number) -> tuple[Number, Number]:
    """Return two numbers of one print, each with the scale behind the last and the unit of either.

    Raises UnreadableError where these do not go together.
    """
    if first.unit != second.unit and first.unit and (second.unit or second.scale):
        raise UnreadableError(
            f"two numbers in different units ({first.unit}, {second.unit or second.scale}) "
            "are no pair; make each a claim"
        )
    if first.scale and not second.scale:
        raise UnreadableError(
            f"{first.scale!r} stands at one of two numbers: write it at both, or behind the last"
        )
    if second.scale and not first.scale:
        scaled = _scaled(first, second.scale)
        if first.power or scaled.step != second.step:
            raise UnreadableError(
                f"{second.scale!r} stands at one of two numbers with other decimals: write "
                "it at both"
            )
        first = scaled
    if bool(first.unit) != bool(second.unit):
        unit = first.unit or second.unit
        first, second = (one if one.unit else _in_unit(one, unit) for one in (first, second))
    return first, second


def _in_unit(number: Number, unit: str) -> Number:
    """Return a number in a unit; a whole one is rounded at the place that the unit implies."""
    return replace(number, unit=unit, step=number.step or _last_place(number, unit))


def _scaled(number: Number, suffix: str) -> Number:
    """Return a number times its scale: k, M, billion."""
    power, unit = _SCALES[suffix]
    step = number.step or (_last_place(number, unit) if unit else Decimal(1))
    value = number.value.scaleb(power)
    return replace(number, value=value, step=step.scaleb(power), unit=unit, scale=suffix)


def _last_place(number: Number, unit: str) -> Decimal:
    """Return the weight of the last digit that counts in a whole number with a unit.

    It is 1 in percent, and that of the last digit that is not 0 in multiples, millions, billions.
    0 says that the number is exact, as points and powers of ten are.
    """
    if unit == "points" or number.power:
        return Decimal(0)
    if unit in ("percent", "orders") or number.value == 0:
        return Decimal(1)
    digits = str(int(abs(number.value)))
    return Decimal(1).scaleb(len(digits) - len(digits.rstrip("0")))
