"""Numbers in words: cardinals, ordinals, multiples ("twice"), fractions ("two thirds")."""

import re
from decimal import Decimal

from repro.claims.printed.number import Number, Scanner, with_unit

_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen "
    "seventeen eighteen nineteen",
)
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_UNITS: dict[str, int] = {word: value for value, word in enumerate(_SMALL)}
TENS: dict[str, int] = {word: 10 * place for place, word in enumerate(_TENS, 2)}
_LARGE = {"hundred": 100, "thousand": 1000, "dozen": 12}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
        ],
        1,
    )
}
_DENOMINATORS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10,
}  # fmt: skip
_PLAIN = {"single": 1, "once": 1, "both": 2, "no": 0, "none": 0}
_MULTIPLES = {"twice": 2, "double": 2, "doubled": 2, "thrice": 3, "triple": 3, "tripled": 3}
_ARTICLE = re.compile(
    r"(?:an?|one) (?=(?:hundred|thousand|dozen|half|third|quarter|order of|[a-z]+th)\b)", re.I
)
_WORD = re.compile(r"[A-Za-z]+")
_JOIN = re.compile(r"[- ](?:and )?(?=[A-Za-z])")
_TH = re.compile(r"(\d+)(?:st|nd|rd|th)\b")
COUNTING = frozenset([*_SMALL[2:], *_TENS, *_LARGE, "twice", "thrice", "million", "billion"])
"""Words that always count something: behind a number they would be a number dropped."""


def read_words(scan: Scanner) -> Number | None:
    """Consume a number in words with its unit; None where none begins."""
    if found := scan.take(_TH):
        return Number(Decimal(found[1]), word=True)
    begin = scan.at
    for article in (scan.take(_ARTICLE), None):
        word = _next(scan)
        if (number := _begun_by(word, scan, bool(article))) is not None:
            return number
        scan.at = begin
    return None


def _begun_by(word: str, scan: Scanner, article: bool) -> Number | None:
    """Consume the number whose first word, after an article, has just been consumed."""
    if word in ("half", "quarter") or (article and word in _DENOMINATORS):
        return _fraction(1, word)
    if article and word == "order":
        scan.at -= len(" order")
        return with_unit(scan, Number(Decimal(1), word=True))
    if word in _PLAIN:
        return Number(Decimal(_PLAIN[word]), word=True)
    if word in _MULTIPLES:
        return Number(Decimal(_MULTIPLES[word]), Decimal(1), word=True)
    if word in _ORDINALS:
        return Number(Decimal(_ORDINALS[word]), word=True)
    if word.endswith("fold") and word.removesuffix("fold") in _UNITS:
        return Number(Decimal(_UNITS[word.removesuffix("fold")]), Decimal(1), "times", word=True)
    if word in _UNITS or word in TENS or (article and word in _LARGE):
        return _cardinal(scan, word)
    return None


def _next(scan: Scanner) -> str:
    found = scan.take(_WORD)
    return found[0].lower() if found else ""


def _cardinal(scan: Scanner, word: str) -> Number:
    """Consume twenty-one, one hundred and sixty-four, two thirds, three times."""
    total, current = 0, 0
    while True:
        if word in _LARGE:
            current = max(current, 1) * _LARGE[word]
            if word == "thousand":
                total, current = total + current, 0
        else:
            current += _UNITS.get(word, TENS.get(word, 0))
        begin = scan.at
        if not scan.take(_JOIN):
            break
        following = _next(scan)
        denominator = following if following in _DENOMINATORS else following.removesuffix("s")
        if denominator in _DENOMINATORS:
            return _fraction(total + current, denominator)
        if following not in _LARGE and not _continues(word, following):
            scan.at = begin
            break
        word = following
    number = Number(Decimal(total + current), word=True)
    return with_unit(scan, number)


def _continues(word: str, following: str) -> bool:
    """Tell whether a cardinal goes on: tens take units, hundreds and thousands anything smaller."""
    if word in TENS:
        return _UNITS.get(following, 0) in range(1, 10)
    return word in _LARGE and (following in _UNITS or following in TENS)


def _fraction(over: int, denominator: str) -> Number:
    return Number(Decimal(over) / _DENOMINATORS[denominator], unit="fraction", word=True)
