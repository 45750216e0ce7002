"""What a cell's characters say: numbers with their roles, every character consumed or refused.

  cell     := item (separator item)* words          52.0/28.0/44.5
  item     := label? qualifier? measure bracket*    95% CI [1.2, 3.4] · 41.0 ± 1.0 (+2.2%)
  measure  := number ± number | number – number | number of number | [number, number]
            | (item) ×10^n | number
  bracket  := (label? measure) | (words)

UnreadableError says where a character is left over. The table of forms is in docs/printed.md.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from repro.claims.printed.labels import Label, Qualifier, read_label, read_qualifier, words_after
from repro.claims.printed.number import (
    Number,
    Scanner,
    UnreadableError,
    read_number,
    with_common_unit,
    with_unit,
)
from repro.claims.printed.words import read_words

_PLUS_MINUS = re.compile(r" ?± ?")
_RANGE = re.compile(r"(?: [-–] |[-–](?! )| ?(?:\.\.\.?|…|~) ?| to | through )(?=\S)")
_AND = re.compile(r" and ")
_FROM = re.compile(r"(from|between) (?=.* (?:to|and) )", re.I)
_COMMA = re.compile(r" ?[,;] ?| ?/ ?(?=-)")
_OF = re.compile(r" ?/ ?| (?:out )?of (?:the |all )?|( in )")
_SEPARATOR = re.compile(r" ?(?:/|;|\||→|&) ?|, (?:and )?| and ")
_INSIDE = re.compile(r" ?(?:\(([^()]*)\)|\[([^\[\]]*)\])")
_OPEN = re.compile(r"[(\[]")
_POWER_BEHIND = re.compile(
    r" ?[×x·*] ?10 ?\^ ?[({]? ?([+-]?\d{1,3}) ?[)}]?(?![\d.])|[eE]([+-]?\d{1,3})(?![\w.])"
)
_IN_BRACKETS = {"value": "in_brackets", "min": "in_brackets_low", "max": "in_brackets_high",
                "ci_low": "in_brackets_low", "ci_high": "in_brackets_high"}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One number and its role in the cell."""

    role: str
    number: Number
    declared: bool = True
    """Whether the role is certain: a ± or a bracket without a label is not."""
    qualifier: Qualifier | None = None
    item: int = 0
    """Which of the cell's items it belongs to: a spread to its centre's, a bracket is its own."""
    level: float | None = None
    """Of a confidence interval, in percent."""
    total: int | None = None


def read_cell(scan: Scanner) -> list[Piece]:
    """Return all numbers of a cell with their roles, its whole text consumed.

    Raises UnreadableError at what is left over.
    """
    pieces = _item(scan)
    begin = scan.at
    while scan.take(_SEPARATOR) and _begins(scan):
        first = pieces[-1].item + 1
        pieces += [replace(piece, item=first + piece.item) for piece in _item(scan)]
        begin = scan.at
    scan.at = begin
    label, qualifier = words_after(scan)
    if label:
        pieces = label_pieces(pieces, label)
    if qualifier:
        pieces = [replace(piece, qualifier=qualifier) for piece in pieces]
    return pieces


def label_pieces(pieces: list[Piece], label: Label) -> list[Piece]:
    """Give each number the role that its label states, unless the cell itself says its role.

    The centre beside a spread keeps its own, unless the label calls it a mean or a median.
    """
    found = []
    for piece in pieces:
        certain = piece.declared and piece.role not in ("value", "mean", "min", "max")
        role = None if certain else label.role_of(piece.role)
        centre = (
            piece.role in ("value", "mean")
            and len(pieces) > 1
            and label.kind not in ("mean", "median")
        )
        found.append(
            piece
            if role is None or centre
            else replace(piece, role=role, declared=True, level=label.level)
        )
    return found


