"""The command line: `repro VERB …`. Parse, call, exit code; the work lies elsewhere.

Exit codes: 0 all well · 1 contradicted or inconsistent · 2 bad input or set-up, one clear line · 3 incomplete.
Each family of verbs has a module with `add(verbs)`; what a verb needs is imported when it runs, so help appears at once.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from repro.errors import ReproError


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
    parsed = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        code: int = parsed.run(parsed)
    except ReproError as error:
        print(f"repro {parsed.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("repro: stopped; what was finished is kept", file=sys.stderr)
        return 130
    return code


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Being asked to end is being interrupted: workers are stopped, what is finished is kept."""
    raise KeyboardInterrupt
