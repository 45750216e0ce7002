"""Find where a completion ends: EvalPlus's stop sequences for HumanEval.

They are those of evalplus 0.3.1 (provider/utility.py).
"""

STOPS = (
    "<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(",
    "\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ",
)  # fmt: skip
TAIL = 24
"""Tokens to search for a stop sequence just completed: the longest has 13 bytes, a token at least
one.
"""


def stops(text: str) -> bool:
    """Return whether a text contains a stop sequence."""
    return any(stop in text for stop in STOPS)


def cut(text: str) -> str:
    """Return a completion up to its first stop sequence, with tabs expanded, as EvalPlus does."""
    ends = [text.index(stop) for stop in STOPS if stop in text]
    return text[: min(ends, default=len(text))].replace("\t", "    ")


def prompt_of(text: str) -> str:
    """Return a problem's prompt in the form EvalPlus gives to a model."""
    return text.strip() + "\n"
