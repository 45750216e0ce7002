"""Standard output as it is found: closed, gone, or not of UTF-8; no verdict's code comes of it."""

import codecs
import os
import sys
import unicodedata
from contextvars import ContextVar

VERB: ContextVar[str] = ContextVar("VERB", default="")
"""The verb under way, with which every line on standard error begins."""

SIGNS = {
    "−": "-", "–": "-", "—": "-", "‑": "-", "×": "x", "·": "*", "→": "->", "←": "<-", "↔": "<->", "…": "...", "±": "+-",
    "’": "'", "‘": "'", "“": '"', "”": '"', "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "√": "sqrt", "§": "S",
    "λ": "lambda", "α": "alpha", "β": "beta", "σ": "sigma", "Δ": "Delta", "χ": "chi", "ρ": "rho",
    "Σ": "sum", "•": "*", "¼": "1/4", "½": "1/2", "✓": "yes", "✗": "no",
}  # fmt: skip
"""What stands for a sign of ours where it cannot be written."""


def prepare_output() -> None:
    """Make standard output and error usable.

    Closed ones go nowhere; signs that cannot be written are replaced.
    """
    codecs.register_error("repro", _other_signs)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before the program began
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the program runs
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="repro")


def note(words: str) -> None:
    """Print a line on standard error for whoever reads what the verb under way prints."""
    from repro.plain import one_line

    print(f"repro {VERB.get()}".rstrip() + f": {one_line(words)}", file=sys.stderr, flush=True)


def _other_signs(error: UnicodeError) -> tuple[str, int]:
    """Return what is written instead of the signs that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_other_sign, error.object[error.start : error.end])), error.end


def _other_sign(sign: str) -> str:
    if "\ud800" <= sign <= "\udfff":  # half a sign, or a byte of a name that is no text
        return f"\\u{ord(sign):04x}"
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return SIGNS.get(sign) or plain or "?"
