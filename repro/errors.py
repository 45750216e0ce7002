"""Errors that are the user's to mend. The command line prints one as a single line and exits with code 2.

Every message says where, what was found, what was expected and what to do. Anything else that escapes is a bug of ours.
"""

LONGEST = 500  # characters of a word, such as a path, that is shown whole


class ReproError(Exception):
    """Bad input or set-up: not a bug of the program. Its words are one line, whatever names and values they quote."""

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str) -> str:
    """`text` on one line: escapes for what a terminal would obey and for bytes that are no text, endless words cut."""
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    return " ".join(word if len(word) <= LONGEST else f"{word[:200]}…{word[-100:]}" for word in shown.split(" "))


class ManifestError(ReproError):
    """A manifest, claim or probe file that cannot be accepted."""


class EvidenceError(ReproError):
    """A results folder, run folder or store that cannot be read or trusted."""


class SetupError(ReproError):
    """Something this machine lacks: a package, a model, disk space, a service."""


class InputError(ReproError):
    """A user's own file (activations, labels, matrix) or argument that cannot be used."""
