"""The command line: `repro VERB …`. Parse, call, exit code; the work lies elsewhere.

Exit codes: 0 all well · 1 contradicted or inconsistent · 2 bad input or set-up, one clear line · 3 incomplete ·
130 interrupted · 141 whoever read the output stopped reading.
Each family of verbs has a module with `add(verbs)`; what a verb needs is imported when it runs, so help appears at once.
"""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from repro.cli.output import prepare_output
from repro.errors import ReproError
from repro.plain import one_line


def parser() -> argparse.ArgumentParser:
    """The whole command line, without importing what the verbs need."""
    from repro import __version__
    from repro.cli import audit, doctor, images, measure, probes, runs, store, verify

    top = argparse.ArgumentParser(prog="repro", description="Reproduce published numbers, and judge them.")
    top.add_argument("--version", action="version", version=f"repro {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for family in (runs, images, store, verify, audit, measure, probes, doctor):
        family.add(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; a `ReproError` becomes one line on standard error and exit code 2."""
    prepare_output()
    parsed = parser().parse_args(arguments)
    _listen()
    return ending(parsed.verb, lambda: parsed.run(parsed))


def ending(verb: str, work: Callable[[], int]) -> int:
    """Do the work of a verb; the exit code, whatever happens. What nobody foresaw is one line too, and never a verdict."""
    try:
        code = work()
        sys.stdout.flush()
    except ReproError as error:
        print(f"repro {verb}: {one_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be what has gone
            print("repro: stopped; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return _unread()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich ends the program with 1, which would be a verdict here
            return _unread()
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in (errno.EIO, errno.ENOSPC):
            return _unwritten(verb, error)
        from repro.cli.unforeseen import unforeseen

        return unforeseen(verb, error)
    return code


def _unwritten(verb: str, error: OSError) -> int:
    """Standard output is a terminal that was closed, or a file on a full disk: nothing more can be said there."""
    code = _unread()
    if error.errno == errno.EIO:
        return code
    print(f"repro {verb}: standard output: {error.strerror}; free disk space", file=sys.stderr)
    return 2


def _listen() -> None:
    """Being asked to end, or losing the terminal, is being interrupted; whoever asked to outlive it (nohup) does."""
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _stop)


def _unread() -> int:
    """As if SIGPIPE had ended the program: neither 0 nor a verdict, since the rest was never said."""
    drop_output()
    return 128 + signal.SIGPIPE


def drop_output() -> None:
    """What is still buffered goes nowhere: Python would try to write it at its end, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Being asked to end is being interrupted: workers are stopped, what is finished is kept."""
    raise KeyboardInterrupt