def _begins(scan: Scanner) -> bool:
    """Tell whether a number begins here, behind words that may stand before one."""
    ahead = Scanner(scan.rest)
    read_label(ahead)
    read_qualifier(ahead)
    return (
        bool(re.match(r"[-–+↑↓(\[±]*[.,]?\d|\\frac", ahead.rest)) or read_words(ahead) is not None
    )


def _item(scan: Scanner) -> list[Piece]:
    """Consume a measure with what stands before it and in brackets behind it."""
    label = read_label(scan)
    qualifier = read_qualifier(scan)
    pieces = _measure(scan)
    if label:
        pieces = label_pieces(pieces, label)
    if qualifier:
        pieces = [replace(piece, qualifier=qualifier) for piece in pieces]
    while inner := scan.take(_INSIDE):
        found = _bracket(
            Scanner((inner[1] if inner[1] is not None else inner[2]).strip(), scan.decimals)
        )
        if isinstance(found, Label):
            pieces = label_pieces(pieces, found)
        elif found:
            first = pieces[-1].item + (found[0].role != "spread")
            found = [replace(piece, item=first + piece.item) for piece in found]
            centre, bracket = _beside(pieces[0], found[0])
            pieces = [centre, *pieces[1:], bracket, *found[1:]]
    return pieces


def _beside(centre: Piece, bracket: Piece) -> tuple[Piece, Piece]:
    """Return a number and the first of a bracket behind it, with the roles that the pair decides.

    Such pairs are a mean and its spread, or a count and its percentage.
    """
    if bracket.role in ("sd", "se", "spread") and centre.role == "value":
        first, second = with_common_unit(centre.number, bracket.number)
        return replace(centre, role="mean", number=_rounded(first)), replace(
            bracket, number=_rounded(second)
        )
    if centre.total and bracket.role == "in_brackets" and bracket.number.unit == "percent":
        return (centre, replace(bracket, role="percentage", declared=True))
    if bracket.total and centre.role == "value" and centre.number.unit == "percent":
        return (replace(centre, role="percentage"), replace(bracket, role="value", declared=True))
    return (centre, bracket)


def _bracket(scan: Scanner) -> list[Piece] | Label:
    """Return the numbers of a bracket behind a measure, or its label; nothing for mere words."""
    if not re.search(r"\d|\\frac", scan.text):
        return words_after(scan)[0] or []
    label = read_label(scan)
    if label and label.kind != "symbol" and not scan.rest.strip(" .:"):
        return label
    pieces = _item(scan) if label is None else _measure(scan)
    if len(pieces) == 1 and scan.take(_COMMA):
        pieces = _pair(pieces[0], _number(scan))
    behind, _ = words_after(scan)
    pieces = [
        replace(
            piece,
            role=_IN_BRACKETS.get(piece.role, piece.role),
            declared=piece.declared and piece.role not in _IN_BRACKETS,
        )
        for piece in pieces
    ]
    return label_pieces(pieces, label or behind) if label or behind else pieces  # type: ignore[arg-type]


def _pair(first: Piece, second: Number) -> list[Piece]:
    """Return two numbers of a bracket, a comma between them: an interval's ends where they rise."""
    if first.number.value <= second.value and first.role == "value":
        return _ends(first.number, second, "ci_low", "ci_high")
    return [first, replace(first, number=second, item=first.item + 1)]


def _measure(scan: Scanner) -> list[Piece]:
    """Consume one number, or the two of a spread, a range, an interval."""
    if scan.take(_PLUS_MINUS):
        return [Piece("spread", _rounded(_number(scan)), declared=False)]
    if _OPEN.match(scan.rest):
        return _group(scan)
    between = scan.take(_FROM)
    first = _number(scan)
    if share := _share(scan, first):
        return [share]
    if scan.take(_PLUS_MINUS):
        return _spread(first, _number(scan))
    begin = scan.at
    if scan.take(_AND if between and between[1].lower() == "between" else _RANGE) and (
        second := _try_number(scan)
    ):
        return _ends(first, second, "min", "max")
    scan.at = begin
    return [Piece("value", first)]


