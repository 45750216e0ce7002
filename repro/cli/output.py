"""Standard output as it is found: closed, gone, or of another encoding than UTF-8. None of these is a verdict's code."""

import codecs
import os
import sys
import unicodedata

SIGNS = {
    "−": "-", "–": "-", "—": "-", "‑": "-", "×": "x", "·": "*", "→": "->", "←": "<-", "↔": "<->", "…": "...", "±": "+-",
    "’": "'", "‘": "'", "“": '"', "”": '"', "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "√": "sqrt", "§": "S",
    "λ": "lambda", "α": "alpha", "β": "beta", "σ": "sigma", "Δ": "Delta", "χ": "chi", "ρ": "rho",
    "Σ": "sum", "•": "*", "¼": "1/4", "½": "1/2", "✓": "yes", "✗": "no",
}  # fmt: skip
"""What stands for a sign of ours where it cannot be written."""


def prepare_output() -> None:
    """Make standard output and error usable: nowhere when closed, other signs where one cannot be written."""
    codecs.register_error("repro", _other_signs)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before the program began
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the program runs
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="repro")


def _other_signs(error: UnicodeError) -> tuple[str, int]:
    """What is written instead of the signs that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_other_sign, error.object[error.start : error.end])), error.end


def _other_sign(sign: str) -> str:
    if "\ud800" <= sign <= "\udfff":  # half a sign, or a byte of a name that is no text
        return f"\\u{ord(sign):04x}"
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return SIGNS.get(sign) or plain or "?"
