"""Measured numbers as LaTeX macros: measured value, print and verdict of a claim, by its id.

Signs that LaTeX gives a meaning of their own are left out of keys (`~2` becomes `:2`), and every
key stands in the file. A key that is not there prints as ??, so that a number which was not
measured is never taken for one that was.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from repro.report.export.tables import tex
from repro.report.page.claims import ClaimLine

_HEAD = r"""% Written by `repro report --files`. \input it, then: \measured{KEY}, \published{KEY}, \verdict{KEY}.
\makeatletter
\newcommand{\repro@get}[2]{\ifcsname repro@#1@#2\endcsname\csname repro@#1@#2\endcsname\else\textbf{??}\fi}
\newcommand{\repro@set}[3]{\expandafter\gdef\csname repro@#1@#2\endcsname{#3}}
\newcommand{\measured}[1]{\repro@get{measured}{#1}}
\newcommand{\published}[1]{\repro@get{published}{#1}}
\newcommand{\verdict}[1]{\repro@get{verdict}{#1}}"""


def macros(lines: Iterable[ClaimLine]) -> str:
    """Return a LaTeX file that defines them; keys that would be equal are told apart by numbers."""
    return "\n".join([_HEAD, *_definitions(lines), r"\makeatother", ""])


def _definitions(lines: Iterable[ClaimLine]) -> Iterator[str]:
    taken: dict[str, int] = {}
    for line in lines:
        key = macro_key(line.id)
        taken[key] = taken.get(key, 0) + 1
        key = key if taken[key] == 1 else f"{key}:{taken[key]}b"
        if line.grade:  # what rests on a definition or a setting was not measured
            yield rf"\repro@set{{measured}}{{{key}}}{{{tex(line.measured)}}}"
        yield rf"\repro@set{{published}}{{{key}}}{{{tex(line.printed)}}}"
        yield rf"\repro@set{{verdict}}{{{key}}}{{{tex(line.words)}}}"


def macro_key(claim: str) -> str:
    """Return a claim's id in letters, digits and signs that mean nothing to LaTeX."""
    spelled = "".join(_name(sign) for sign in claim.replace("~", ":"))
    return re.sub(r"[^A-Za-z0-9/:.+-]", "", spelled)


def _name(sign: str) -> str:
    """Spell a sign: a Greek letter by its name, other letters without their accents."""
    named = re.search(r"GREEK (?:SMALL|CAPITAL) LETTER (\w+)$", unicodedata.name(sign, ""))
    return named[1].lower() if named else unicodedata.normalize("NFKD", sign)
