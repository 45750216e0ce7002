"""The command line: `repro VERB …`. Parse, call, exit code; the work lies elsewhere.

Exit codes: 0 all well · 1 contradicted or inconsistent · 2 bad input or set-up, one clear line · 3
incomplete · 130 interrupted · 141 whoever read the output stopped reading. Each family of verbs has
a module with `add(verbs)`; what a verb needs is imported when it runs, so help appears at once.
"""

import argparse
import errno
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from repro.cli.completion import complete_line
from repro.cli.output import VERB, prepare_output
from repro.errors import ReproError
from repro.names import nearest
from repro.plain import one_line

GOING_ON = ("run", "fetch", "images", "ingest", "push", "pull")
"""Verbs that write as they go, and go on from there."""
_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<known>.*)\)")


class _Parser(argparse.ArgumentParser):
    """Says which verb or value a misspelt one may stand for."""

    def error(self, message: str) -> NoReturn:
        """Print usage and one line, and exit with 2."""
        if found := _CHOICE.search(message):
            near = nearest(found["given"], re.findall(r"[\w-]+", found["known"]))
            message = message.replace("(choose from", f"({near}choose from")
        super().error(message)


def parser() -> argparse.ArgumentParser:
    """Build the whole command line, without importing what the verbs need."""
    from repro import __version__
    from repro.cli import (
        attest,
        audit,
        claims,
        crate,
        diff,
        doctor,
        entropy,
        evaluate,
        images,
        judge,
        measure,
        probes,
        remeasure,
        report,
        runs,
        schema,
        score,
        share,
        store,
        supply,
        verify,
    )

    top = _Parser(prog="repro", description="Reproduce published numbers, and judge them.")
    top.add_argument("--version", action="version", version=f"repro {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for family in (
        runs,
        images,
        store,
        share,
        attest,
        verify,
        report,
        crate,
        diff,
        judge,
        supply,
        audit,
        claims,
        measure,
        remeasure,
        entropy,
        probes,
        evaluate,
        score,
        schema,
        doctor,
    ):
        family.add(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; a `ReproError` becomes one line on standard error and exit code 2."""
    prepare_output()
    top = parser()
    complete_line(top)
    try:
        parsed = _parsed(top, arguments)
    except BrokenPipeError:
        return _unread()
    except OSError as error:  # help, on a terminal that is gone
        if error.errno not in (errno.EIO, errno.ENOSPC):
            raise
        return _unwritten("--help", error)
    if folder := _unspelled():
        print(f"repro {parsed.verb}: {folder}", file=sys.stderr)
        return 2
    _listen()
    return ending(parsed.verb, lambda: parsed.run(parsed))


def _parsed(top: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse, and write out what `--help` prints before the program ends.

    What cannot be written would be exit code 120 otherwise, from Python's own end. Raises OSError.
    """
    try:
        return top.parse_args(arguments)
    except SystemExit:
        sys.stdout.flush()
        raise


def ending(verb: str, work: Callable[[], int]) -> int:
    """Do the work of a verb and return the exit code, whatever happens.

    What nobody foresaw is one line too, and never a verdict.
    """
    VERB.set(verb)
    try:
        code = work()
        sys.stdout.flush()
    except ReproError as error:
        print(f"repro {verb}: {one_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be what has gone
            kept = (
                "; what was finished is kept, the same command goes on" if verb in GOING_ON else ""
            )
            print(f"repro: stopped{kept}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return _unread()
    except SystemExit as end:
        # rich ends the program with 1, which would be a verdict here
        if isinstance(end.__context__, BrokenPipeError):
            return _unread()
        raise
    except Exception as error:
        if (
            isinstance(error, OSError)
            and error.filename is None
            and error.errno in (errno.EIO, errno.ENOSPC)
        ):
            return _unwritten(verb, error)
        from repro.cli.unforeseen import report_bug

        return report_bug(verb, error)
    return code


def _unspelled() -> str | None:
    """Say why packages cannot be loaded from a path with letters that the locale lacks; else None.

    Compiled modules (NumPy's, pyarrow's) take their path as UTF-8 and fail on what Python escaped.
    """
    for folder in (os.path.dirname(__file__), sys.prefix):
        try:
            folder.encode()
        except UnicodeEncodeError:
            return (
                f"{os.fsencode(folder)!r}: the path has letters that the encoding of this locale "
                f"({sys.getfilesystemencoding()}) has not, so compiled packages cannot be "
                "loaded from there; "
                "set PYTHONUTF8=1 or a locale with UTF-8 (LC_ALL=C.UTF-8)"
            )
    return None


def _unwritten(verb: str, error: OSError) -> int:
    """Return the exit code where standard output is a closed terminal, or a file on a full disk.

    Nothing more can be said there.
    """
    code = _unread()
    if error.errno == errno.EIO:
        return code
    print(f"repro {verb}: standard output: {error.strerror}; free disk space", file=sys.stderr)
    return 2


def _listen() -> None:
    """Take being asked to end, or losing the terminal, for being interrupted.

    Whoever asked to outlive the terminal (nohup) does.
    """
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _stop)


def _unread() -> int:
    """Return the exit code as if SIGPIPE had ended the program, since the rest was never said.

    It is neither 0 nor a verdict.
    """
    drop_output()
    return 128 + signal.SIGPIPE


def drop_output() -> None:
    """Send what is still buffered nowhere.

    Python would try to write it at its end, and fail again.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Stop as if interrupted when asked to end: workers are stopped, what is finished is kept."""
    raise KeyboardInterrupt
