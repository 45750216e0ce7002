"""Errors that the user can correct.

The command line prints one as a single line and exits with code 2. Every message says where, what
was found, what was expected and what to do. Any other exception that escapes is a bug of ours.
"""

_LONGEST = 500  # characters of the longest word, such as a path, shown in full


class ReproError(Exception):
    """Bad input or set-up, not a bug of the program.

    Its message is one line, whatever names and values it quotes.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str) -> str:
    """Return `text` on one line.

    Control characters and invalid bytes are escaped, very long words are cut.
    """
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    return " ".join(
        word if len(word) <= _LONGEST else f"{word[:200]}…{word[-100:]}"
        for word in shown.split(" ")
    )


def first_line(error: object) -> str:
    """Return the first line of an error's message, or its type where it has none."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def last_line(text: str, otherwise: str = "no output") -> str:
    """Return the last line that a program printed."""
    return (text.strip().splitlines() or [otherwise])[-1]


class ManifestError(ReproError):
    """A manifest, claim or probe file that cannot be accepted."""


class EvidenceError(ReproError):
    """A results folder, run folder or store that cannot be read or trusted."""


class EarlierEvidenceError(EvidenceError):
    """A run folder from an earlier version that named runs differently: intact, but unusable
    here.
    """


class SetupError(ReproError):
    """Something this machine lacks: a package, a model, disk space, a service."""


class InputError(ReproError):
    """A user's own file (activations, labels, matrix) or argument that cannot be used."""