def _share(scan: Scanner, first: Number) -> Piece | None:
    """Consume a count with its total, both whole: 79/164, two of eight, 3 out of 5, 1 in 3."""
    begin = scan.at
    counts = (
        not first.unit and not first.scale and not first.power and first.whole and first.value >= 0
    )
    found = scan.take(_OF) if counts else None
    if found and (first.word or not found[1]):
        try:
            total = _try_number(scan)
        except UnreadableError:
            total = None
        counted = total and total.whole and not total.unit and total.value > 0
        if counted and total and not re.match(r" ?/ ?[.\d]", scan.rest):
            return Piece("value", replace(first, unit="count"), total=int(total.value))
    scan.at = begin
    return None


def _group(scan: Scanner) -> list[Piece]:
    """Consume a bracket of numbers: [1.2, 3.4] · (1.2 ± 0.1) × 10^{-3} · (0.641).

    What stands behind the bracket counts for every number in it.
    """
    opened, found = scan.rest[0], scan.take(_INSIDE)
    if not found:
        raise UnreadableError(f"the bracket of {scan.rest!r} is not closed behind its numbers")
    inside = Scanner((found[1] if found[1] is not None else found[2]).strip(), scan.decimals)
    pieces = _item(inside)
    if len(pieces) == 1 and inside.take(_COMMA):
        second = _number(inside)
        pieces = _ends(pieces[0].number, second, "ci_low", "ci_high")
    elif opened == "[" and [piece.role for piece in pieces] == ["min", "max"]:
        pieces = [
            replace(piece, role=role)
            for piece, role in zip(pieces, ("ci_low", "ci_high"), strict=True)
        ]
    label, _ = words_after(inside)
    if label:
        pieces = label_pieces(pieces, label)
    power = scan.take(_POWER_BEHIND)
    exponent = int(power[1] or power[2]) if power else 0
    begin, behind = scan.at, []
    for piece in pieces:
        scan.at = begin
        number = piece.number
        if exponent:
            number = replace(
                number,
                value=number.value.scaleb(exponent),
                step=number.step.scaleb(exponent),
                power="×10",
            )
        behind.append(replace(piece, number=with_unit(scan, number)))
    return behind


def _spread(first: Number, second: Number) -> list[Piece]:
    """Return a centre and its ±; a unit at one of them counts for both."""
    if first.power != second.power and "×10" in (first.power, second.power):
        raise UnreadableError(
            "one of two numbers has a power of ten: write both in brackets, (1.2 ± 0.1) × 10^-3"
        )
    first, second = with_common_unit(first, second)
    return [
        Piece("mean", _rounded(first), declared=False),
        Piece("spread", _rounded(second), declared=False),
    ]


def _rounded(number: Number) -> Number:
    """Return a number beside a ±, a whole one as a measurement that was rounded to units."""
    plain = number.whole and not number.power and not number.word
    return replace(number, step=Decimal(1)) if plain else number


def _ends(first: Number, second: Number, low: str, high: str) -> list[Piece]:
    """Return a range's ends, `low` and `high` being their roles; raise where the range falls."""
    if first.power != second.power and "×10" in (first.power, second.power):
        raise UnreadableError("one of two ends has a power of ten: write it at both")
    first, second = with_common_unit(first, second)
    if first.value > second.value:
        raise UnreadableError(
            f"{first.value} to {second.value} falls, so it is no range; make each a claim"
        )
    return [Piece(low, first, declared=False), Piece(high, second, declared=False)]


def _try_number(scan: Scanner) -> Number | None:
    begin = scan.at
    found = read_number(scan) or read_words(scan)
    if found is None:
        scan.at = begin
    return found


def _number(scan: Scanner) -> Number:
    found = _try_number(scan)
    if found is None:
        raise UnreadableError(
            f"no number can be read at {scan.rest!r}" if scan.rest else "a number is missing"
        )
    return found
