"""Whether a print stands in its sentence, and the sentence in the paper; numbers compared as read.

A table's cell may be spelt otherwise than its text spells it ("87.5±.3", "87.5 ± 0.3"): its numbers
have to be there.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from repro.claims.printed import Decimals, read
from repro.claims.printed.clean import clean
from repro.claims.printed.number import Scanner, UnreadableError, read_number
from repro.claims.printed.words import read_words
from repro.errors import ManifestError

_BEGINS = re.compile(r"(?<![\w.,·'])(?=[-+–]?[.,]?\d|[A-Za-z])|(?<=[–-])(?=\d)")
_CLOSE = 1e-12
Seen = tuple[float, float | None]
"""A number and the weight of its last digit (0: whole).

None where a power of ten, a scale or a unit stands behind it.
"""


def stands_in(printed: str, says: str, decimals: Decimals | None = None) -> bool:
    """Tell whether a print is a stretch of `says` that cuts no number, or has its numbers in it."""
    if _stretch(_plain(printed), _plain(says)) or _stretch(clean(printed), clean(says)):
        return True
    try:
        read(printed, decimals)
    except ManifestError:
        return printed in says
    return _among(numbers_in(printed, decimals), numbers_in(says, decimals))


def _stretch(printed: str, says: str) -> bool:
    """Tell whether characters stand in a sentence without cutting one of its numbers."""
    at = says.find(printed) if printed else -1
    while at >= 0:
        end = at + len(printed)
        before, after = says[:at][-2:], says[end : end + 2]
        cut_left = before[-1:].isdigit() or (
            printed[0].isdigit() and before[-1:] and (before[-1] in "_.," or before[-1].isalpha())
        )
        cut_right = printed[-1].isdigit() and (
            after[:1].isdigit() or (after[:1] in tuple(".,·") and after[1:].isdigit())
        )
        if not cut_left and not cut_right:
            return True
        at = says.find(printed, at + 1)
    return False


def _among(numbers: Iterable[Seen], known: Iterable[Seen]) -> bool:
    """Tell whether all numbers are known ones, decimals alike where both are written out."""
    return all(
        any(
            abs(value - other) <= _CLOSE * abs(value)
            and (step == last or step is None or last is None)
            for other, last in known
        )
        for value, step in numbers
    )


def numbers_in(text: str, decimals: Decimals | None = None) -> set[Seen]:
    """Return every number of a text, in digits or in words.

    A space between two numbers is read as thousands and as a gap.
    """
    found: set[Seen] = set()
    for stretch in re.split(r"[\t\n|]", text):
        line = clean(stretch)
        for start in _BEGINS.finditer(line):
            word_end = line.find(" ", start.start())
            for end in {len(line), word_end if word_end >= 0 else len(line)}:
                number = _number_at(line[:end], start.start(), decimals)
                if number is not None:
                    found.add(number)
    return found


def _number_at(line: str, at: int, decimals: Decimals | None) -> Seen | None:
    scan = Scanner(line, decimals)
    scan.at = at
    try:
        number = read_number(scan) or read_words(scan)
    except UnreadableError:
        return None
    if number is None:
        return None
    written_out = not (number.power or number.scale or number.word or number.unit)
    return float(number.value), float(number.step) if written_out else None


class PaperText:
    """The text that a paper's claims were taken from, where it is at hand."""

    def __init__(self, text: str) -> None:
        self._plain, self._clean = _plain(text), clean(text)
        self._numbers = numbers_in(text)

    def has(self, says: str, decimals: Decimals | None = None) -> bool:
        """Tell whether a sentence is a stretch of the text; of a table's row, its numbers."""
        if " | " in says:
            return _among(numbers_in(says, decimals), self._numbers)
        return _plain(says) in self._plain or clean(says) in self._clean


def text_of(name: str, folder: Path) -> PaperText | None:
    """Read a paper's text beside its claims or in REPRO_SOURCES; None where it is not at hand."""
    places = [folder, Path(sources)] if (sources := os.environ.get("REPRO_SOURCES")) else [folder]
    file = next((place / name for place in places if name and (place / name).is_file()), None)
    try:
        return PaperText(file.read_text(encoding="utf-8")) if file else None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"{file}: cannot be read as text ({error}); correct `text` in paper.yaml"
        ) from None


def _plain(text: str) -> str:
    """Return a text without its line breaks and repeated blanks."""
    return " ".join(text.split())
